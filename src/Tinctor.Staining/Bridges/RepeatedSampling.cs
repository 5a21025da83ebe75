using System.Numerics;

namespace Tinctor.Staining.Bridges;

/// <summary>
/// Runs a sampler several times on the same source: averaging lessens the variance, and the standard deviation shows where the bridge is
/// uncertain.
/// </summary>
public static class RepeatedSampling
{
    /// <summary>
    /// Computes the mean of all runs and the standard deviation over them (n - 1 in the denominator; 0 for one run), both of a run's
    /// length.
    /// Only one run is held at a time.
    /// </summary>
    /// <param name="samples">Number of runs.</param>
    /// <param name="sample">Computes one run by its number; each has noise of its own.</param>
    public static (T[] Mean, T[] Deviation) Run<T>(int samples, Func<int, T[]> sample)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        T[] mean = [.. sample(0)], squares = new T[mean.Length];
        for (int run = 1; run < samples; run++)
        {
            // Welford 1962: exact for many runs of nearly the same value.
            T[] image = sample(run);
            T share = T.CreateChecked(1.0 / (run + 1));
            for (int i = 0; i < mean.Length; i++)
            {
                T difference = image[i] - mean[i];
                mean[i] = T.FusedMultiplyAdd(difference, share, mean[i]);
                squares[i] += difference * (image[i] - mean[i]);
            }
        }
        T count = T.CreateChecked(Math.Max(samples - 1, 1));
        return (mean, Array.ConvertAll(squares, square => T.Sqrt(square / count)));
    }
}
