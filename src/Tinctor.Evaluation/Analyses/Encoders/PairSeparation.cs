using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Analyses.Encoders;

/// <summary>Separation of pairs from unpaired patches by a similarity.</summary>
/// <param name="Paired">Similarities of pairs.</param>
/// <param name="Unpaired">Similarities of as many unpaired patches.</param>
/// <param name="Threshold">
/// Similarity above which patches count as a pair: the midpoint between two similarities with the best accuracy.
/// </param>
/// <param name="Accuracy">Share of couples that the threshold classifies correctly.</param>
/// <param name="Roc">The curve over all thresholds.</param>
internal sealed record PairSeparation(
    IReadOnlyList<double> Paired, IReadOnlyList<double> Unpaired, double Threshold, double Accuracy, Roc Roc)
{
    /// <summary>Finds the best threshold.</summary>
    /// <param name="paired">Similarities of paired patches, at least one.</param>
    /// <param name="unpaired">Similarities of unpaired patches, at least one.</param>
    public static PairSeparation Compute(IReadOnlyList<double> paired, IReadOnlyList<double> unpaired)
    {
        Roc roc = Roc.Compute([.. paired, .. unpaired], [.. paired.Select(_ => true), .. unpaired.Select(_ => false)])
            ?? throw new ArgumentException("pairs and others are needed");
        double Accuracy(RocPoint point) =>
            ((point.TruePositiveRate * paired.Count) + ((1 - point.FalsePositiveRate) * unpaired.Count)) / (paired.Count + unpaired.Count);
        // The first point classifies nothing as a pair and has no threshold.
        int best = Enumerable.Range(1, roc.Points.Count - 1).MaxBy(i => Accuracy(roc.Points[i]));
        double at = roc.Points[best].Threshold, below = best + 1 < roc.Points.Count ? roc.Points[best + 1].Threshold : at;
        return new(paired, unpaired, (at + below) / 2, Accuracy(roc.Points[best]), roc);
    }

    /// <summary>
    /// Creates a random permutation that moves every item: a single cycle (Sattolo 1986). At least two items.
    /// </summary>
    public static int[] Derangement(int count, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 2);
        var random = new Random(seed);
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int j = random.Next(i);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}
