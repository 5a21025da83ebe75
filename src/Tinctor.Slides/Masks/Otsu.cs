namespace Tinctor.Slides.Masks;

/// <summary>Otsu's threshold between two classes of numbers.</summary>
internal static class Otsu
{
    /// <summary>
    /// Computes the threshold with the largest variance between classes from a histogram of 256 bins (Otsu 1979). Returns the number
    /// itself if all are equal.
    /// </summary>
    public static float Threshold(ReadOnlySpan<float> values)
    {
        (float low, float high) = (float.PositiveInfinity, float.NegativeInfinity);
        foreach (float value in values) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        var histogram = new OtsuHistogram(low, high);
        foreach (float value in values) histogram.Add(value);
        return histogram.Threshold();
    }
}

/// <summary>Histogram of numbers that are not in memory together, for Otsu's threshold.</summary>
/// <param name="low">The smallest number.</param>
/// <param name="high">The largest number.</param>
internal sealed class OtsuHistogram(float low, float high)
{
    private const int Bins = 256;
    private readonly double[] counts = new double[Bins];

    /// <summary>Adds a number of the range.</summary>
    public void Add(float value)
    {
        if (high > low) counts[Math.Min(Bins - 1, (int)((value - low) / (high - low) * Bins))]++;
    }

    /// <summary>Computes the threshold with the largest variance between classes; the largest number if all are equal.</summary>
    public float Threshold()
    {
        if (!(high > low)) return high;
        double total = counts.Sum(), sum = 0, below = 0, sumBelow = 0, best = -1;
        for (int i = 0; i < Bins; i++) sum += i * counts[i];
        int split = 0;
        for (int i = 0; i < Bins - 1; i++)
        {
            below += counts[i];
            sumBelow += i * counts[i];
            if (below == 0 || below == total) continue;
            double difference = (sumBelow / below) - ((sum - sumBelow) / (total - below));
            double between = below * (total - below) * difference * difference;
            if (between > best) (best, split) = (between, i);
        }
        return low + ((split + 1) * (high - low) / Bins);
    }
}
