using Tinctor.Registration.Slides;
using Tinctor.Slides;

namespace Tinctor.Registration.Pairs;

/// <summary>Pictures for visual inspection of a prepared pair, JPEG.</summary>
internal static class SlidePairPictures
{
    private const int Longest = 1200, Examples = 10, ExampleSide = 128, Gap = 4;

    /// <summary>Writes a checkerboard, outlines, a map of the tiles and examples of tiles.</summary>
    /// <param name="slides">Registered slides.</param>
    /// <param name="tiles">Tiles.</param>
    /// <param name="side">Side of a source tile in pixels.</param>
    /// <param name="downsample">Pixels of the source's level 0 per pixel of a tile.</param>
    /// <param name="path">Gets the path of a picture from the end of its name.</param>
    internal static void Write(RegisteredSlides slides, IReadOnlyList<PreparedTile> tiles, int side, double downsample,
        Func<string, string> path)
    {
        RegistrationPictures pictures = RegistrationPictures.Draw(slides.Transform, slides.Source, slides.Target);
        pictures.Checkerboard.Write(path("_checkerboard.jpg"));
        pictures.Outlines.Write(path("_outlines.jpg"));
        if (tiles.Count == 0) return;
        Map(slides.Source, tiles, side * downsample, downsample).Write(path("_tiles.jpg"));
        Strip(slides, tiles, side, downsample)?.Write(path("_examples.jpg"));
    }

    /// <summary>Colour of the tiles of a status in the overview picture.</summary>
    public static (int R, int G, int B) Colour(TileStatus status) => status switch
    {
        TileStatus.Kept => (0, 170, 60),
        TileStatus.Background => (150, 150, 150),
        TileStatus.Outside => (60, 60, 60),
        TileStatus.LowCorrelation => (220, 0, 60),
        _ => (255, 140, 0),
    };

    // The source with its tiles in the colours of their status.
    private static Image Map(Slide source, IReadOnlyList<PreparedTile> tiles, double side, double downsample)
    {
        double scale = Math.Max(1, Math.Max(source.Width, source.Height) / (double)Longest);
        (int width, int height) = source.SizeAt(scale);
        Image map = source.ReadAt(scale, 0, 0, width, height).ToDisplay();
        foreach (PreparedTile tile in tiles)
        {
            (int left, int top) = ((int)(tile.X * downsample / scale), (int)(tile.Y * downsample / scale));
            int right = Math.Min(width - 1, (int)(((tile.X * downsample) + side) / scale));
            int bottom = Math.Min(height - 1, (int)(((tile.Y * downsample) + side) / scale));
            for (int y = top; y < bottom; y++)
                for (int x = left; x < right; x++)
                    Mix(map.Data.AsSpan(3 * ((y * width) + x), 3), Colour(tile.Status), x == left || y == top ? 0.9 : 0.25);
        }
        return map;
    }

    // Sources above targets: kept tiles in ascending order of correlation, then rejected tiles.
    private static Image? Strip(RegisteredSlides slides, IReadOnlyList<PreparedTile> tiles, int side, double downsample)
    {
        PreparedTile[] shown =
        [
            .. Spread([.. tiles.Where(tile => tile.Status == TileStatus.Kept)]),
            .. Spread([.. tiles.Where(tile => tile.Status is TileStatus.LowCorrelation or TileStatus.Misaligned)]),
        ];
        if (shown.Length == 0) return null;
        var strip = new Image((shown.Length * (ExampleSide + Gap)) + Gap, (2 * (ExampleSide + Gap)) + Gap, 3);
        for (int i = 0; i < shown.Length; i++)
        {
            (Image source, Image target) = slides.Read(new(shown[i].X, shown[i].Y, side, side), downsample);
            int left = Gap + (i * (ExampleSide + Gap));
            (int R, int G, int B) = Colour(shown[i].Status);
            for (int y = 0; y < strip.Height; y++)
                for (int x = left - (Gap / 2); x < left + ExampleSide + (Gap / 2); x++)
                    Mix(strip.Data.AsSpan(3 * ((y * strip.Width) + x), 3), (R, G, B), 1);
            strip.Paste(source.ToDisplay().Resize(ExampleSide, ExampleSide), left, Gap);
            strip.Paste(target.ToDisplay().Resize(ExampleSide, ExampleSide), left, ExampleSide + (2 * Gap));
        }
        return strip;
    }

    // A few tiles, evenly spread over the order of correlation.
    private static IEnumerable<PreparedTile> Spread(PreparedTile[] tiles)
    {
        PreparedTile[] ordered = [.. tiles.OrderBy(tile => tile.Ncc)];
        int count = Math.Min(ordered.Length, Examples / 2);
        return Enumerable.Range(0, count).Select(i => ordered[count == 1 ? 0 : i * (ordered.Length - 1) / (count - 1)]);
    }

    private static void Mix(Span<byte> pixel, (int R, int G, int B) colour, double share)
    {
        (pixel[0], pixel[1], pixel[2]) = (Mixed(pixel[0], colour.R), Mixed(pixel[1], colour.G), Mixed(pixel[2], colour.B));
        byte Mixed(byte old, int added) => (byte)((old * (1 - share)) + (added * share));
    }
}
