namespace Tinctor.Evaluation.Statistics;

/// <summary>Summary statistics of a column of numbers.</summary>
/// <param name="N">Number of defined values.</param>
/// <param name="Mean">The arithmetic mean; infinite if any number is; NaN if none is defined.</param>
/// <param name="Std">The sample standard deviation (divisor n - 1); null for n of 1 or infinite numbers.</param>
/// <param name="Median">The median.</param>
/// <param name="Min">The smallest number.</param>
/// <param name="Max">The largest number.</param>
/// <param name="Infinite">Number of infinite values (PSNR of identical images).</param>
/// <param name="Ci">The confidence interval of the mean; null where it is not defined (a single unit, or infinite numbers).</param>
public sealed record Summary(int N, double Mean, double? Std, double Median, double Min, double Max, int Infinite, Interval? Ci)
{
    /// <summary>Summarises numbers.</summary>
    /// <param name="values">The numbers; NaN stands for one that is not defined.</param>
    /// <param name="ci">The confidence interval of their mean.</param>
    public static Summary Compute(IReadOnlyList<double> values, Interval? ci)
    {
        double[] sorted = [.. values.Where(v => !double.IsNaN(v)).Order()];
        if (sorted.Length == 0)
            return new(0, double.NaN, null, double.NaN, double.NaN, double.NaN, 0, null);
        double mean = sorted.Average();
        int infinite = sorted.Count(double.IsInfinity);
        double? std = sorted.Length > 1 && infinite == 0
            ? Math.Sqrt(sorted.Sum(v => (v - mean) * (v - mean)) / (sorted.Length - 1))
            : null;
        return new(sorted.Length, mean, std, SampleStatistics.Quantile(sorted, 0.5), sorted[0], sorted[^1], infinite, ci);
    }
}

/// <summary>A confidence interval.</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public sealed record Interval(double Low, double High);
