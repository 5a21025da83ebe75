using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides.Masks;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>
/// Agreement of detected nuclei by position: each nucleus has at most one partner, whose centroid is within a radius; the closest pairs are
/// matched first. Sums over images are counts of the test set.
/// </summary>
/// <param name="Matched">Matched nuclei: true positives.</param>
/// <param name="Extra">Nuclei of the evaluated image without a partner: false positives.</param>
/// <param name="Missed">Nuclei of the reference without a partner: false negatives.</param>
internal readonly record struct DetectionAgreement(int Matched, int Extra, int Missed)
{
    /// <summary>Radius in micrometres: 12 pixels at 0.25 um, as HoVer-Net's evaluation (Graham et al. 2019).</summary>
    public const double Radius = 3;

    /// <summary>Definitions of the columns of <see cref="Table"/>.</summary>
    public static IReadOnlyList<Definition> Definitions { get; } =
    [
        new("Detection F1, precision, recall", FormattableString.Invariant($"nuclei whose centroids are at most {Radius} um apart match, ")
            + "the closest first and each once; F1 = matched / (matched + extra / 2 + missed / 2)"),
        new("Count error", "mean over the images of the absolute difference of the numbers of nuclei"),
    ];

    /// <summary>F1: matched / (matched + extra / 2 + missed / 2); NaN without any nuclei.</summary>
    public double F1 => Matched / (Matched + (0.5 * Extra) + (0.5 * Missed));

    /// <summary>Matched / (matched + extra); NaN without nuclei in the evaluated image.</summary>
    public double Precision => (double)Matched / (Matched + Extra);

    /// <summary>Matched / (matched + missed); NaN without nuclei in the reference.</summary>
    public double Recall => (double)Matched / (Matched + Missed);

    /// <summary>Adds counts.</summary>
    public static DetectionAgreement operator +(DetectionAgreement a, DetectionAgreement b) =>
        new(a.Matched + b.Matched, a.Extra + b.Extra, a.Missed + b.Missed);

    /// <summary>Compares the nuclei of two images.</summary>
    /// <param name="map">Nuclei of the evaluated image.</param>
    /// <param name="reference">Nuclei of the real image.</param>
    /// <param name="radius">Largest distance of matched centroids, in pixels.</param>
    public static DetectionAgreement Compute(LabelMap map, LabelMap reference, double radius)
    {
        (double X, double Y)[] made = map.Centroids(), real = reference.Centroids();
        (bool[] madeUsed, bool[] realUsed) = (new bool[made.Length], new bool[real.Length]);
        int matched = 0;
        foreach ((_, int one, int two) in Candidates(made, real, radius).Order())
        {
            if (madeUsed[one] || realUsed[two]) continue;
            madeUsed[one] = realUsed[two] = true;
            matched++;
        }
        return new(matched, made.Length - matched, real.Length - matched);
    }

    /// <summary>Creates the table with a row for each method.</summary>
    /// <param name="rows">Method, agreement of each image, and mean absolute difference of the counts.</param>
    public static SectionTable Table(IEnumerable<(ScoredMethod Method, DetectionAgreement[] Images, double CountError)> rows) =>
        new("detection", "Detected nuclei; pooled: over all nuclei of the test set at once",
        [
            new("method", "Method"), new("detection_f1", "Detection F1", 3, true), new("detection_f1_pooled", "F1, pooled", 3, true),
            new("detection_precision", "Precision, pooled", 3, true), new("detection_recall", "Recall, pooled", 3, true),
            new("count_error", "Count error", 1, false),
        ],
        [.. rows.Select(row =>
        {
            DetectionAgreement all = row.Images.Aggregate((a, b) => a + b);
            double[] defined = [.. row.Images.Select(image => image.F1).Where(double.IsFinite)];
            return (IReadOnlyList<object?>)[row.Method.Title, Number(defined.Length > 0 ? defined.Average() : double.NaN), Number(all.F1),
                Number(all.Precision), Number(all.Recall), row.CountError];
        })]);

    private static object? Number(double value) => double.IsNaN(value) ? null : value;

    // Centroids of the reference are sorted into squares of the radius, so that only neighbouring squares are searched.
    private static IEnumerable<(double Distance, int Made, int Real)> Candidates((double X, double Y)[] made, (double X, double Y)[] real,
        double radius)
    {
        (int, int) Square((double X, double Y) at) => ((int)Math.Floor(at.X / radius), (int)Math.Floor(at.Y / radius));
        ILookup<(int, int), int> squares = Enumerable.Range(0, real.Length).ToLookup(i => Square(real[i]));
        for (int i = 0; i < made.Length; i++)
        {
            (int x, int y) = Square(made[i]);
            for (int dx = -1; dx <= 1; dx++)
                for (int dy = -1; dy <= 1; dy++)
                    foreach (int k in squares[(x + dx, y + dy)])
                    {
                        double distance = double.Hypot(made[i].X - real[k].X, made[i].Y - real[k].Y);
                        if (distance <= radius) yield return (distance, i, k);
                    }
        }
    }
}
