using Tinctor.Registration.Metrics;
using Tinctor.Slides;

namespace Tinctor.Registration.Pairs;

/// <summary>Positions, acceptance and files of tiles, the same for fields and slides.</summary>
internal static class TileGrid
{
    /// <summary>Gets as many tiles as fit, centred in an area; none if the area is smaller than a tile.</summary>
    public static IEnumerable<PixelArea> Areas(int width, int height, int tile, int stride)
    {
        (int columns, int rows) = (((width - tile) / stride) + 1, ((height - tile) / stride) + 1);
        if (width < tile || height < tile) return [];
        (int left, int top) = ((width - tile - ((columns - 1) * stride)) / 2, (height - tile - ((rows - 1) * stride)) / 2);
        return from row in Enumerable.Range(0, rows)
               from column in Enumerable.Range(0, columns)
               select new PixelArea(left + (column * stride), top + (row * stride), tile, tile);
    }

    /// <summary>Decides whether a tile is kept.</summary>
    public static TileStatus Status(TileAlignment alignment, TilingOptions options) =>
        !(alignment.Ncc >= options.MinNcc) ? TileStatus.LowCorrelation
        : alignment.IsMisaligned(options.MaxResidual) ? TileStatus.Misaligned : TileStatus.Kept;

    /// <summary>Gets the extension of tiles: PNG, or TIFF where PNG would take channels for transparency.</summary>
    public static string Extension(int channels) => channels is 1 or 3 ? ".png" : ".tif";

    /// <summary>Writes a tile and returns its path.</summary>
    public static string Save(Image tile, string folder, string name)
    {
        string path = Path.Combine(folder, name + Extension(tile.Channels));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        tile.Write(path);
        return path;
    }

    /// <summary>Rounds a measured number to the digits of the files.</summary>
    public static double? Rounded(double? value) => value is double number ? Math.Round(number, 4) : null;
}
