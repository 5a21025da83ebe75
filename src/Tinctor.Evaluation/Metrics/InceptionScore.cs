using Tinctor.Evaluation.Features;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Inception Score (Salimans et al. 2016): exp(E KL(p(y|x) || p(y))), between 1 and the number of classes, higher is better.
/// Measures distinctness and diversity in terms of ImageNet's classes, without the real images. Streaming, float64; splits are contiguous.
/// </summary>
/// <param name="images">Number of images that will be added.</param>
/// <param name="splits">Into how many parts they are cut; 10 in the paper.</param>
internal sealed class InceptionScore(long images, int splits)
{
    private readonly (double[] Sum, double NegativeEntropy, long Count)[] parts = new (double[], double, long)[splits];
    private long seen;

    /// <summary>Adds class probabilities [N, classes].</summary>
    public void Add(FeatureMatrix probabilities)
    {
        for (int i = 0; i < probabilities.Rows; i++, seen++)
        {
            // Split k has images k n / splits to (k + 1) n / splits.
            int part = (int)((((seen + 1) * splits) - 1) / images);
            AddOne(ref parts[part], probabilities.Row(i));
        }
    }

    private static void AddOne(ref (double[] Sum, double NegativeEntropy, long Count) part, ReadOnlySpan<double> p)
    {
        part.Sum ??= new double[p.Length];
        for (int c = 0; c < p.Length; c++)
        {
            part.Sum[c] += p[c];
            if (p[c] > 0) part.NegativeEntropy += p[c] * Math.Log(p[c]);
        }
        part.Count++;
    }

    /// <summary>Mean and standard deviation (divisor n, as NumPy's) over the splits that hold images.</summary>
    public (double Mean, double Std) Result()
    {
        double[] scores = [.. parts.Where(p => p.Count > 0).Select(p =>
        {
            double marginal = p.Sum.Where(s => s > 0).Sum(s => s / p.Count * Math.Log(s / p.Count));
            return Math.Exp((p.NegativeEntropy / p.Count) - marginal);
        })];
        double mean = scores.Average();
        return (mean, Math.Sqrt(scores.Average(s => (s - mean) * (s - mean))));
    }
}
