using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Differentiable 1 - MS-SSIM (Wang et al. 2003) of images in [-1,1]: five scales, Gaussian window of 11 pixels and sigma 1.5 without
/// padding, K1 = 0.01, K2 = 0.03; mean over channels and images (MS_SSIM of VainF/pytorch-msssim).
/// </summary>
internal static class MultiScaleSsimLoss
{
    /// <summary>Smallest height and width of images: the window must fit at the last scale.</summary>
    public const int SmallestSide = 161;

    private const int Window = 11;
    private static readonly double[] Weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

    /// <summary>Computes the loss of images [N,C,H,W], a scalar.</summary>
    public static Tensor Compute(Tensor a, Tensor b)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard exact = torch.autocast(a.device.type, enabled: false);
        // Borders of odd sizes are padded with black.
        (a, b) = ((a + 1) / 2, (b + 1) / 2);
        long channels = a.size(1);
        Tensor window = GaussianWindow.Create(Window, 1.5).to(a.device, a.dtype).expand(channels, 1, Window, Window);
        Tensor? product = null;
        for (int scale = 0; scale < Weights.Length; scale++)
        {
            (Tensor similarity, Tensor contrast) = Similarity(a, b, window);
            Tensor factor = (scale < Weights.Length - 1 ? contrast : similarity).relu().pow(Weights[scale]);
            product = product is null ? factor : product * factor;
            Size2 odd = (a.size(2) % 2, a.size(3) % 2);
            (a, b) = (F.avg_pool2d(a, 2, padding: odd), F.avg_pool2d(b, 2, padding: odd));
        }
        return (1 - product!.mean()).MoveToOuterDisposeScope();
    }

    // SSIM and its factor of contrast and structure, [N,C].
    private static (Tensor Similarity, Tensor Contrast) Similarity(Tensor a, Tensor b, Tensor window)
    {
        const double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
        Tensor x = Mean(a), y = Mean(b);
        Tensor contrast = (((Mean(a * b) - (x * y)) * 2) + c2)
            / (Mean(a.square()) - x.square() + Mean(b.square()) - y.square() + c2);
        Tensor similarity = ((x * y * 2) + c1) / (x.square() + y.square() + c1) * contrast;
        return (similarity.flatten(2).mean([2]), contrast.flatten(2).mean([2]));

        Tensor Mean(Tensor images) => F.conv2d(images, window, groups: images.size(1));
    }
}
