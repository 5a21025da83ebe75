using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>Gaussian pyramids of images, for losses that tolerate shifts of some pixels.</summary>
internal static class GaussianPyramid
{
    // Binomial filter of five pixels.
    private static readonly double[] Binomial = [0.0625, 0.25, 0.375, 0.25, 0.0625];

    /// <summary>
    /// Computes the pyramid of ASP (models/gauss_pyramid.py of the official repository). The image of each level is smoothed by a binomial
    /// filter of 5x5 pixels; every second pixel of it goes to the next level. The last image is the last smoothed one, halved.
    /// </summary>
    /// <param name="image">Images [N,C,H,W]; H and W are at least 2^<paramref name="count"/>.</param>
    /// <param name="count">Number of smoothed levels.</param>
    /// <returns>Images of count + 1 sizes, the largest first.</returns>
    public static Tensor[] Smoothed(Tensor image, int count)
    {
        var levels = new List<Tensor>();
        Tensor current = image;
        for (int i = 0; i < count; i++)
        {
            Tensor smooth = Blur(current, Binomial);
            levels.Add(smooth);
            current = Halve(smooth);
        }
        return [.. levels, current];
    }

    /// <summary>Computes the mean over the levels of ASP's pyramid of the weighted L1 distances, a scalar.</summary>
    /// <param name="stained">Stained images [N,C,H,W].</param>
    /// <param name="target">Real images.</param>
    /// <param name="weights">Weight of each level, the largest size first.</param>
    public static Tensor Distance(Tensor stained, Tensor target, IReadOnlyList<double> weights)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor[] a = Smoothed(stained, weights.Count - 1), b = Smoothed(target, weights.Count - 1);
        return torch.stack([.. weights.Select((weight, i) => F.l1_loss(a[i], b[i]) * weight)]).mean().MoveToOuterDisposeScope();
    }

    /// <summary>Smooths images by a separable filter, reflected at the borders.</summary>
    /// <param name="image">Images [N,C,H,W].</param>
    /// <param name="line">Weights along each axis, an odd number of them.</param>
    public static Tensor Blur(Tensor image, IReadOnlyList<double> line)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        double[] kernel = [.. line.SelectMany(row => line.Select(column => row * column))];
        Tensor window = torch.tensor(kernel, [line.Count, line.Count]).to(image.dtype).to(image.device);
        return Blur(image, window).MoveToOuterDisposeScope();
    }

    /// <summary>Smooths images by a filter, reflected at the borders.</summary>
    /// <param name="image">Images [N,C,H,W].</param>
    /// <param name="window">Filter [side,side] of odd side, on the device and of the type of the images.</param>
    public static Tensor Blur(Tensor image, Tensor window)
    {
        long channels = image.size(1), side = window.size(0), border = side / 2;
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor padded = F.pad(image, [border, border, border, border], "reflect");
        return F.conv2d(padded, window.expand(channels, 1, side, side), groups: channels).MoveToOuterDisposeScope();
    }

    /// <summary>Takes every second pixel of every second row.</summary>
    public static Tensor Halve(Tensor image) => image[.., .., TensorIndex.Slice(step: 2), TensorIndex.Slice(step: 2)];
}
