namespace Tinctor.Slides;

/// <summary>
/// Background of brightfield slides, which is empty glass: its colour, and all thresholds that separate it from tissue. Densities are
/// decimal optical densities.
/// </summary>
internal static class Background
{
    /// <summary>
    /// Largest mean density over R, G and B of background pixels when a stained slide is compared with its source; a grey of 227.
    /// </summary>
    public const float LargestDensity = 0.05f;

    /// <summary>Mean density over R, G and B above which a pixel of a tile counts as tissue; a grey of 222.</summary>
    public const float TissueDensity = 0.06f;

    /// <summary>
    /// Mean density over R, G and B from which a pixel is used to estimate stains: lower densities have an uncertain hue.
    /// </summary>
    public const float StainedDensity = 0.07f;

    /// <summary>Sum of the haematoxylin and DAB densities from which a pixel counts as tissue in IHC measurements.</summary>
    public const double IhcTissueDensity = 0.1;

    /// <summary>
    /// Range of the density threshold of tissue masks: a slide without tissue has no lower, one with dark tissue no higher.
    /// </summary>
    public const double SmallestThreshold = 0.03, LargestThreshold = 0.12;

    /// <summary>Range of the saturation threshold of tissue masks.</summary>
    public const double SmallestSaturation = 0.04, LargestSaturation = 0.15;

    /// <summary>Brightest channel, as a share of white, below which a pixel is darker than any brightfield background.</summary>
    public const float DarkestBrightness = 0.25f;

    private const int Levels = 256;
    private const float SmallestBrightness = 200 / 255f, LargestColour = 0.06f;
    private const double SmallestShare = 0.01, ShareBesidePadding = 0.05, BrightQuantile = 0.95;

    /// <summary>Returns whether a pixel of 8 bits per channel may be background: bright and without much colour.</summary>
    public static bool IsPossible(ReadOnlySpan<byte> pixel)
    {
        (byte least, byte most) = (pixel[0], pixel[0]);
        foreach (byte sample in pixel) (least, most) = (Math.Min(least, sample), Math.Max(most, sample));
        return IsPossible(least / 255f, most / 255f);
    }

    /// <summary>
    /// Estimates the background colour: one value per channel in (0, 1], the 95th percentile of bright, unsaturated pixels; 1 if there are
    /// none.
    /// </summary>
    /// <param name="light">One plane per channel, 0 to 1.</param>
    internal static float[] EstimateColour(float[][] light)
    {
        int size = light[0].Length;
        var counts = Enumerable.Range(0, light.Length).Select(_ => new int[Levels]).ToArray();
        (int background, int padding) = (0, 0);
        for (int i = 0; i < size; i++)
        {
            float least = light.Min(plane => plane[i]), most = light.Max(plane => plane[i]);
            if (!IsPossible(least, most)) continue;
            // Pure white is often the area that the scanner skipped.
            if (least == 1) { padding++; continue; }
            background++;
            for (int channel = 0; channel < light.Length; channel++) counts[channel][(int)(light[channel][i] * (Levels - 1))]++;
        }
        bool isWhite = padding > 0 && background < ShareBesidePadding * size;
        // A high percentile, because pale tissue can resemble background and cover more of the slide, but it is darker.
        return isWhite || background < SmallestShare * size ? [.. light.Select(_ => 1f)]
            : Array.ConvertAll(counts, histogram => Quantile(histogram, BrightQuantile * background) / (Levels - 1f));
    }

    private static bool IsPossible(float least, float most) => least >= SmallestBrightness && least >= most * (1 - LargestColour);

    private static int Quantile(int[] histogram, double below)
    {
        int level = 0;
        for (double sum = histogram[0]; sum < below; sum += histogram[level]) level++;
        return level;
    }
}
