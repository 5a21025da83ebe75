using System.Globalization;
using System.Numerics;

namespace Tinctor.Viewer.Pixels;

/// <summary>
/// Deep Zoom pyramid of a slide: levels by powers of two, from one pixel to the full size,
/// in tiles that overlap by a pixel.
/// </summary>
/// <param name="Width">Width of the slide in pixels.</param>
/// <param name="Height">Height of the slide in pixels.</param>
internal readonly record struct DeepZoom(int Width, int Height)
{
    /// <summary>Side of a tile without its overlap in pixels.</summary>
    public const int TileSide = 254;

    private const int Overlap = 1;

    /// <summary>Index of the level of the full size; level 0 is one pixel.</summary>
    public int LargestLevel => BitOperations.Log2((uint)Math.Max(Width, Height) - 1) + (Math.Max(Width, Height) > 1 ? 1 : 0);

    /// <summary>Formats the description of the pyramid as an XML document.</summary>
    /// <param name="format">Format of the tiles, jpg or png.</param>
    public string ToXml(string format = "jpg") => string.Create(CultureInfo.InvariantCulture, $"""
        <?xml version="1.0" encoding="UTF-8"?>
        <Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="{format}" Overlap="{Overlap}" TileSize="{TileSide}">
          <Size Width="{Width}" Height="{Height}"/>
        </Image>
        """);

    /// <summary>Gets the layer of a description's name, LAYER.dzi; null for another name.</summary>
    public static string? LayerOf(string file) => Before(file, ".dzi");

    /// <summary>Gets the layer of the name of a folder of tiles, LAYER_files; null for another name.</summary>
    public static string? LayerOfTiles(string folder) => Before(folder, "_files");

    /// <summary>Returns the place of a tile; null if there is no such tile.</summary>
    /// <param name="level">Level of Deep Zoom.</param>
    /// <param name="column">Column of the tile from 0.</param>
    /// <param name="row">Row of the tile from 0.</param>
    public (double Downsample, int X, int Y, int Width, int Height)? Tile(int level, int column, int row)
    {
        if (level < 0 || level > LargestLevel || column < 0 || row < 0) return null;
        double downsample = Math.ScaleB(1, LargestLevel - level);
        int width = (int)Math.Ceiling(Width / downsample), height = (int)Math.Ceiling(Height / downsample);
        if (Span(column, width) is not (int x, int across) || Span(row, height) is not (int y, int down)) return null;
        return (downsample, x, y, across, down);
    }

    private static string? Before(string name, string suffix) =>
        name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : null;

    private static (int Start, int Size)? Span(int index, int size)
    {
        long inner = (long)index * TileSide, start = Math.Max(0, inner - Overlap), end = Math.Min(size, inner + TileSide + Overlap);
        return inner < size ? ((int)start, (int)(end - start)) : null;
    }
}
