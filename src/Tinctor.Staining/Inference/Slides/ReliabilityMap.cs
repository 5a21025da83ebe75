using Tinctor.Slides;
using Tinctor.Slides.Tissue;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>A degree of doubt.</summary>
/// <param name="Name">In words.</param>
/// <param name="From">The sample of the uncertain slide's channel from which it is reached.</param>
/// <param name="Red">The colour that it is painted in.</param>
/// <param name="Green">Of that colour.</param>
/// <param name="Blue">Of that colour.</param>
public sealed record Doubt(string Name, int From, byte Red, byte Green, byte Blue);

/// <summary>
/// Where not to trust a stained slide: the slide, made small and grey, painted where results vary or the source is unlike training.
/// </summary>
/// <param name="Picture">RGB.</param>
/// <param name="Shares">The share of the stained area in each degree, from the least on.</param>
public sealed record ReliabilityMap(Image Picture, IReadOnlyList<(Doubt Doubt, double Share)> Shares)
{
    private const int Side = 1000;
    private const float Opacity = 0.65f;

    /// <summary>Degrees of variation: a coefficient of variation of 5, 10 and 20 %.</summary>
    public static IReadOnlyList<Doubt> Variation { get; } =
    [
        new("steady: varies by less than 5 %", 0, 0, 0, 0), new("some doubt: 5 to 10 % (yellow)", 13, 240, 200, 40),
        new("doubtful: 10 to 20 % (orange)", 26, 235, 120, 30), new("not to be trusted: 20 % and more (red)", 51, 200, 30, 40),
    ];

    /// <summary>Degrees of novelty, by the distance that 99 of 100 training windows stay below.</summary>
    public static IReadOnlyList<Doubt> Novelty { get; } =
    [
        new("as in training", 0, 0, 0, 0), new("unlike training: up to twice as far (violet)", SourceNovelty.Known, 150, 90, 220),
        new("nothing alike in training (dark violet)", 2 * SourceNovelty.Known, 70, 10, 130),
    ];

    /// <summary>Paints one channel of a map of uncertainty.</summary>
    /// <param name="stained">The stained slide, RGB.</param>
    /// <param name="uncertainty">Its map, of the same size.</param>
    /// <param name="channel">Which channel of the map.</param>
    /// <param name="degrees">What its samples mean, from the least degree, which is not painted.</param>
    /// <param name="tissue">Where was stained; null for everywhere.</param>
    public static ReliabilityMap Of(Slide stained, Slide uncertainty, int channel, IReadOnlyList<Doubt> degrees, TissueMask? tissue)
    {
        Image picture = stained.Thumbnail(Side), map = uncertainty.Thumbnail(Side);
        SoftMask? soft = tissue is null ? null : new(tissue, tissue.SlideWidth / (double)picture.Width);
        var counts = new long[degrees.Count];
        for (int i = 0; i < picture.Width * picture.Height; i++)
        {
            if (soft?.At(i % picture.Width, i / picture.Width) < 1) continue;
            int degree = degrees.Count - 1;
            while (map.Data[(i * map.Channels) + channel] < degrees[degree].From) degree--;
            counts[degree]++;
            Paint(picture.Data.AsSpan(i * 3, 3), degree == 0 ? null : degrees[degree]);
        }
        long all = Math.Max(1, counts.Sum());
        return new(picture, [.. degrees.Zip(counts, (degree, count) => (degree, (double)count / all))]);
    }

    private static void Paint(Span<byte> pixel, Doubt? doubt)
    {
        float grey = (pixel[0] + pixel[1] + pixel[2]) / 3f;
        if (doubt is null)
        {
            pixel.Fill((byte)grey);
            return;
        }
        (pixel[0], pixel[1], pixel[2]) = (Mixed(doubt.Red), Mixed(doubt.Green), Mixed(doubt.Blue));

        byte Mixed(byte colour) => (byte)(grey + (Opacity * (colour - grey)));
    }
}
