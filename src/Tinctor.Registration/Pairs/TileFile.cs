using Tinctor.Slides;

namespace Tinctor.Registration.Pairs;

/// <summary>Image files of tiles.</summary>
internal static class TileFile
{
    /// <summary>Gets the extension of tiles: PNG, or TIFF where PNG would take channels for transparency.</summary>
    public static string Extension(int channels) => channels is 1 or 3 ? ".png" : ".tif";

    /// <summary>Writes a tile and returns its path.</summary>
    public static string Write(Image tile, string folder, string name)
    {
        string path = Path.Combine(folder, name + Extension(tile.Channels));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        tile.Write(path);
        return path;
    }
}
