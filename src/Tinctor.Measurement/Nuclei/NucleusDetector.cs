using System.Globalization;
using Tinctor.Slides.Masks;

namespace Tinctor.Measurement.Nuclei;

/// <summary>Appearance of nuclei.</summary>
public sealed record NucleusDetection
{
    /// <summary>Micrometres per pixel, by which the lengths below become pixels; 0.5 is a 20x scan.</summary>
    public double Mpp { get; init; } = PixelSize.Default;

    /// <summary>Looks at haematoxylin alone, for markers on membranes (HER2); else at DAB too, for markers in nuclei.</summary>
    public bool HaematoxylinOnly { get; init; }

    /// <summary>Standard deviation of the Gaussian smoothing, in micrometres.</summary>
    public double Smoothing { get; init; } = 0.4;

    /// <summary>Nuclei are darker than their surroundings: a Gaussian mean of this standard deviation, in micrometres.</summary>
    public double Surroundings { get; init; } = 10;

    /// <summary>The least share of light that a nucleus absorbs, whatever Otsu's threshold is, so that empty glass has none.</summary>
    public double LeastAbsorption { get; init; } = 0.2;

    /// <summary>By how much, at the least, a nucleus absorbs more than its surroundings.</summary>
    public double LeastContrast { get; init; } = 0.05;

    /// <summary>The least area, in square micrometres.</summary>
    public double LeastArea { get; init; } = 10;

    /// <summary>The largest area, in square micrometres.</summary>
    public double LargestArea { get; init; } = 400;

    /// <summary>Minimum rise of the distance to a nucleus' outline above the neck to its neighbour, in micrometres.</summary>
    public double Prominence { get; init; } = 0.3;

    /// <summary>Throws an ArgumentException for values out of range.</summary>
    public void Validate()
    {
        if (!(Mpp is > 0.02 and < 20)) throw new ArgumentException($"{Mpp} um per pixel: must be 0.02 to 20");
        if (!(LeastArea >= 0 && LargestArea > LeastArea))
            throw new ArgumentException($"areas of {LeastArea} to {LargestArea} um^2: the first must be smaller, neither below 0");
    }

    /// <summary>In words, for provenance.</summary>
    public string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"classical detector: share of light absorbed by {(HaematoxylinOnly ? "haematoxylin" : "haematoxylin, and by DAB")}, smoothed "
        + $"(Gaussian, {Smoothing} um), less its surroundings (Gaussian, {Surroundings} um), Otsu's threshold of each image (at least "
        + $"{LeastContrast}, absorption at least {LeastAbsorption}), holes filled, distance-transform watershed (prominence "
        + $"{Prominence} um), {LeastArea} to {LargestArea} um^2; at {Mpp} um per pixel");
}

/// <summary>
/// Classical detection of nuclei, without a trained model: Otsu's threshold of the absorbed light relative to its surroundings, and a
/// watershed of the distances to the outline.
/// </summary>
internal static class NucleusDetector
{
    /// <summary>Finds the nuclei of an image.</summary>
    /// <param name="image">Stains of the image.</param>
    /// <param name="settings">Appearance of nuclei.</param>
    /// <param name="thresholds">
    /// Threshold of the contrast of each stain, for an image that is part of a larger one; null for Otsu's threshold of the image.
    /// </param>
    public static LabelMap Find(StainDensities image, NucleusDetection settings, IReadOnlyList<float>? thresholds = null)
    {
        settings.Validate();
        (int width, int height, double mpp) = (image.Width, image.Height, settings.Mpp);
        var mask = new bool[width * height];
        foreach ((int stain, float[] density) in Stains(image, settings).Index())
        {
            (float[] absorbed, float[] contrast) = Contrast(density, width, height, settings);
            double threshold = Math.Max(thresholds?[stain] ?? Otsu.Threshold(contrast), settings.LeastContrast);
            for (int i = 0; i < mask.Length; i++) mask[i] |= contrast[i] > threshold && absorbed[i] > settings.LeastAbsorption;
        }
        double pixelArea = mpp * mpp;
        ConnectedComponents.FillHoles(mask, width, height, (int)(settings.LargestArea / pixelArea / 4));
        float[] depth = DistanceTransform.Signed(mask, width, height);
        LabelMap nuclei = Watershed.Split(depth, mask, width, height, (float)(settings.Prominence / mpp));
        int[] areas = nuclei.Areas();
        return nuclei.Keep(label => areas[label] * pixelArea >= settings.LeastArea && areas[label] * pixelArea <= settings.LargestArea);
    }

    /// <summary>
    /// Gets the densities of the stains of nuclei. Each stain has its own threshold, so that a few brown nuclei do not hide pale blue ones.
    /// </summary>
    public static IReadOnlyList<float[]> Stains(StainDensities image, NucleusDetection settings) =>
        settings.HaematoxylinOnly ? [image.Haematoxylin] : [image.Haematoxylin, image.Dab];

    /// <summary>
    /// Computes the smoothed share of light that a stain absorbs, and by how much it exceeds that of the surroundings. The share saturates,
    /// unlike density, so that black nuclei do not hide grey ones.
    /// </summary>
    public static (float[] Absorbed, float[] Contrast) Contrast(float[] density, int width, int height, NucleusDetection settings)
    {
        float[] absorbed = Array.ConvertAll(density, od => 1 - MathF.Pow(10, -od));
        absorbed = GaussianFilter.Smooth(absorbed, width, height, settings.Smoothing / settings.Mpp);
        float[] contrast = GaussianFilter.Smooth(absorbed, width, height, settings.Surroundings / settings.Mpp);
        for (int i = 0; i < contrast.Length; i++) contrast[i] = absorbed[i] - contrast[i];
        return (absorbed, contrast);
    }

    /// <summary>Distance in pixels beyond which a pixel does not change the contrast of another.</summary>
    public static int ContrastReach(NucleusDetection settings) =>
        GaussianFilter.Radius(settings.Smoothing / settings.Mpp) + GaussianFilter.Radius(settings.Surroundings / settings.Mpp);
}
