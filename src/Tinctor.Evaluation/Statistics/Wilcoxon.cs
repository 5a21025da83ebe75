namespace Tinctor.Evaluation.Statistics;

/// <summary>
/// Two-sided signed-rank test of paired differences (Wilcoxon 1945). Zeros are dropped and ties get their mean rank, as in
/// scipy.stats.wilcoxon. Exact up to 50 differences without ties or zeros; otherwise the normal approximation with tie correction and
/// without continuity correction. SciPy before 1.13 uses the exact distribution for ties too, where it is not valid.
/// </summary>
internal static class Wilcoxon
{
    private const int MostForExact = 50;

    /// <summary>The two-sided p-value, in (0, 1]; null where no difference is other than zero.</summary>
    /// <param name="differences">One difference per unit, not NaN.</param>
    public static double? SignedRank(IReadOnlyList<double> differences)
    {
        double[] values = [.. differences.Where(d => d != 0).OrderBy(Math.Abs)];
        int n = values.Length;
        if (n == 0) return null;
        double positive = 0, tieTerm = 0;
        for (int start = 0, end; start < n; start = end)
        {
            end = start + 1;
            while (end < n && Math.Abs(values[end]).Equals(Math.Abs(values[start]))) end++;
            double rank = (start + 1 + end) / 2.0, ties = end - start;
            tieTerm += (ties * ties * ties) - ties;
            for (int i = start; i < end; i++)
                if (values[i] > 0) positive += rank;
        }
        double statistic = Math.Min(positive, (n * (n + 1) / 2.0) - positive);
        bool exact = n <= MostForExact && tieTerm == 0 && n == differences.Count;
        return exact ? Exact((int)statistic, n) : Normal(statistic, n, tieTerm);
    }

    /// <summary>Smallest p-value that n differences can yield: 2 / 2^n, at most 1.</summary>
    internal static double SmallestP(int n) => Math.Min(1, 2 / Math.Pow(2, n));

    /// <summary>Twice the share of the 2^n sign patterns whose positive ranks sum to at most the statistic.</summary>
    private static double Exact(int statistic, int n)
    {
        // counts[s]: number of subsets of the ranks 1 to n with the sum s; exact in double up to n of 50.
        var counts = new double[(n * (n + 1) / 2) + 1];
        counts[0] = 1;
        for (int rank = 1; rank <= n; rank++)
            for (int sum = counts.Length - 1; sum >= rank; sum--)
                counts[sum] += counts[sum - rank];
        return Math.Min(1, 2 * counts.Take(statistic + 1).Sum() / Math.Pow(2, n));
    }

    private static double Normal(double statistic, int n, double tieTerm)
    {
        double mean = n * (n + 1) / 4.0;
        double variance = ((n * (n + 1.0) * ((2 * n) + 1)) - (tieTerm / 2)) / 24;
        return Math.Min(1, ComplementaryError((mean - statistic) / Math.Sqrt(variance) / Math.Sqrt(2)));
    }

    /// <summary>
    /// erfc(x) for x of at least 0: the series of erf below 2, the continued fraction of Lentz above (Numerical Recipes 6.2).
    /// </summary>
    private static double ComplementaryError(double x)
    {
        double square = x * x;
        if (x < 2)
        {
            double term = x, sum = x;
            for (int k = 1; Math.Abs(term) > 1e-17 * Math.Abs(sum); k++)
            {
                term *= -square / k;
                sum += term / ((2 * k) + 1);
            }
            return 1 - (2 / Math.Sqrt(Math.PI) * sum);
        }
        double fraction = 0;
        for (int k = 60; k >= 1; k--) fraction = k / 2.0 / (x + fraction);
        return Math.Exp(-square) / Math.Sqrt(Math.PI) / (x + fraction);
    }
}
