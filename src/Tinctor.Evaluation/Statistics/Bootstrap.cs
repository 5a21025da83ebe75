namespace Tinctor.Evaluation.Statistics;

/// <summary>
/// Percentile bootstrap of means (Efron and Tibshirani 1993, chapter 13). Units are drawn with replacement: slides if they are known, as
/// images of a slide are not independent; otherwise images. All intervals of a bootstrap share their samples.
/// </summary>
public sealed class Bootstrap
{
    private readonly int[] unitOf;

    /// <summary>Prepares a bootstrap.</summary>
    /// <param name="slideIds">The slide of each image; images are resampled by themselves where any of them is null.</param>
    /// <param name="resamples">Number of resamples, at least 100.</param>
    /// <param name="confidence">Coverage of the intervals, in (0, 1).</param>
    /// <param name="seed">Seed of the draws.</param>
    public Bootstrap(IReadOnlyList<string?> slideIds, int resamples = 2000, double confidence = 0.95, int seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 100);
        if (confidence is <= 0 or >= 1)
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "must lie between 0 and 1");
        (Resamples, Confidence, Seed) = (resamples, confidence, seed);
        BySlide = slideIds.Count > 0 && slideIds.All(id => id is not null);
        if (BySlide)
        {
            string[] names = [.. slideIds.Select(id => id!).Distinct()];
            var index = names.Select((name, i) => (name, i)).ToDictionary(x => x.name, x => x.i);
            unitOf = [.. slideIds.Select(id => index[id!])];
            Units = names.Length;
        }
        else
        {
            unitOf = [.. Enumerable.Range(0, slideIds.Count)];
            Units = slideIds.Count;
        }
    }

    /// <summary>Number of resamples.</summary>
    public int Resamples { get; }

    /// <summary>Coverage of the intervals.</summary>
    public double Confidence { get; }

    /// <summary>Seed of the draws.</summary>
    public int Seed { get; }

    /// <summary>Whether slides are resampled, else images.</summary>
    public bool BySlide { get; }

    /// <summary>Unit of resampling: slide or image.</summary>
    public string Unit => BySlide ? "slide" : "image";

    /// <summary>Number of units that are resampled: slides or images.</summary>
    public int Units { get; }

    /// <summary>In words: what is resampled, how often, from which seed.</summary>
    public string Description =>
        $"percentile bootstrap, {Confidence * 100:0.##}% confidence, {Resamples} resamples of {Unit}s (n = {Units}), seed {Seed}";

    /// <summary>The confidence interval of the mean of some images' values.</summary>
    /// <param name="images">Indices of the images.</param>
    /// <param name="values">Values of all images.</param>
    /// <returns>The interval, or null where there are fewer than two units or a number is infinite.</returns>
    public Interval? OfMean(IReadOnlyList<int> images, IReadOnlyList<double> values) => Test(images, values)?.Ci;

    /// <summary>The confidence interval of a mean, and the p-value of the hypothesis that it is zero.</summary>
    /// <param name="images">Indices of the images.</param>
    /// <param name="values">Values of all images; NaN if undefined.</param>
    /// <returns>
    /// Interval and two-sided p-value: twice the smaller share of resampled means on one side of zero, at least 2 / (resamples + 1). Null
    /// for fewer than two units or infinite values.
    /// </returns>
    public (Interval Ci, double P)? Test(IReadOnlyList<int> images, IReadOnlyList<double> values)
    {
        var clusters = Clusters(images, values);
        if (clusters.Count < 2 || clusters.Any(c => !double.IsFinite(c.Sum)))
            return null;
        double[] means = Means([.. clusters]);
        Array.Sort(means);
        double tail = (1 - Confidence) / 2;
        int rarer = Math.Min(means.Count(m => m <= 0), means.Count(m => m >= 0));
        return (new(SampleStatistics.Quantile(means, tail), SampleStatistics.Quantile(means, 1 - tail)),
            Math.Min(1, 2 * (rarer + 1) / (double)(means.Length + 1)));
    }

    /// <summary>The mean of each unit (slide or image), for tests that take units as independent.</summary>
    public IReadOnlyList<double> UnitMeans(IReadOnlyList<int> images, IReadOnlyList<double> values) =>
        [.. Clusters(images, values).Select(c => c.Sum / c.Count)];

    private List<(double Sum, int Count)> Clusters(IReadOnlyList<int> images, IReadOnlyList<double> values)
    {
        var sums = new Dictionary<int, (double Sum, int Count)>();
        foreach (int i in images.Where(i => !double.IsNaN(values[i])))
        {
            var (sum, count) = sums.GetValueOrDefault(unitOf[i]);
            sums[unitOf[i]] = (sum + values[i], count + 1);
        }
        return [.. sums.OrderBy(s => s.Key).Select(s => s.Value)];
    }

    private double[] Means((double Sum, int Count)[] clusters)
    {
        var random = new Random(Seed);
        var means = new double[Resamples];
        for (int r = 0; r < means.Length; r++)
        {
            double sum = 0;
            long count = 0;
            for (int k = 0; k < clusters.Length; k++)
            {
                var (clusterSum, clusterCount) = clusters[random.Next(clusters.Length)];
                sum += clusterSum;
                count += clusterCount;
            }
            means[r] = sum / count;
        }
        return means;
    }
}
