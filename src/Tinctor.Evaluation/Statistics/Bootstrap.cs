namespace Tinctor.Evaluation.Statistics;

/// <summary>
/// Percentile bootstrap of means (Efron and Tibshirani 1993, chapter 13). Units are drawn with replacement: whole slides where slides are
/// known, since tiles of one slide are not independent, else images. All intervals of one bootstrap share their draws.
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

    /// <summary>What is resampled: slide or image.</summary>
    public string Unit => BySlide ? "slide" : "image";

    /// <summary>Number of units that are resampled: slides or images.</summary>
    public int Units { get; }

    /// <summary>In words: what is resampled, how often, from which seed.</summary>
    public string Description =>
        $"percentile bootstrap, {Confidence * 100:0.##}% confidence, {Resamples} resamples of {Unit}s (n = {Units}), seed {Seed}";

    /// <summary>The confidence interval of the mean of some images' values.</summary>
    /// <param name="images">Which images, by index.</param>
    /// <param name="values">One number an image, over all images.</param>
    /// <returns>The interval, or null where there are fewer than two units or a number is not finite.</returns>
    public Interval? OfMean(IReadOnlyList<int> images, IReadOnlyList<double> values)
    {
        var sums = new Dictionary<int, (double Sum, int Count)>();
        foreach (int i in images)
        {
            var (sum, count) = sums.GetValueOrDefault(unitOf[i]);
            sums[unitOf[i]] = (sum + values[i], count + 1);
        }
        if (sums.Count < 2 || sums.Values.Any(s => !double.IsFinite(s.Sum)))
            return null;
        double[] means = Means([.. sums.OrderBy(s => s.Key).Select(s => s.Value)]);
        Array.Sort(means);
        double tail = (1 - Confidence) / 2;
        return new(Summary.Quantile(means, tail), Summary.Quantile(means, 1 - tail));
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
