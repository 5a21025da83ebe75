using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Multi-level protein awareness loss (Chen et al. 2024, section 2.1; MLPA_LOSS in models/PALS.py of the official PSPStain): squared
/// differences of the focal optical density of stained and real image in the whole image, in a histogram and in blocks.
/// </summary>
internal static class ProteinLoss
{
    private const int Bins = 20, Blocks = 4;

    // The whole image counts if its density differs by more than this share.
    private const double Tolerance = 0.4;

    /// <summary>Computes the loss, a scalar: the mean over images of histogram and blocks, and the sum over images of the rest.</summary>
    /// <param name="stained">Density of stained images [N,H,W].</param>
    /// <param name="target">Density of real images.</param>
    /// <param name="threshold">Smaller densities count as 0, except in the histogram.</param>
    /// <param name="sumFactor">Factor of the sum over images, for parts of a batch.</param>
    public static Tensor Compute(Tensor stained, Tensor target, double threshold, double sumFactor = 1)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        double pixels = stained.size(1) * stained.size(2);
        Tensor a = Kept(stained, threshold), b = Kept(target, threshold);
        Tensor sumA = a.sum([1, 2]), sumB = b.sum([1, 2]), difference = sumA - sumB;
        Tensor similar = difference.ge(sumB * -Tolerance).logical_and(difference.le(sumB * Tolerance));
        Tensor whole = difference.square() / (pixels * pixels);
        Tensor histogram = ((Histogram(stained) - Histogram(target)) / pixels).square().sum([1]);
        Tensor blocks = F.mse_loss(BlockSums(a) / (pixels / (Blocks * Blocks)), BlockSums(b) / (pixels / (Blocks * Blocks)));
        Tensor apart = torch.where(similar, torch.zeros_like(whole), whole);
        return ((apart.sum() * sumFactor) + histogram.mean() + blocks).MoveToOuterDisposeScope();
    }

    private static Tensor Kept(Tensor density, double threshold) =>
        torch.where(density.lt(threshold), torch.zeros_like(density), density);

    // Sum of the densities in each bin, [N,Bins].
    private static Tensor Histogram(Tensor density)
    {
        Tensor values = density.flatten(1);
        Tensor bins = (values.detach() / (FocalOpticalDensity.Largest / Bins)).clamp(0, Bins - 1).to(ScalarType.Int64);
        return torch.zeros([values.size(0), Bins], dtype: values.dtype, device: values.device).scatter_add_(1, bins, values);
    }

    // Sum of each of 4x4 blocks; pixels beyond a multiple of 4 are left out.
    private static Tensor BlockSums(Tensor density)
    {
        long height = density.size(1) / Blocks, width = density.size(2) / Blocks;
        return density.unfold(1, height, height).unfold(2, width, width).sum([3, 4]);
    }
}
