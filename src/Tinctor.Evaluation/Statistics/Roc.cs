namespace Tinctor.Evaluation.Statistics;

/// <summary>
/// Receiver operating characteristic of a score that is higher for positive cases (Fawcett, Pattern Recognition Letters 2006). Ties count
/// half, so the area is the Mann-Whitney statistic U / (n1 n0).
/// </summary>
/// <param name="Points">False and true positive rates from (0, 0) to (1, 1), one point a distinct score, the highest score first.</param>
/// <param name="Auroc">Area under the curve, 0 to 1; 0.5 by chance.</param>
internal sealed record Roc(IReadOnlyList<RocPoint> Points, double Auroc)
{
    /// <summary>The curve of scored cases; null unless there are positives and negatives.</summary>
    /// <param name="scores">Score of each case, not NaN.</param>
    /// <param name="positive">Whether each case is positive.</param>
    /// <exception cref="ArgumentException">The lengths differ or a score is NaN.</exception>
    public static Roc? Compute(IReadOnlyList<double> scores, IReadOnlyList<bool> positive)
    {
        if (scores.Count != positive.Count) throw new ArgumentException($"{scores.Count} scores of {positive.Count} cases");
        if (scores.Any(double.IsNaN)) throw new ArgumentException("a score is NaN");
        var counts = Enumerable.Range(0, scores.Count).GroupBy(i => scores[i]).OrderByDescending(group => group.Key)
            .Select(group => (Score: group.Key, Positives: group.LongCount(i => positive[i]), All: group.LongCount()));
        return OfCounts(counts.Select(group => (group.Score, group.Positives, group.All - group.Positives)));
    }

    /// <summary>The curve of counted cases, a count of positives and of negatives for each score; null unless there are both.</summary>
    /// <param name="descending">Distinct scores, the highest first.</param>
    public static Roc? OfCounts(IEnumerable<(double Score, long Positives, long Negatives)> descending)
    {
        var groups = descending.Where(group => group.Positives + group.Negatives > 0).ToArray();
        double positives = groups.Sum(group => (double)group.Positives), negatives = groups.Sum(group => (double)group.Negatives);
        if (positives == 0 || negatives == 0) return null;
        var points = new List<RocPoint> { new(double.PositiveInfinity, 0, 0) };
        double truePositives = 0, falsePositives = 0, area = 0;
        foreach (var (score, more, wrong) in groups)
        {
            area += wrong * (truePositives + (more / 2.0));
            truePositives += more;
            falsePositives += wrong;
            points.Add(new(score, falsePositives / negatives, truePositives / positives));
        }
        return new(points, area / (positives * negatives));
    }
}

/// <summary>A point of the curve.</summary>
/// <param name="Threshold">Cases with at least this score are called positive.</param>
/// <param name="FalsePositiveRate">Share of the negatives that are called positive.</param>
/// <param name="TruePositiveRate">Share of the positives that are called positive.</param>
internal readonly record struct RocPoint(double Threshold, double FalsePositiveRate, double TruePositiveRate);
