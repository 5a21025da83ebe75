using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Differentiable 1 - SSIM (Wang et al. 2004): Gaussian window without padding, 11x11 of sigma 1.5 by default, population covariance,
/// K1 = 0.01, K2 = 0.03; mean over windows, channels and images.
/// </summary>
public static class SsimLoss
{
    /// <summary>Computes the loss, in [0,2], of images [N,C,H,W] as large as the window or more; half types in float32.</summary>
    /// <param name="a">Images.</param>
    /// <param name="b">Images of the same shape.</param>
    /// <param name="range">Difference between white and black: 2 for [-1,1].</param>
    /// <param name="black">Value of black; makes the result independent of the encoding in [-1,1], [0,1] or bytes.</param>
    /// <param name="window">Side of the window in pixels, odd.</param>
    /// <param name="sigma">Standard deviation of the window in pixels.</param>
    public static Tensor Compute(Tensor a, Tensor b, double range = 2, double black = -1, int window = 11, double sigma = 1.5)
    {
        if (a.ndim != 4 || !a.shape.SequenceEqual(b.shape) || Math.Min(a.size(2), a.size(3)) < window)
            throw new ArgumentException("SSIM needs two batches [N,C,H,W] of equal shape, each side "
                + $"{window} or more, got [{string.Join(',', a.shape)}] and [{string.Join(',', b.shape)}]");
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard exact = torch.autocast(a.device.type, enabled: false);
        if (a.element_size() < 4) a = a.to(ScalarType.Float32);
        b = b.to(a.dtype);
        double c1 = 0.01 * range * (0.01 * range), c2 = 0.03 * range * (0.03 * range);

        Tensor[] means = Weighted(torch.cat([a, b, a.square() + b.square(), a * b], 1), window, sigma).chunk(4, dim: 1);
        (Tensor x, Tensor y) = (means[0] - black, means[1] - black);
        Tensor covariance = means[3] - (means[0] * means[1]);
        Tensor variances = means[2] - means[0].square() - means[1].square();
        Tensor similarity = ((x * y * 2) + c1) * ((covariance * 2) + c2) / ((x.square() + y.square() + c1) * (variances + c2));
        return (1 - similarity.mean()).MoveToOuterDisposeScope();
    }

    // A separable convolution needs fewer operations but takes 1.5 times as long in libtorch.
    private static Tensor Weighted(Tensor x, int size, double sigma)
    {
        long channels = x.size(1);
        return F.conv2d(x, GaussianWindow.Create(size, sigma).to(x.device, x.dtype).expand(channels, 1, size, size), groups: channels);
    }
}
