using Tinctor.Slides.Masks;

namespace Tinctor.Measurement.Ihc;

/// <summary>Numbers of cells by staining intensity, without those below 1+.</summary>
/// <param name="Weak">1+.</param>
/// <param name="Moderate">2+.</param>
/// <param name="Strong">3+.</param>
internal readonly record struct StainedCells(int Weak, int Moderate, int Strong)
{
    /// <summary>Number of stained cells.</summary>
    public int Positive => Weak + Moderate + Strong;

    /// <summary>Weak + 2 moderate + 3 strong: the H-score, once divided by the hundredth of all cells.</summary>
    public int Weighted => Weak + (2 * Moderate) + (3 * Strong);

    /// <summary>Adds counts.</summary>
    public static StainedCells operator +(StainedCells a, StainedCells b) =>
        new(a.Weak + b.Weak, a.Moderate + b.Moderate, a.Strong + b.Strong);

    /// <summary>Counts a cell with a mean density.</summary>
    public static StainedCells Compute(double density, IhcSettings settings) =>
        density >= settings.Strong ? new(0, 0, 1) : density >= settings.Moderate ? new(0, 1, 0) : density >= settings.Weak ? new(1, 0, 0)
        : default;
}

/// <summary>
/// Sums over an image, whose ratios are the IHC quantities; sums over the images of a slide yield the quantities of the slide.
/// </summary>
/// <param name="Area">All pixels, in square millimetres.</param>
/// <param name="Tissue">Pixels of tissue.</param>
/// <param name="TissueDensity">Sum of their DAB densities.</param>
/// <param name="Positive">Tissue pixels that are DAB-positive.</param>
/// <param name="PositiveDensity">Sum of their DAB densities.</param>
/// <param name="Nuclei">Nuclei.</param>
/// <param name="StainedNuclei">Nuclei by the mean density within them.</param>
/// <param name="Rings">Nuclei that have a ring.</param>
/// <param name="StainedRings">Rings by their mean density.</param>
/// <param name="RingPixels">Pixels of all rings.</param>
/// <param name="PositiveRingPixels">Those that are DAB-positive.</param>
internal readonly record struct IhcCounts(double Area, long Tissue, double TissueDensity, long Positive, double PositiveDensity, int Nuclei,
    StainedCells StainedNuclei, int Rings, StainedCells StainedRings, long RingPixels, long PositiveRingPixels)
{
    /// <summary>The quantities, each as a ratio of sums; NaN where the divisor is 0.</summary>
    /// <param name="settings">The thresholds, for the definitions.</param>
    public static IReadOnlyList<(Quantity Quantity, Func<IhcCounts, double> Value)> Quantities(IhcSettings settings)
    {
        string F(double value) => value.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture);
        string positive = $"DAB density of at least {F(settings.PositiveDensity)}";
        string score = $"% weak + 2 x % moderate + 3 x % strong, 0 to 300; weak, moderate and strong from a mean DAB density of "
            + $"{F(settings.Weak)}, {F(settings.Moderate)} and {F(settings.Strong)}";
        string ring = $"the ring of {F(settings.Ring)} um around a nucleus, each pixel belonging to the nearest nucleus";
        string tissue = $"tissue (haematoxylin + DAB density of at least {F(settings.TissueDensity)})";
        return
        [
            (new("dab_area", "DAB-positive area", "% of tissue", 2, $"pixels of {tissue} with a {positive}"),
                c => 100.0 * c.Positive / c.Tissue),
            (new("dab_density", "Mean DAB density", "OD", 4, $"mean DAB density over {tissue}"), c => c.TissueDensity / c.Tissue),
            (new("dab_density_positive", "Mean DAB density where positive", "OD", 4, $"mean DAB density over tissue with a {positive}"),
                c => c.PositiveDensity / c.Positive),
            (new("positive_nuclei", "Positive nuclei (Ki67 index)", "%", 2,
                    $"nuclei with a mean DAB density of at least {F(settings.Weak)}, of all nuclei"),
                c => 100.0 * c.StainedNuclei.Positive / c.Nuclei),
            (new("h_score_nuclei", "H-score of nuclei", "", 1, $"{score}; mean over a nucleus"),
                c => 100.0 * c.StainedNuclei.Weighted / c.Nuclei),
            (new("h_score_membrane", "H-score of membranes", "", 1, $"{score}; mean over {ring}"),
                c => 100.0 * c.StainedRings.Weighted / c.Rings),
            (new("membrane_positive", "Positive membrane", "%", 2, $"pixels with a {positive}, of all pixels in {ring}"),
                c => 100.0 * c.PositiveRingPixels / c.RingPixels),
            (new("nuclei_density", "Nuclei", "1/mm²", 0, "nuclei by area of the image"), c => c.Nuclei / c.Area),
        ];
    }

    /// <summary>Measures an image, or a part of it.</summary>
    /// <param name="image">The image.</param>
    /// <param name="nuclei">Nuclei of the image, of the same size.</param>
    /// <param name="settings">Thresholds of staining.</param>
    /// <param name="pixels">Pixels that count, [height, width]; null for all.</param>
    /// <param name="counted">Nuclei that count, by label, with all of their pixels and rings; null for all.</param>
    public static IhcCounts Compute(
        StainDensities image, LabelMap nuclei, IhcSettings settings, bool[]? pixels = null, bool[]? counted = null)
    {
        long all = pixels is null ? image.Dab.Length : pixels.LongCount(inside => inside);
        double area = all * settings.Mpp * settings.Mpp / 1e6;
        long tissue = 0, positive = 0;
        double density = 0, positiveDensity = 0;
        ReadOnlySpan<float> haematoxylin = image.Haematoxylin, dabs = image.Dab;
        for (int i = 0; i < dabs.Length; i++)
        {
            if (pixels is not null && !pixels[i]) continue;
            float dab = dabs[i];
            if (haematoxylin[i] + dab < settings.TissueDensity) continue;
            tissue++;
            density += dab;
            if (dab < settings.PositiveDensity) continue;
            positive++;
            positiveDensity += dab;
        }
        int[] rings = RingsAround(nuclei, settings.Ring / settings.Mpp);
        (int cells, StainedCells stained, _, _) = Cells(nuclei.Labels, nuclei.Count, image.Dab, settings, counted);
        (int withRing, StainedCells stainedRings, long ringPixels, long positivePixels) =
            Cells(rings, nuclei.Count, image.Dab, settings, counted);
        return new(area, tissue, density, positive, positiveDensity, cells, stained, withRing, stainedRings,
            ringPixels, positivePixels);
    }

    /// <summary>Adds counts.</summary>
    public static IhcCounts operator +(IhcCounts a, IhcCounts b) => new(a.Area + b.Area, a.Tissue + b.Tissue,
        a.TissueDensity + b.TissueDensity, a.Positive + b.Positive, a.PositiveDensity + b.PositiveDensity, a.Nuclei + b.Nuclei,
        a.StainedNuclei + b.StainedNuclei, a.Rings + b.Rings, a.StainedRings + b.StainedRings, a.RingPixels + b.RingPixels,
        a.PositiveRingPixels + b.PositiveRingPixels);

    /// <summary>Pixels outside of the nuclei and within a distance of one, labelled by the nearest.</summary>
    private static int[] RingsAround(LabelMap nuclei, double width)
    {
        DistanceTransform distance = DistanceTransform.To(nuclei.Mask(), nuclei.Width, nuclei.Height);
        var rings = new int[nuclei.Labels.Length];
        for (int i = 0; i < rings.Length; i++)
        {
            if (distance.Squared[i] > 0 && distance.Squared[i] <= width * width) rings[i] = nuclei.Labels[distance.Nearest[i]];
        }
        return rings;
    }

    private static (int Cells, StainedCells Stained, long Pixels, long Positive) Cells(
        int[] labels, int count, float[] dab, IhcSettings settings, bool[]? counted)
    {
        var (sums, pixels) = (new double[count + 1], new int[count + 1]);
        long positive = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] == 0 || counted is { } chosen && !chosen[labels[i]]) continue;
            sums[labels[i]] += dab[i];
            pixels[labels[i]]++;
            if (dab[i] >= settings.PositiveDensity) positive++;
        }
        int[] present = [.. Enumerable.Range(1, count).Where(label => pixels[label] > 0)];
        StainedCells stained = present.Aggregate(default(StainedCells),
            (all, label) => all + StainedCells.Compute(sums[label] / pixels[label], settings));
        return (present.Length, stained, present.Sum(label => (long)pixels[label]), positive);
    }
}
