using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Metrics;

/// <summary>
/// Differentiable similarity metrics of an image [1, 1, H, W] and others [N, 1, H, W] with pixel weights [N, 1, H, W]: [N], larger is more
/// similar.
/// </summary>
internal static class SimilarityMetrics
{
    private const double Flat = 0.01; // standard deviation of a region without structure; images span 0 to 1
    private const int Bins = 32;
    private const long MostSamples = 40_000;

    /// <summary>Computes a metric.</summary>
    /// <param name="metric">Metric.</param>
    /// <param name="a">First image.</param>
    /// <param name="b">Other images.</param>
    /// <param name="weight">Weight of each pixel, 0 to 1.</param>
    /// <param name="window">Side of the windows of <see cref="LocalNcc"/> in pixels.</param>
    public static Tensor Compute(SimilarityMetric metric, Tensor a, Tensor b, Tensor weight, int window) => metric switch
    {
        SimilarityMetric.LocalNcc => LocalNcc(a, b, weight, window),
        SimilarityMetric.GlobalNcc => GlobalNcc(a, b, weight),
        SimilarityMetric.GradientFields => GradientFields(a, b, weight),
        _ => torch.stack([.. b.split(1).Zip(weight.split(1), (one, its) => MutualInformation(a, one, its))]),
    };

    /// <summary>
    /// Computes the mean correlation of windows, -1 to 1; windows without structure count as 0. Windows are a quarter of their side apart
    /// (Avants et al. 2008 use one for each pixel).
    /// </summary>
    public static Tensor LocalNcc(Tensor a, Tensor b, Tensor weight, int window)
    {
        (Tensor ncc, Tensor share) = LocalNccMap(a, b, weight, window);
        return Mean(ncc, share).flatten();
    }

    /// <summary>
    /// Computes the correlation of each window of <see cref="LocalNcc"/>, and its share of weighted pixels, both [N, 1, h, w].
    /// </summary>
    internal static (Tensor Ncc, Tensor Share) LocalNccMap(Tensor a, Tensor b, Tensor weight, int window)
    {
        // Apart, because the first three have no gradient when b is optimised.
        Tensor wa = a * weight, wb = b * weight;
        Tensor known = Windows(torch.cat([weight, wa, wa * a], 1), window);
        Tensor n = known.narrow(1, 0, 1), safe = n + 1e-5;
        Tensor[] ofA = (known.narrow(1, 1, 2) / safe).split(1, 1);
        Tensor[] ofB = (Windows(torch.cat([wb, wb * b, wa * b], 1), window) / safe).split(1, 1);
        Tensor ma = ofA[0], mb = ofB[0];
        Tensor Variance(Tensor squares, Tensor mean) => (squares - (mean * mean)).clamp(min: 0) + (Flat * Flat);
        return ((ofB[2] - (ma * mb)) / (Variance(ofA[1], ma) * Variance(ofB[1], mb)).sqrt(), n);
    }

    /// <summary>Computes Pearson's correlation, -1 to 1.</summary>
    public static Tensor GlobalNcc(Tensor a, Tensor b, Tensor weight)
    {
        Tensor p = a - Mean(a, weight), q = b - Mean(b, weight);
        return (Mean(p * q, weight) / ((Mean(p * p, weight) + (Flat * Flat)) * (Mean(q * q, weight) + (Flat * Flat))).sqrt()).flatten();
    }

    /// <summary>
    /// Computes the mean squared cosine of the angle between gradients, 0 to 1; gradients below the images' root mean square count less
    /// (Haber and Modersitzki 2006). That threshold is treated as a constant in the gradient.
    /// </summary>
    public static Tensor GradientFields(Tensor a, Tensor b, Tensor weight) =>
        GradientFields(a, b, weight, EdgeThreshold(a, weight), EdgeThreshold(b, weight));

    /// <summary>Computes the root mean square gradients [N, 1, 1, 1] of images, detached.</summary>
    internal static Tensor EdgeThreshold(Tensor image, Tensor weight)
    {
        (Tensor x, Tensor y) = StructureImage.Gradient(image.detach());
        return Mean((x * x) + (y * y), weight).sqrt();
    }

    /// <summary>Computes <see cref="GradientFields(Tensor, Tensor, Tensor)"/> with given thresholds.</summary>
    internal static Tensor GradientFields(Tensor a, Tensor b, Tensor weight, Tensor thresholdA, Tensor thresholdB)
    {
        (Tensor ax, Tensor ay) = StructureImage.Gradient(a);
        (Tensor bx, Tensor by) = StructureImage.Gradient(b);
        Tensor Strength(Tensor x, Tensor y, Tensor threshold) => (x * x) + (y * y) + (threshold * threshold) + 1e-12;
        Tensor dot = (ax * bx) + (ay * by);
        return Mean(dot * dot / (Strength(ax, ay, thresholdA) * Strength(bx, by, thresholdB)), weight).flatten();
    }

    /// <summary>
    /// Computes the mutual information of the intensities in nats, at least 0, by Parzen windows (cubic B-splines over 32 bins; Mattes et
    /// al. 2003). Large images are sampled on a regular grid.
    /// </summary>
    public static Tensor MutualInformation(Tensor a, Tensor b, Tensor weight)
    {
        int step = (int)Math.Ceiling(Math.Sqrt((double)a.numel() / MostSamples));
        Tensor Sampled(Tensor image) => image[0, 0, TensorIndex.Slice(step: step), TensorIndex.Slice(step: step)].reshape(-1);
        Tensor joint = Parzen(Sampled(a)).t().matmul(Parzen(Sampled(b)) * Sampled(weight).unsqueeze(1));
        joint = joint / (joint.sum() + 1e-12);
        Tensor independent = joint.sum([1], keepdim: true) * joint.sum([0L], keepdim: true);
        return (joint * ((joint + 1e-12) / (independent + 1e-12)).log()).sum();
    }

    // Weight of each value in each bin [N, bins].
    private static Tensor Parzen(Tensor values)
    {
        Tensor low = values.detach().min(), span = values.detach().max() - low + 1e-6;
        Tensor place = (((values - low) / span) * (Bins - 4)) + 1.5;
        Tensor t = (place.unsqueeze(1) - torch.arange(0, Bins, dtype: values.dtype).unsqueeze(0)).abs();
        Tensor rest = (2 - t).clamp(min: 0);
        Tensor near = (t * t * ((t * 0.5) - 1)) + (2.0 / 3);
        return torch.where(t < 1, near, rest * rest * rest * (1.0 / 6));
    }

    private static Tensor Mean(Tensor values, Tensor weight) => Sum(values * weight) / (Sum(weight) + 1e-6);

    private static Tensor Sum(Tensor values) => values.sum([1, 2, 3], keepdim: true);

    // Means of windows of images [N, C, H, W], with zeros around them.
    private static Tensor Windows(Tensor images, int side)
    {
        Tensor means = WindowsDown(WindowsDown(images.flatten(0, 1), side), side);
        return means.view(images.size(0), images.size(1), means.size(1), means.size(2));
    }

    // Means down the columns of images [N, H, W], transposed: [N, W, h]. The columns are the channels of a depthwise convolution, which
    // takes a fifth of the time of avg_pool2d.
    private static Tensor WindowsDown(Tensor images, int side)
    {
        (long count, long height, long width) = (images.size(0), images.size(1), images.size(2));
        Tensor channels = images.contiguous().view(count, height, 1, width).permute(0, 3, 1, 2);
        Tensor kernel = torch.full([width, 1, side, 1], 1.0 / side, images.dtype);
        return F.conv2d(channels, kernel, stride: (Math.Max(1, side / 4), 1), padding: (side / 2, 0), groups: width).squeeze(3);
    }
}
