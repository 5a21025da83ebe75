using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Analyses.Uncertainty;

/// <summary>
/// Joint histogram of uncertainty and error in bins of a quarter of a grey level, so that memory does not grow with the test set. Pixels
/// of a bin are ties in ranks and areas.
/// </summary>
internal sealed class UncertaintyHistogram
{
    /// <summary>Width of a bin in grey levels.</summary>
    public const double BinWidth = 0.25;

    private const int Bins = 1024;

    private readonly long[] counts = new long[Bins * Bins]; // [uncertainty][error]
    private readonly double[] squaredUncertainty = new double[Bins], squaredError = new double[Bins]; // by uncertainty
    private double sumU, sumE, sumUu, sumEe, sumUe;

    /// <summary>Number of pixels.</summary>
    public long Count { get; private set; }

    /// <summary>Mean uncertainty.</summary>
    public double MeanUncertainty => sumU / Count;

    /// <summary>Root mean square error.</summary>
    public double Rmse => Math.Sqrt(sumEe / Count);

    /// <summary>Pearson's correlation of uncertainty and error; null where one of them is constant.</summary>
    public double? Pearson => Correlation(Count, sumU, sumE, sumUu, sumEe, sumUe);

    /// <summary>Counts the pixels of an image.</summary>
    public void Add(ReadOnlySpan<float> uncertainty, ReadOnlySpan<float> error)
    {
        for (int i = 0; i < uncertainty.Length; i++)
        {
            double u = uncertainty[i], e = error[i];
            int row = Bin(u);
            counts[(row * Bins) + Bin(e)]++;
            squaredUncertainty[row] += u * u;
            squaredError[row] += e * e;
            (sumU, sumE, sumUu, sumEe, sumUe) = (sumU + u, sumE + e, sumUu + (u * u), sumEe + (e * e), sumUe + (u * e));
        }
        Count += uncertainty.Length;
    }

    /// <summary>Adds the counts of another histogram.</summary>
    public void Add(UncertaintyHistogram other)
    {
        for (int i = 0; i < counts.Length; i++) counts[i] += other.counts[i];
        for (int i = 0; i < Bins; i++)
        {
            squaredUncertainty[i] += other.squaredUncertainty[i];
            squaredError[i] += other.squaredError[i];
        }
        (sumU, sumE) = (sumU + other.sumU, sumE + other.sumE);
        (sumUu, sumEe, sumUe) = (sumUu + other.sumUu, sumEe + other.sumEe, sumUe + other.sumUe);
        Count += other.Count;
    }

    /// <summary>Spearman's rank correlation, ties at their mean rank; null where one of the two is constant.</summary>
    public double? Spearman()
    {
        double[] u = Ranks(ByUncertainty()), e = Ranks(ByError());
        double su = 0, se = 0, suu = 0, see = 0, sue = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            if (counts[i] == 0) continue;
            double x = u[i / Bins], y = e[i % Bins], n = counts[i];
            (su, se, suu, see, sue) = (su + (n * x), se + (n * y), suu + (n * x * x), see + (n * y * y), sue + (n * x * y));
        }
        return Correlation(Count, su, se, suu, see, sue);
    }

    /// <summary>
    /// Computes the ROC curve of uncertainty as a predictor of the worst pixels, the given share with the largest errors. Null if all
    /// errors are equal.
    /// </summary>
    /// <param name="worst">A share, 0 to 1.</param>
    /// <returns>The curve, and the least error of the worst pixels.</returns>
    public (Roc? Roc, double Threshold) Worst(double worst)
    {
        int first = FromAbove(ByError(), worst);
        var descending = Enumerable.Range(0, Bins).Reverse().Select(row =>
        {
            var own = counts.AsSpan(row * Bins, Bins);
            return (row * BinWidth, Sum(own[first..]), Sum(own[..first]));
        });
        return (Roc.OfCounts(descending), first * BinWidth);
    }

    /// <summary>The uncertainty that a share of the pixels reaches.</summary>
    public double Quantile(double fromAbove) => (FromAbove(ByUncertainty(), fromAbove) + 1) * BinWidth;

    /// <summary>
    /// Groups pixels by uncertainty into groups of about equal size: root mean square uncertainty, root mean square error and count of
    /// each.
    /// </summary>
    public List<(double Uncertainty, double Error, long Count)> Calibration(int groups)
    {
        var curve = new List<(double, double, long)>();
        long[] byUncertainty = ByUncertainty();
        (double u, double e, long n) = (0, 0, 0);
        for (int row = 0; row < Bins; row++)
        {
            (u, e, n) = (u + squaredUncertainty[row], e + squaredError[row], n + byUncertainty[row]);
            if (n == 0 || (n < Count / groups && row < Bins - 1)) continue;
            curve.Add((Math.Sqrt(u / n), Math.Sqrt(e / n), n));
            (u, e, n) = (0, 0, 0);
        }
        return curve;
    }

    private static int Bin(double value) => Math.Min(Bins - 1, (int)(value / BinWidth));

    private long[] ByUncertainty() => [.. Enumerable.Range(0, Bins).Select(row => Sum(counts.AsSpan(row * Bins, Bins)))];

    private long[] ByError()
    {
        var sums = new long[Bins];
        for (int i = 0; i < counts.Length; i++) sums[i % Bins] += counts[i];
        return sums;
    }

    private static long Sum(ReadOnlySpan<long> values)
    {
        long sum = 0;
        foreach (long value in values) sum += value;
        return sum;
    }

    // First bin of those with at least this share of all pixels.
    private int FromAbove(long[] histogram, double share)
    {
        long above = 0;
        int bin = Bins;
        while (bin > 0 && above < share * Count) above += histogram[--bin];
        return bin;
    }

    private static double[] Ranks(long[] histogram)
    {
        var ranks = new double[histogram.Length];
        double below = 0;
        for (int i = 0; i < ranks.Length; below += histogram[i++]) ranks[i] = below + (histogram[i] / 2.0);
        return ranks;
    }

    private static double? Correlation(double n, double x, double y, double xx, double yy, double xy)
    {
        double vx = xx - (x * x / n), vy = yy - (y * y / n), tiny = 1e-12;
        return vx > tiny * xx && vy > tiny * yy ? (xy - (x * y / n)) / Math.Sqrt(vx * vy) : null;
    }
}
