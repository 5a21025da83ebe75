using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// L1 distance between edges (pattern sobel of PyramidPix2pix; models/pix2pix_model.py of bupt-ai-cz/BCI): the Laplacian and the horizontal
/// and vertical derivatives of Scharr of the sum of all channels, windows of 3x3 pixels inside the image.
/// </summary>
internal static class EdgeLoss
{
    private static readonly float[] Filters =
    [
        -1, -1, -1, -1, 8, -1, -1, -1, -1,
        -3, 0, 3, -10, 0, 10, -3, 0, 3,
        -3, -10, -3, 0, 0, 0, 3, 10, 3,
    ];

    /// <summary>Computes the sum of the mean absolute differences of the three edge images, a scalar.</summary>
    /// <param name="a">Images [N,C,H,W], each side 3 pixels or more.</param>
    /// <param name="b">Images of the same shape.</param>
    public static Tensor Compute(Tensor a, Tensor b)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor filters = torch.tensor(Filters).reshape(3, 1, 3, 3).to(a.device, a.dtype);
        Tensor difference = F.conv2d((a - b).sum(1, keepdim: true), filters);
        return (difference.abs().mean() * 3).MoveToOuterDisposeScope();
    }
}
