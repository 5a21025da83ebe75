using Tinctor.Torch;

namespace Tinctor.Staining.Data;

/// <summary>How the super-resolution paper's code prepares autofluorescence images, [C,H,W] or [N,C,H,W] of any range.</summary>
public static class Autofluorescence
{
    /// <summary>Added to the deviation, so that an empty image has a z-score.</summary>
    public const double Epsilon = 1e-6;

    /// <summary>Pixel binning: the mean of each square of factor x factor pixels, as a camera of larger pixels would see it.</summary>
    /// <param name="image">H and W are multiples of the factor.</param>
    /// <param name="factor">How much smaller the result is.</param>
    public static Tensor Bin(Tensor image, int factor)
    {
        if (image.size(-2) % factor != 0 || image.size(-1) % factor != 0)
            throw new ArgumentException($"{image.size(-2)} x {image.size(-1)} pixels do not split into squares of {factor}", nameof(image));
        return F.avg_pool2d(image, factor);
    }

    /// <summary>Zero mean and unit standard deviation over all pixels and channels of each image together.</summary>
    public static Tensor Standardise(Tensor image)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor mean = image.mean([-3, -2, -1], keepdim: true), deviation = image.std([-3, -2, -1], unbiased: false, keepdim: true);
        return ((image - mean) / (deviation + Epsilon)).MoveToOuterDisposeScope();
    }
}
