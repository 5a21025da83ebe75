using Tinctor.Slides;

namespace Tinctor.Registration;

/// <summary>Where tiles are cut, and how they are written.</summary>
internal static class TileFiles
{
    /// <summary>As many tiles as fit, in the middle of an area; none where it is smaller than a tile.</summary>
    public static IEnumerable<PixelArea> Grid(int width, int height, int tile, int stride)
    {
        (int columns, int rows) = (((width - tile) / stride) + 1, ((height - tile) / stride) + 1);
        if (width < tile || height < tile) return [];
        (int left, int top) = ((width - tile - ((columns - 1) * stride)) / 2, (height - tile - ((rows - 1) * stride)) / 2);
        return from row in Enumerable.Range(0, rows)
               from column in Enumerable.Range(0, columns)
               select new PixelArea(left + (column * stride), top + (row * stride), tile, tile);
    }

    /// <summary>PNG, or TIFF: two and four channels would be taken for alpha in a PNG.</summary>
    public static string Extension(int channels) => channels is 1 or 3 ? ".png" : ".tif";

    /// <summary>Writes a tile.</summary>
    /// <returns>Its path.</returns>
    public static string Save(Image tile, string folder, string name)
    {
        string path = Path.Combine(folder, name + Extension(tile.Channels));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        tile.Write(path);
        return path;
    }
}
