using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation;

/// <summary>
/// Paired tests between methods by one metric: Wilcoxon's signed-rank test over slides or images, and the paired bootstrap.
/// </summary>
internal static class PairedTests
{
    /// <summary>Whether equal signs of all differences would be significant.</summary>
    public static bool ArePossible(Bootstrap bootstrap) => Wilcoxon.SmallestP(bootstrap.Units) < 1 - bootstrap.Confidence;

    /// <summary>Tests each couple of methods; p-values of Wilcoxon's test are adjusted over the couples (Holm).</summary>
    /// <param name="metric">Key of the metric.</param>
    /// <param name="couples">Keys of both methods, and A's advantage for each image; NaN where it is undefined.</param>
    /// <param name="bootstrap">Resampling of the images.</param>
    public static IEnumerable<Comparison> Run(
        string metric, IReadOnlyList<(string A, string B, double[] Differences)> couples, Bootstrap bootstrap)
    {
        bool tested = ArePossible(bootstrap);
        var results = couples.Select(couple =>
        {
            int[] all = [.. Enumerable.Range(0, couple.Differences.Length)];
            double[] defined = [.. couple.Differences.Where(d => !double.IsNaN(d))];
            return (couple.A, couple.B, defined.Length, Mean: defined.Length == 0 ? double.NaN : defined.Average(),
                Bootstrap: bootstrap.Test(all, couple.Differences),
                Wilcoxon: tested ? Wilcoxon.SignedRank(bootstrap.UnitMeans(all, couple.Differences)) : null);
        }).ToArray();
        double?[] adjusted = Holm.Adjust([.. results.Select(r => r.Wilcoxon)]);
        return results.Select((r, i) => new Comparison(r.A, r.B, metric, r.Length, r.Mean, r.Bootstrap?.Ci,
            r.Wilcoxon, tested ? r.Bootstrap?.P : null, adjusted[i], adjusted[i] < 1 - bootstrap.Confidence));
    }
}
