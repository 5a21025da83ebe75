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
        const int bins = 256;
        (float low, float high) = (float.PositiveInfinity, float.NegativeInfinity);
        foreach (float value in values) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        if (!(high > low)) return high;
        var histogram = new double[bins];
        foreach (float value in values) histogram[Math.Min(bins - 1, (int)((value - low) / (high - low) * bins))]++;
        double total = values.Length, sum = 0, below = 0, sumBelow = 0, best = -1;
        for (int i = 0; i < bins; i++) sum += i * histogram[i];
        int split = 0;
        for (int i = 0; i < bins - 1; i++)
        {
            below += histogram[i];
            sumBelow += i * histogram[i];
            if (below == 0 || below == total) continue;
            double difference = (sumBelow / below) - ((sum - sumBelow) / (total - below));
            double between = below * (total - below) * difference * difference;
            if (between > best) (best, split) = (between, i);
        }
        return low + ((split + 1) * (high - low) / bins);
    }
}
