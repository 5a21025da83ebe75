namespace Tinctor.Evaluation.Statistics;

/// <summary>Agreement of two measurements of the same objects; both lists have the same order and unit.</summary>
internal static class Agreement
{
    /// <summary>Spearman's rank correlation: Pearson's of the ranks, where equal numbers share their mean rank.</summary>
    public static double Spearman(IReadOnlyList<double> x, IReadOnlyList<double> y) => SampleStatistics.Pearson(Ranks(x), Ranks(y));

    /// <summary>
    /// Lin's concordance correlation (Lin 1989), 2 cov / (var x + var y + (mean x - mean y)^2) with divisor n: Pearson's
    /// correlation, reduced by shift and scale. NaN if both are the same constant.
    /// </summary>
    public static double Concordance(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        Moments m = Moments.Compute(x, y);
        double shift = m.MeanX - m.MeanY;
        return 2 * m.Covariance / (m.VarianceX + m.VarianceY + (shift * shift));
    }

    /// <summary>Ranks from 1; equal numbers share their mean rank.</summary>
    public static double[] Ranks(IReadOnlyList<double> values)
    {
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(i => values[i])];
        var ranks = new double[values.Count];
        for (int start = 0, end; start < order.Length; start = end)
        {
            for (end = start + 1; end < order.Length && values[order[end]].Equals(values[order[start]]);) end++;
            for (int i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2.0;
        }
        return ranks;
    }

    // Divisor n as in Lin 1989.
    private readonly record struct Moments(double MeanX, double MeanY, double VarianceX, double VarianceY, double Covariance)
    {
        public static Moments Compute(IReadOnlyList<double> x, IReadOnlyList<double> y)
        {
            if (x.Count != y.Count) throw new ArgumentException($"{x.Count} and {y.Count} numbers are no pairs");
            if (x.Count == 0) return new(double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);
            double meanX = x.Average(), meanY = y.Average(), xx = 0, yy = 0, xy = 0;
            for (int i = 0; i < x.Count; i++)
            {
                double dx = x[i] - meanX, dy = y[i] - meanY;
                (xx, yy, xy) = (xx + (dx * dx), yy + (dy * dy), xy + (dx * dy));
            }
            return new(meanX, meanY, xx / x.Count, yy / x.Count, xy / x.Count);
        }
    }
}

/// <summary>Bias and limits of agreement (Bland and Altman 1986, 1999): the differences measured - reference.</summary>
/// <param name="N">Number of pairs.</param>
/// <param name="Bias">Mean difference.</param>
/// <param name="Sd">Standard deviation of the differences, divisor n - 1.</param>
/// <param name="Lower">Bias - 1.96 Sd: 95% of differences are expected above it.</param>
/// <param name="Upper">Bias + 1.96 Sd.</param>
/// <param name="BiasCi">Confidence interval of the bias: t Sd / sqrt(n) to each side.</param>
/// <param name="LowerCi">Confidence interval of the lower limit: t Sd sqrt(1/n + 1.96^2 / (2 (n - 1))) to each side.</param>
/// <param name="UpperCi">Confidence interval of the upper limit.</param>
internal sealed record BlandAltman(
    int N, double Bias, double Sd, double Lower, double Upper, Interval BiasCi, Interval LowerCi, Interval UpperCi)
{
    private const double Normal = 1.959963984540054;

    /// <summary>Computes bias and limits; null for fewer than two pairs.</summary>
    /// <param name="measured">Evaluated measurements.</param>
    /// <param name="reference">Reference measurements.</param>
    /// <param name="confidence">Coverage of the intervals, in (0, 1).</param>
    public static BlandAltman? Compute(IReadOnlyList<double> measured, IReadOnlyList<double> reference, double confidence = 0.95)
    {
        if (measured.Count != reference.Count) throw new ArgumentException($"{measured.Count} and {reference.Count} numbers are no pairs");
        int n = measured.Count;
        if (n < 2) return null;
        double[] differences = [.. measured.Zip(reference, (m, r) => m - r)];
        double bias = differences.Average(), sd = Math.Sqrt(differences.Sum(d => (d - bias) * (d - bias)) / (n - 1));
        double t = StudentT.Quantile(confidence, n - 1);
        double ofBias = t * sd / Math.Sqrt(n), ofLimit = t * sd * Math.Sqrt((1.0 / n) + (Normal * Normal / (2.0 * (n - 1))));
        double lower = bias - (Normal * sd), upper = bias + (Normal * sd);
        return new(n, bias, sd, lower, upper, Around(bias, ofBias), Around(lower, ofLimit), Around(upper, ofLimit));
    }

    private static Interval Around(double value, double half) => new(value - half, value + half);
}
