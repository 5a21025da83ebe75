using System.Numerics.Tensors;
using Tinctor.Evaluation.Features;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Kernel Inception distance (KID; Bińkowski et al. 2018): the unbiased squared maximum mean discrepancy with the kernel
/// (x·y / D + 1)^3, lower is better, about 0 (also negative) for sets of the same distribution. Averaged over random subsets as in the
/// authors' code.
/// </summary>
internal static class KernelDistance
{
    /// <summary>Subsets that the mean is taken over.</summary>
    public const int Subsets = 100;

    /// <summary>The most vectors in a subset.</summary>
    public const int SubsetSize = 1000;

    private const int Rows = 256;

    /// <summary>Mean and standard deviation (divisor n, as NumPy's) over seeded subsets of two sets [N, D] and [M, D].</summary>
    public static (double Mean, double Std) Compute(FeatureMatrix first, FeatureMatrix second, int seed)
    {
        int size = Math.Min(SubsetSize, Math.Min(first.Rows, second.Rows));
        var random = new Random(seed);
        FeatureMatrix ofFirst = NoRows(first), ofSecond = NoRows(second);
        for (int subset = 0; subset < Subsets; subset++)
        {
            Choose(random, ofFirst, subset, size);
            Choose(random, ofSecond, subset, size);
        }
        double[] values = MmdSquared(first, second, ofFirst, ofSecond, size, size);
        double mean = values.Average();
        return (mean, Math.Sqrt(values.Average(v => (v - mean) * (v - mean))));

        static FeatureMatrix NoRows(FeatureMatrix set) => new(Subsets, set.Rows, new double[Subsets * set.Rows]);
    }

    /// <summary>The unbiased estimate for two sets of at least two vectors.</summary>
    public static double MmdSquared(FeatureMatrix first, FeatureMatrix second) =>
        MmdSquared(first, second, AllRows(first), AllRows(second), first.Rows, second.Rows)[0];

    private static FeatureMatrix AllRows(FeatureMatrix set) => new(1, set.Rows, [.. Enumerable.Repeat(1.0, set.Rows)]);

    // Subsets are matrices [subset, row of the set] of ones and zeros. All kernels are computed once, whatever subsets they are in.
    private static double[] MmdSquared(FeatureMatrix first, FeatureMatrix second, FeatureMatrix ofFirst, FeatureMatrix ofSecond,
        double n, double m)
    {
        double[] withinFirst = Sums(first, first, ofFirst, ofFirst), withinSecond = Sums(second, second, ofSecond, ofSecond);
        double[] between = Sums(first, second, ofFirst, ofSecond);
        return [.. between.Select((sum, i) =>
            (withinFirst[i] / (n * (n - 1))) + (withinSecond[i] / (m * (m - 1))) - (2 * sum / (n * m)))];
    }

    // Sum of the kernels of each subset. The diagonal, where a vector is compared with itself, is left out.
    private static double[] Sums(FeatureMatrix x, FeatureMatrix y, FeatureMatrix ofX, FeatureMatrix ofY)
    {
        var sums = new double[ofX.Rows];
        for (int start = 0; start < x.Rows; start += Rows)
        {
            int count = Math.Min(Rows, x.Rows - start);
            FeatureMatrix kernels = x.RowsTimesTransposed(start, count, y);
            Parallel.For(0, count, i =>
            {
                Span<double> row = kernels.Row(i);
                TensorPrimitives.Divide(row, x.Columns, row);
                TensorPrimitives.Add(row, 1, row);
                foreach (ref double value in row) value = value * value * value;
                if (x == y) row[start + i] = 0;
            });
            FeatureMatrix bySubset = kernels.TimesTransposed(ofY);
            for (int i = 0; i < count; i++)
                for (int subset = 0; subset < sums.Length; subset++) sums[subset] += bySubset[i, subset] * ofX[subset, start + i];
        }
        return sums;
    }

    private static void Choose(Random random, FeatureMatrix subsets, int subset, int size)
    {
        int[] order = [.. Enumerable.Range(0, subsets.Columns)];
        random.Shuffle(order);
        foreach (int row in order.AsSpan(0, size)) subsets.Row(subset)[row] = 1;
    }
}
