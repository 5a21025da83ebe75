using Tinctor.Torch;

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

    /// <summary>Mean and standard deviation (divisor n, as NumPy's) over seeded subsets of two sets [N, D] and [M, D], float64.</summary>
    public static (double Mean, double Std) Compute(Tensor first, Tensor second, int seed)
    {
        int size = (int)Math.Min(SubsetSize, Math.Min(first.size(0), second.size(0)));
        var random = new Random(seed);
        double[] values = [.. Enumerable.Range(0, Subsets).Select(_ =>
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return MmdSquared(first.index_select(0, Choose(random, first.size(0), size)),
                second.index_select(0, Choose(random, second.size(0), size)));
        })];
        double mean = values.Average();
        return (mean, Math.Sqrt(values.Average(v => (v - mean) * (v - mean))));
    }

    /// <summary>The unbiased estimate for two sets of at least two vectors.</summary>
    public static double MmdSquared(Tensor first, Tensor second)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return WithinMean(first) + WithinMean(second) - (2 * Kernel(first, second).mean().item());
    }

    // The diagonal, where a vector is compared with itself, is left out.
    private static double WithinMean(Tensor x)
    {
        long n = x.size(0);
        Tensor kernel = Kernel(x, x);
        return (kernel.sum().item() - kernel.trace().item()) / (n * (n - 1));
    }

    private static Tensor Kernel(Tensor x, Tensor y) => ((x.mm(y.t()) / x.size(1)) + 1).pow(3);

    private static Tensor Choose(Random random, long count, int size)
    {
        long[] order = [.. Enumerable.Range(0, (int)count).Select(i => (long)i)];
        random.Shuffle(order);
        return torch.tensor<long>(order.AsSpan(0, size), [size]);
    }
}
