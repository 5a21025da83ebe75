using Tinctor.Slides.Masks;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>
/// Agreement of instances. Two objects match if their intersection is more than half of their union, so each has at most one match. Sums
/// over images are counts of the test set.
/// </summary>
/// <param name="Matched">Matched objects: true positives.</param>
/// <param name="Extra">Evaluated objects without a match: false positives.</param>
/// <param name="Missed">Objects of the reference without a match: false negatives.</param>
/// <param name="SumIou">Sum of intersection over union over the matched.</param>
/// <param name="AjiIntersection">Numerator of <see cref="Aji"/>.</param>
/// <param name="AjiUnion">Denominator of <see cref="Aji"/>.</param>
internal readonly record struct InstanceAgreement(
    int Matched, int Extra, int Missed, double SumIou, long AjiIntersection, long AjiUnion)
{
    /// <summary>Mean intersection over union of the matched; 0 where none is, NaN where there are no objects at all.</summary>
    public double SegmentationQuality => Matched > 0 ? SumIou / Matched : Objects > 0 ? 0 : double.NaN;

    /// <summary>F1 of the objects: matched / (matched + extra / 2 + missed / 2).</summary>
    public double RecognitionQuality => Matched / (Matched + (0.5 * Extra) + (0.5 * Missed));

    /// <summary>Panoptic quality (Kirillov et al. 2019): segmentation quality x recognition quality; NaN without any objects.</summary>
    public double PanopticQuality => SumIou / (Matched + (0.5 * Extra) + (0.5 * Missed));

    /// <summary>
    /// Aggregated Jaccard index (Kumar et al. 2017): over the objects of the reference, each with the evaluated object of the largest IoU,
    /// the sum of intersections over the sum of unions; unmatched evaluated objects add their area to the latter.
    /// </summary>
    public double Aji => (double)AjiIntersection / AjiUnion;

    private int Objects => Matched + Extra + Missed;

    /// <summary>Adds counts.</summary>
    public static InstanceAgreement operator +(InstanceAgreement a, InstanceAgreement b) => new(a.Matched + b.Matched, a.Extra + b.Extra,
        a.Missed + b.Missed, a.SumIou + b.SumIou, a.AjiIntersection + b.AjiIntersection, a.AjiUnion + b.AjiUnion);

    /// <summary>Compares the objects of two maps of one size.</summary>
    public static InstanceAgreement Compute(LabelMap map, LabelMap reference)
    {
        if ((map.Width, map.Height) != (reference.Width, reference.Height))
            throw new ArgumentException($"{map.Width}x{map.Height} and {reference.Width}x{reference.Height} are no pair");
        int[] areas = map.Areas(), referenceAreas = reference.Areas();
        ILookup<int, (int Object, int Shared, int Union)> overlaps = Overlaps(map, reference, areas, referenceAreas);
        var chosen = new bool[map.Count + 1];
        int matched = 0;
        double sumIou = 0;
        long intersection = 0, union = 0;
        for (int label = 1; label <= reference.Count; label++)
        {
            (int other, int shared, int joint) = overlaps[label].DefaultIfEmpty((Object: 0, Shared: 0, Union: referenceAreas[label]))
                .MaxBy(overlap => (double)overlap.Shared / overlap.Union);
            (intersection, union) = (intersection + shared, union + joint);
            chosen[other] = true;
            if (2 * shared <= joint) continue;
            matched++;
            sumIou += (double)shared / joint;
        }
        for (int other = 1; other <= map.Count; other++)
        {
            if (!chosen[other]) union += areas[other];
        }
        return new(matched, map.Count - matched, reference.Count - matched, sumIou, intersection, union);
    }

    /// <summary>By label of the reference: the objects that share pixels with it, with intersection and union.</summary>
    private static ILookup<int, (int Object, int Shared, int Union)> Overlaps(
        LabelMap map, LabelMap reference, int[] areas, int[] referenceAreas)
    {
        var shared = new Dictionary<(int Reference, int Object), int>();
        for (int i = 0; i < map.Labels.Length; i++)
        {
            (int Reference, int Object) pair = (reference.Labels[i], map.Labels[i]);
            if (pair.Reference > 0 && pair.Object > 0) shared[pair] = shared.GetValueOrDefault(pair) + 1;
        }
        return shared.ToLookup(overlap => overlap.Key.Reference, overlap => (overlap.Key.Object, overlap.Value,
            areas[overlap.Key.Object] + referenceAreas[overlap.Key.Reference] - overlap.Value));
    }
}
