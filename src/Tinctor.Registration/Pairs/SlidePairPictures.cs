using Tinctor.Registration.Sections;
using Tinctor.Slides;

namespace Tinctor.Registration.Pairs;

/// <summary>Pictures of a prepared pair, to look at: JPEG.</summary>
internal static class SlidePairPictures
{
    private const int Longest = 1200, Examples = 10, ExampleSide = 128, Gap = 4;

    /// <param name="slides">The pair.</param>
    /// <param name="tiles">Its tiles.</param>
    /// <param name="side">Side of a tile in pixels.</param>
    /// <param name="downsample">Pixels of the source's level 0 to one of a tile.</param>
    /// <param name="path">The path of a picture by the end of its name.</param>
    public static void Write(RegisteredSlides slides, IReadOnlyList<SlideTile> tiles, int side, double downsample, Func<string, string> path)
    {
        (Image checkerboard, Image outlines) = RegistrationPictures.Draw(slides.Transform, slides.Source, slides.Target);
        checkerboard.Write(path("_checkerboard.jpg"));
        outlines.Write(path("_outlines.jpg"));
        if (tiles.Count == 0) return;
        Map(slides.Source, tiles, side * downsample, downsample).Write(path("_tiles.jpg"));
        Strip(slides, tiles, side, downsample)?.Write(path("_examples.jpg"));
    }

    private static (int R, int G, int B) Colour(TileFate fate) => fate switch
    {
        TileFate.Kept => (0, 170, 60),
        TileFate.Background => (150, 150, 150),
        TileFate.Outside => (60, 60, 60),
        TileFate.Unlike => (220, 0, 60),
        _ => (255, 140, 0),
    };

    // The source with its tiles, each in the colour of its fate.
    private static Image Map(Slide source, IReadOnlyList<SlideTile> tiles, double side, double downsample)
    {
        double scale = Math.Max(1, Math.Max(source.Width, source.Height) / (double)Longest);
        (int width, int height) = source.SizeAt(scale);
        Image map = source.ReadAt(scale, 0, 0, width, height).ToDisplay();
        foreach (SlideTile tile in tiles)
        {
            (int left, int top) = ((int)(tile.X * downsample / scale), (int)(tile.Y * downsample / scale));
            int right = Math.Min(width - 1, (int)(((tile.X * downsample) + side) / scale));
            int bottom = Math.Min(height - 1, (int)(((tile.Y * downsample) + side) / scale));
            for (int y = top; y < bottom; y++)
                for (int x = left; x < right; x++)
                    Mix(map.Data.AsSpan(3 * ((y * width) + x), 3), Colour(tile.Fate), x == left || y == top ? 0.9 : 0.25);
        }
        return map;
    }

    // Sources above targets: kept tiles from the least to the most alike, then dropped ones.
    private static Image? Strip(RegisteredSlides slides, IReadOnlyList<SlideTile> tiles, int side, double downsample)
    {
        SlideTile[] shown =
        [
            .. Spread([.. tiles.Where(tile => tile.Fate == TileFate.Kept)]),
            .. Spread([.. tiles.Where(tile => tile.Fate is TileFate.Unlike or TileFate.Shifted)]),
        ];
        if (shown.Length == 0) return null;
        var strip = new Image((shown.Length * (ExampleSide + Gap)) + Gap, (2 * (ExampleSide + Gap)) + Gap, 3);
        for (int i = 0; i < shown.Length; i++)
        {
            (Image source, Image target) = slides.Read(new(shown[i].X, shown[i].Y, side, side), downsample);
            int left = Gap + (i * (ExampleSide + Gap));
            (int R, int G, int B) = Colour(shown[i].Fate);
            for (int y = 0; y < strip.Height; y++)
                for (int x = left - (Gap / 2); x < left + ExampleSide + (Gap / 2); x++)
                    Mix(strip.Data.AsSpan(3 * ((y * strip.Width) + x), 3), (R, G, B), 1);
            strip.Paste(source.ToDisplay().Resize(ExampleSide, ExampleSide), left, Gap);
            strip.Paste(target.ToDisplay().Resize(ExampleSide, ExampleSide), left, ExampleSide + (2 * Gap));
        }
        return strip;
    }

    // A few, evenly from the least to the most alike.
    private static IEnumerable<SlideTile> Spread(SlideTile[] tiles)
    {
        SlideTile[] ordered = [.. tiles.OrderBy(tile => tile.Ncc)];
        int count = Math.Min(ordered.Length, Examples / 2);
        return Enumerable.Range(0, count).Select(i => ordered[count == 1 ? 0 : i * (ordered.Length - 1) / (count - 1)]);
    }

    private static void Mix(Span<byte> pixel, (int R, int G, int B) colour, double share)
    {
        (pixel[0], pixel[1], pixel[2]) = (Mixed(pixel[0], colour.R), Mixed(pixel[1], colour.G), Mixed(pixel[2], colour.B));
        byte Mixed(byte old, int added) => (byte)((old * (1 - share)) + (added * share));
    }
}
