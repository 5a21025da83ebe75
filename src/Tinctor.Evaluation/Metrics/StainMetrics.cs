namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// PSNR, SSIM, MAE and RMSE of the optical densities of haematoxylin and of DAB (colour deconvolution of Ruifrok and Johnston 2001), which
/// compare the stains apart from brightness. <see cref="ScoredImage"/> has the planes.
/// </summary>
internal static class StainMetrics
{
    /// <summary>The data range of PSNR and SSIM: the density of the darkest 8-bit sample that is not black, log10 255.</summary>
    public static readonly double Range = Math.Log10(255);

    /// <summary>Four metrics of haematoxylin, then four of DAB.</summary>
    public static IReadOnlyList<PairMetric> All { get; } =
    [
        .. Of("h", "haematoxylin", "H", image => image.Haematoxylin), .. Of("dab", "dab", "DAB", image => image.Dab),
    ];

    /// <summary>
    /// Computes the share of brown pixels: DAB density of at least 0.15, and blue absorbed more than green. Haematoxylin and eosin absorb
    /// green most, so the share is about 0 without DAB.
    /// </summary>
    internal static double BrownShare(ScoredImage image)
    {
        const float LeastDensity = 0.15f;
        ReadOnlySpan<byte> rgb = image.Image.Data;
        ReadOnlySpan<float> dab = image.Dab;
        long brown = 0;
        for (int i = 0; i < dab.Length; i++)
            if (dab[i] >= LeastDensity && rgb[(3 * i) + 2] < rgb[(3 * i) + 1]) brown++;
        return brown / (double)dab.Length;
    }

    private static IEnumerable<PairMetric> Of(string suffix, string group, string title, Func<ScoredImage, float[]> plane)
    {
        string stain = suffix == "h" ? "haematoxylin" : "DAB";
        string density = $"on the optical density of {stain}: decimal logarithm, white 255, black as 1, Ruifrok's vectors of haematoxylin "
            + "and DAB with an orthogonal residual (hdx of scikit-image), negative concentrations as 0";
        (double Absolute, double Squared) Errors(ScoredImage image, ScoredImage reference) =>
            PlaneErrors.Means(plane(image), plane(reference));
        PairMetric New(string key, string name, string unit, int digits, bool higher, string definition,
            Func<ScoredImage, ScoredImage, double> compute) =>
            PairMetric.Create($"{key}_{suffix}", $"{name} {title}", unit, digits, higher, $"{definition} {density}", compute, group);

        yield return New("psnr", "PSNR", "dB", 2, true,
            "10 log10(R^2 / MSE) with the data range R = log10 255 = 2.4065; infinite for identical planes;",
            (image, reference) => 10 * Math.Log10(Range * Range / Errors(image, reference).Squared));
        yield return New("ssim", "SSIM", "", 4, true,
            "uniform 7x7 window, sample covariance, K1 0.01, K2 0.03, data range log10 255 = 2.4065, mean over the windows that lie "
            + "wholly inside;",
            (image, reference) => Ssim.OfPlanes(plane(image), plane(reference), image.Width, image.Height, Range));
        yield return New("mae", "MAE", "OD", 4, false, "mean absolute difference", (image, reference) => Errors(image, reference).Absolute);
        yield return New("rmse", "RMSE", "OD", 4, false, "square root of the mean squared difference",
            (image, reference) => Math.Sqrt(Errors(image, reference).Squared));
    }
}
