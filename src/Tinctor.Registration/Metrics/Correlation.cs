using Tinctor.Registration.Transforms;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Metrics;

/// <summary>Normalised cross-correlation (Pearson's correlation coefficient), -1 to 1.</summary>
internal static class Correlation
{
    /// <summary>Computes the correlation of two images of the same shape; 0 if one of them is constant.</summary>
    public static double Compute(Tensor a, Tensor b)
    {
        using var scope = torch.NewDisposeScope();
        return Compute(a, b, torch.ones_like(a));
    }

    /// <summary>Computes the correlation of the source and the warped target over their overlap.</summary>
    public static double Warped(Tensor source, Tensor target, AffineTransform transform)
    {
        using var scope = torch.NewDisposeScope();
        (Tensor warped, Tensor mask) = Resample(target, transform, (int)source.size(3), (int)source.size(2));
        return Compute(source[0, 0], warped[0, 0], mask);
    }

    /// <summary>
    /// Resamples the target's layers [1, C, h, w] onto the source, [1, C, H, W], bilinear; and gets the mask of the overlap, [H, W].
    /// </summary>
    public static (Tensor Warped, Tensor Mask) Resample(Tensor layers, AffineTransform transform, int width, int height)
    {
        using var scope = torch.NewDisposeScope();
        (Tensor warped, Tensor inside) = Warp.Sample(layers, Warp.Positions(transform, layers, width, height));
        return (warped.MoveToOuterDisposeScope(), inside[0, 0].MoveToOuterDisposeScope());
    }

    private static double Compute(Tensor a, Tensor b, Tensor mask)
    {
        double pixels = mask.sum().item();
        if (pixels < 1) return 0;
        Tensor p = (a - ((a * mask).sum() / pixels)) * mask, q = (b - ((b * mask).sum() / pixels)) * mask;
        double norm = Math.Sqrt((p * p).sum().item() * (q * q).sum().item());
        return norm > 1e-9 ? (p * q).sum().item() / norm : 0;
    }
}
