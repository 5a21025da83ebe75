namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Comparison of the amounts of stain in an image and its reference apart from their position: mean density of DAB, and Wasserstein
/// distances of the distributions of haematoxylin, eosin and DAB. Densities are those of <c>skimage.color.rgb2hed</c>.
/// </summary>
internal static class StainHistograms
{
    private const string Density = "density of skimage.color.rgb2hed (Ruifrok's haematoxylin, eosin and DAB, light at least 1e-6, a sixth "
        + "of the decimal optical density, negative as 0)";

    // Densities of rgb2hed are below 1.9.
    private const int Bins = 1 << 17;
    private const double BinWidth = 2.0 / Bins;

    /// <summary>Absolute difference of the mean DAB densities.</summary>
    public static readonly PairMetric DabMean = PairMetric.Create("dab_od_mae", "DAB OD MAE", "rgb2hed", 4, false,
        $"absolute difference of the image's mean DAB densities; its mean over the images is their MAE; 0 or more; {Density}",
        (image, reference) => Math.Abs(Mean(image.HaematoxylinEosinDab[2]) - Mean(reference.HaematoxylinEosinDab[2])), "dab");

    /// <summary>The metrics.</summary>
    public static IReadOnlyList<PairMetric> All { get; } =
        [DabMean, Distance("h", "haematoxylin", "H", 0), Distance("e", "eosin", "E", 1), Distance("dab", "dab", "DAB", 2)];

    /// <summary>Mean of a plane.</summary>
    public static double Mean(ReadOnlySpan<float> plane)
    {
        double sum = 0;
        foreach (float value in plane) sum += value;
        return sum / plane.Length;
    }

    /// <summary>
    /// First Wasserstein distance of the distributions of two planes of one size: the area between their cumulative histograms, exact to
    /// a bin (1.5e-5).
    /// </summary>
    /// <param name="one">Densities, at least 0.</param>
    /// <param name="two">Densities, at least 0.</param>
    internal static double Wasserstein(ReadOnlySpan<float> one, ReadOnlySpan<float> two)
    {
        var difference = new int[Bins];
        foreach (float value in one) difference[Bin(value)]++;
        foreach (float value in two) difference[Bin(value)]--;
        long area = 0;
        int above = 0;
        foreach (int count in difference)
        {
            above += count;
            area += Math.Abs(above);
        }
        return area * BinWidth / one.Length;
    }

    private static int Bin(float value) => Math.Min(Bins - 1, (int)(value / BinWidth));

    private static PairMetric Distance(string suffix, string group, string title, int stain) => PairMetric.Create($"wasserstein_{suffix}",
        $"Wasserstein {title}", "rgb2hed", 4, false, "first Wasserstein distance of the distributions of the pixels' "
            + $"{(group == "dab" ? "DAB" : group)} {Density}; {Bins:N0} bins from 0 to 2; 0 for equal distributions",
        (image, reference) =>
        {
            image.Pixels.MustMatch(reference.Pixels);
            return Wasserstein(image.HaematoxylinEosinDab[stain], reference.HaematoxylinEosinDab[stain]);
        }, group);
}
