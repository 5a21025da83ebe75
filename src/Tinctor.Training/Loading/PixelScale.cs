using Tinctor.Data;
using Tinctor.Slides;

namespace Tinctor.Training.Loading;

/// <summary>Size of the pixels that a network sees, relative to the images of its data set.</summary>
/// <param name="ImageSize">Width and height of the images as stored, in pixels; null if they differ, or are not square.</param>
/// <param name="Scale">Network pixels per stored pixel along each axis; null if images of several sizes are resized to one.</param>
/// <param name="Mpp">Micrometres per stored pixel; null if unknown.</param>
internal sealed record PixelScale(int? ImageSize, double? Scale, double? Mpp)
{
    // Differences of pixel sizes below this are within the accuracy of scanners; images are then not resampled.
    private const double Tolerance = 0.04;

    // Loss of detail that a comparison of features tolerates.
    private const double LargestLoss = 1.1;

    /// <summary>Reads the sizes of the targets of training pairs.</summary>
    /// <param name="data">Training data.</param>
    /// <param name="resized">Width and height to which targets are resized; 0 if they keep their size.</param>
    public static PixelScale Read(TrainingData data, int resized)
    {
        int? size = SizeOf(data.Train);
        return new(size, resized == 0 ? 1 : size is { } width ? resized / (double)width : null, data.Mpp);
    }

    /// <summary>Micrometres per network pixel; null if unknown.</summary>
    public double? NetworkMpp => Mpp / Scale;

    /// <summary>
    /// Computes the factor by which images of one network are resampled for another network; 1 if their pixels are about equal.
    /// </summary>
    /// <param name="other">Scale of the other network.</param>
    /// <returns>
    /// Pixels of the other network per pixel of this one; null if neither micrometres per pixel nor equal sizes of stored images relate the
    /// two.
    /// </returns>
    public double? FactorTo(PixelScale other)
    {
        if (NetworkMpp is { } own && other.NetworkMpp is { } theirs) return Rounded(own / theirs);
        bool sameImages = ImageSize is not null && ImageSize == other.ImageSize && (Mpp is null || other.Mpp is null);
        return sameImages ? Rounded(other.Scale!.Value / Scale!.Value) : null;
    }

    /// <summary>Whether images of this network show clearly less detail than the other network was trained on.</summary>
    public bool IsCoarserThan(PixelScale other)
    {
        bool physical = NetworkMpp is not null && other.NetworkMpp is not null;
        return Detail(this) > LargestLoss * Detail(other);

        // Side of the smallest resolved square, in micrometres or stored pixels; enlarging an image adds no detail.
        double Detail(PixelScale scale) => (physical ? scale.Mpp!.Value : 1) / Math.Min(1, scale.Scale!.Value);
    }

    private static double Rounded(double factor) => Math.Abs(factor - 1) < Tolerance ? 1 : factor;

    private static int? SizeOf(IReadOnlyList<Pair> pairs)
    {
        (int Width, int Height)[] sizes = [.. pairs.AsParallel().Select(SizeOf).Distinct().Take(2)];
        return sizes is [var (width, height)] && width == height ? width : null;
    }

    private static (int Width, int Height) SizeOf(Pair pair)
    {
        ImageInfo info = Image.ReadInfo(pair.Target ?? pair.Source);
        return (pair.Layout is PairLayout.SourceLeft or PairLayout.SourceRight ? info.Width / 2 : info.Width, info.Height);
    }
}
