using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Models;

namespace Tinctor.Staining.WholeSlides;

/// <summary>Range of uncertainty with its colour.</summary>
/// <param name="Name">Description of the range.</param>
/// <param name="From">Sample of the uncertainty slide's channel at which the range begins.</param>
/// <param name="Red">Red of its colour.</param>
/// <param name="Green">Green of its colour.</param>
/// <param name="Blue">Blue of its colour.</param>
internal sealed record UncertaintyBand(string Name, int From, byte Red, byte Green, byte Blue);

/// <summary>
/// Map of where a stained slide is reliable: the slide, reduced and grey, coloured where results vary or the source is unfamiliar.
/// </summary>
/// <param name="Picture">RGB picture.</param>
/// <param name="Shares">Share of the stained area in each band, from the least uncertain.</param>
internal sealed record ReliabilityMap(Image Picture, IReadOnlyList<(UncertaintyBand Band, double Share)> Shares)
{
    private const int Side = 1000;
    private const float Opacity = 0.65f;

    /// <summary>Bands of variation, at a coefficient of variation of 5, 10 and 20 %.</summary>
    public static IReadOnlyList<UncertaintyBand> Variation { get; } =
    [
        new("stable: varies by less than 5 %", 0, 0, 0, 0), new("slightly uncertain: 5 to 10 %", 13, 240, 200, 40),
        new("uncertain: 10 to 20 %", 26, 235, 120, 30), new("unreliable: 20 % or more", 51, 200, 30, 40),
    ];

    /// <summary>Bands of novelty, relative to the distance below which 99 of 100 training windows lie.</summary>
    public static IReadOnlyList<UncertaintyBand> Novelty { get; } =
    [
        new("similar to the training images", 0, 0, 0, 0), new("unfamiliar: up to twice the limit", SourceNovelty.Known, 150, 90, 220),
        new("very unfamiliar: more than twice the limit", 2 * SourceNovelty.Known, 70, 10, 130),
    ];

    /// <summary>Colours one channel of an uncertainty slide.</summary>
    /// <param name="stained">The stained slide, RGB.</param>
    /// <param name="uncertainty">Its uncertainty, of the same size.</param>
    /// <param name="channel">Channel of the uncertainty slide.</param>
    /// <param name="bands">Bands of the channel from the least uncertain, which is not coloured.</param>
    /// <param name="tissue">Mask of the stained tissue; null if the whole slide was stained.</param>
    public static ReliabilityMap Create(Slide stained, Slide uncertainty, int channel, IReadOnlyList<UncertaintyBand> bands,
        TissueMask? tissue)
    {
        Image picture = stained.Thumbnail(Side), map = uncertainty.Thumbnail(Side);
        SoftMask? soft = tissue is null ? null : new(tissue, tissue.SlideWidth / (double)picture.Width);
        var counts = new long[bands.Count];
        for (int i = 0; i < picture.Width * picture.Height; i++)
        {
            if (soft?.At(i % picture.Width, i / picture.Width) < 1) continue;
            int band = bands.Count - 1;
            while (map.Data[(i * map.Channels) + channel] < bands[band].From) band--;
            counts[band]++;
            Paint(picture.Data.AsSpan(i * 3, 3), band == 0 ? null : bands[band]);
        }
        long all = Math.Max(1, counts.Sum());
        return new(picture, [.. bands.Zip(counts, (band, count) => (band, (double)count / all))]);
    }

    private static void Paint(Span<byte> pixel, UncertaintyBand? band)
    {
        float grey = (pixel[0] + pixel[1] + pixel[2]) / 3f;
        if (band is null)
        {
            pixel.Fill((byte)grey);
            return;
        }
        (pixel[0], pixel[1], pixel[2]) = (Mixed(band.Red), Mixed(band.Green), Mixed(band.Blue));

        byte Mixed(byte colour) => (byte)(grey + (Opacity * (colour - grey)));
    }
}
