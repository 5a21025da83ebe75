using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>Distance of images that a regression minimises.</summary>
public enum PixelDistance
{
    /// <summary>Mean absolute difference.</summary>
    L1,

    /// <summary>Mean of sqrt(d² + 10⁻⁶) of the differences d (Lai et al. 2017): smooth near 0.</summary>
    Charbonnier,

    /// <summary>Negative PSNR in dB of each image, averaged (PSNRLoss of megvii-research/NAFNet).</summary>
    Psnr,
}

/// <summary>Computes a <see cref="PixelDistance"/>.</summary>
internal static class PixelLoss
{
    private const double CharbonnierEpsilon = 1e-3, PsnrEpsilon = 1e-8;

    /// <summary>Computes the loss, a scalar. Half types are computed in float32.</summary>
    /// <param name="distance">Kind of distance.</param>
    /// <param name="stained">Stained images [N,C,H,W] in [-1,1].</param>
    /// <param name="target">Target images of the same shape.</param>
    public static Tensor Compute(PixelDistance distance, Tensor stained, Tensor target)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        if (stained.element_size() < 4) stained = stained.to(ScalarType.Float32);
        Tensor difference = stained - target;
        Tensor loss = distance switch
        {
            PixelDistance.L1 => difference.abs().mean(),
            PixelDistance.Charbonnier => (difference.square() + (CharbonnierEpsilon * CharbonnierEpsilon)).sqrt().mean(),
            // The range of [-1,1] is 2.
            _ => ((difference.square().mean([1, 2, 3]) * 0.25) + PsnrEpsilon).log().mean() * (10 / Math.Log(10)),
        };
        return loss.MoveToOuterDisposeScope();
    }
}
