namespace Tinctor.Transforms.Landmarks;

/// <summary>
/// Target registration error (TRE) of landmarks, which are not used for the registration. Relative errors (rTRE) are shares of the source's
/// diagonal, scaled to the target.
/// </summary>
/// <param name="Count">Number of pairs of landmarks.</param>
/// <param name="Unmatched">Number of landmarks of either file without a partner; they are left out.</param>
/// <param name="MedianTre">Median TRE in target pixels.</param>
/// <param name="MedianRtre">Median rTRE.</param>
/// <param name="Percentile90Rtre">90th percentile of the rTRE.</param>
/// <param name="MaxRtre">Largest rTRE.</param>
/// <param name="InitialMedianRtre">Median rTRE without registration, with the images scaled to the same width.</param>
/// <param name="Robustness">Share of the landmarks whose error decreased, 0 to 1.</param>
public sealed record LandmarkError(int Count, int Unmatched, double MedianTre, double MedianRtre, double Percentile90Rtre, double MaxRtre,
    double InitialMedianRtre, double Robustness)
{
    /// <summary>
    /// Pairs landmarks: by their numbers or names if all landmarks of both lists have them, by their order otherwise.
    /// </summary>
    /// <exception cref="TinctorException">No landmarks correspond, or lists without numbers differ in length.</exception>
    public static IReadOnlyList<(Landmark Source, Landmark Target)> Match(IReadOnlyList<Landmark> source, IReadOnlyList<Landmark> target)
    {
        if (source.Concat(target).All(landmark => landmark.Id is not null))
        {
            var targets = target.ToDictionary(landmark => landmark.Id!);
            (Landmark, Landmark)[] pairs = [.. source.Where(landmark => targets.ContainsKey(landmark.Id!))
                .Select(landmark => (landmark, targets[landmark.Id!]))];
            return pairs.Length > 0 ? pairs
                : throw new TinctorException(null, $"none of the {source.Count} landmarks of the source has the number of "
                + $"one of the {target.Count} landmarks of the target",
                    "Give corresponding landmarks the same number in their first column");
        }
        if (source.Count != target.Count)
            throw new TinctorException(null, $"the source has {source.Count} landmarks, the target {target.Count}",
                "Corresponding landmarks need the same row, or the same number in their first column");
        return [.. source.Zip(target)];
    }

    /// <summary>Computes the error of a registration.</summary>
    /// <param name="transform">Transform from source to target.</param>
    /// <param name="source">Landmarks of the source.</param>
    /// <param name="target">Landmarks of the target.</param>
    /// <exception cref="TinctorException">The landmarks do not correspond; see <see cref="Match"/>.</exception>
    public static LandmarkError Compute(RegistrationTransform transform, IReadOnlyList<Landmark> source, IReadOnlyList<Landmark> target)
    {
        IReadOnlyList<(Landmark Source, Landmark Target)> pairs = Match(source, target);
        double diagonal = transform.Source.Diagonal * Math.Sqrt(Math.Abs(transform.Affine.Determinant));
        double enlarged = (double)transform.Target.Width / transform.Source.Width;
        double Distance((double X, double Y) a, Landmark b) => double.Hypot(a.X - b.X, a.Y - b.Y) / diagonal;
        double[] before = [.. pairs.Select(pair => Distance((pair.Source.X * enlarged, pair.Source.Y * enlarged), pair.Target))];
        double[] after = [.. pairs.Select(pair => Distance(transform.Apply(pair.Source.X, pair.Source.Y), pair.Target))];
        double[] sorted = [.. after.Order()];
        double median = SampleStatistics.Quantile(sorted, 0.5);
        return new(after.Length, source.Count + target.Count - (2 * after.Length), median * diagonal, median,
            SampleStatistics.Quantile(sorted, 0.9), sorted[^1], SampleStatistics.Median(before),
            after.Zip(before).Count(pair => pair.First < pair.Second) / (double)after.Length);
    }
}
