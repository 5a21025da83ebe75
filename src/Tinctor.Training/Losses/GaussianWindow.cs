using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>Normalised Gaussian weights, for SSIM and image pyramids.</summary>
internal static class GaussianWindow
{
    /// <summary>Computes weights [size, size] with the sum 1, float64 on the CPU.</summary>
    /// <param name="size">Side of the window in pixels, odd.</param>
    /// <param name="sigma">Standard deviation in pixels.</param>
    public static Tensor Create(int size, double sigma)
    {
        double[] weights = [.. Enumerable.Range(-size / 2, size).Select(i => Math.Exp(-i * i / (2 * sigma * sigma)))];
        double sum = weights.Sum();
        Tensor line = torch.tensor(Array.ConvertAll(weights, weight => weight / sum), size);
        return line.outer(line);
    }
}
