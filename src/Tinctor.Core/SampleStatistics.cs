namespace Tinctor.Core;

/// <summary>Statistics of samples of numbers, with the definitions of NumPy.</summary>
internal static class SampleStatistics
{
    /// <summary>Quantile with linear interpolation between neighbours, as NumPy's default.</summary>
    /// <param name="sorted">Numbers in ascending order, at least one.</param>
    /// <param name="q">From 0 (smallest) to 1 (largest).</param>
    /// <exception cref="ArgumentException">There is no number, or <paramref name="q"/> is out of range.</exception>
    public static double Quantile(ReadOnlySpan<double> sorted, double q)
    {
        if (sorted.IsEmpty) throw new ArgumentException("the quantile of no numbers is undefined", nameof(sorted));
        if (q is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(q), q, "must be from 0 to 1");
        double position = q * (sorted.Length - 1);
        int below = (int)position;
        double fraction = position - below;
        // Infinite neighbours have no difference.
        return fraction == 0 ? sorted[below] : sorted[below] + (fraction * (sorted[below + 1] - sorted[below]));
    }

    /// <summary>Median of numbers in any order, at least one; the mean of the middle two for an even count.</summary>
    /// <exception cref="ArgumentException">There is no number.</exception>
    public static double Median(IEnumerable<double> values) => Quantile([.. values.Order()], 0.5);

    /// <summary>Pearson's correlation coefficient, -1 to 1; NaN if either sample does not vary.</summary>
    /// <exception cref="ArgumentException">The samples differ in length.</exception>
    public static double Pearson(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        if (x.Count != y.Count) throw new ArgumentException($"x has {x.Count} numbers, y has {y.Count}", nameof(y));
        double meanX = x.DefaultIfEmpty(double.NaN).Average(), meanY = y.DefaultIfEmpty(double.NaN).Average(), xx = 0, yy = 0, xy = 0;
        for (int i = 0; i < x.Count; i++)
        {
            double dx = x[i] - meanX, dy = y[i] - meanY;
            (xx, yy, xy) = (xx + (dx * dx), yy + (dy * dy), xy + (dx * dy));
        }
        return xx > 0 && yy > 0 ? xy / Math.Sqrt(xx * yy) : double.NaN;
    }
}
