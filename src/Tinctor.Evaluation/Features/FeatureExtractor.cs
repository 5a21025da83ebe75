using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Evaluation.Features;

/// <summary>Features of a batch.</summary>
/// <param name="Values">float32 [N, D].</param>
/// <param name="Probabilities">float32 [N, classes], summing to 1; null where the network does not classify.</param>
internal readonly record struct FeatureBatch(Tensor Values, Tensor? Probabilities);

/// <summary>A network that turns an image into a feature vector, for distances between sets of images.</summary>
public abstract class FeatureExtractor : IDisposable
{
    /// <summary>Its name in reports.</summary>
    public abstract string Name { get; }

    /// <summary>File, hash, resizing and normalisation.</summary>
    internal abstract IReadOnlyList<Definition> Provenance { get; }

    /// <summary>An 8-bit RGB image as the network's input, [3, H, W] of one size for all images.</summary>
    internal abstract Tensor Prepare(Image rgb);

    /// <summary>Features of prepared images [N, 3, H, W].</summary>
    internal abstract FeatureBatch Extract(Tensor images);

    /// <summary>Frees the network.</summary>
    public abstract void Dispose();
}

/// <summary>How images come to Inception's 299x299; the numbers of the two cannot be compared with each other.</summary>
public enum InceptionResizing
{
    /// <summary>clean-fid (Parmar et al. 2022): Pillow's bicubic filter with antialiasing, channel by channel in float.</summary>
    Clean,

    /// <summary>pytorch-fid: bilinear interpolation without antialiasing, align_corners false.</summary>
    Legacy,
}

/// <summary>Resizing to Inception's input.</summary>
internal static class InceptionInput
{
    private const int Side = 299;

    /// <summary>The image [3, 299, 299] in [0, 255] (bicubic interpolation may leave that range a little, as in clean-fid).</summary>
    public static Tensor Resize(Image rgb, InceptionResizing resizing)
    {
        Tensor image = rgb.ToTensor().unsqueeze(0) * 255;
        Tensor resized = resizing == InceptionResizing.Clean
            ? F.interpolate(image, Side, mode: "bicubic", antialias: true)
            : F.interpolate(image, Side, mode: "bilinear");
        return resized.squeeze(0);
    }

    internal static Definition Describe(InceptionResizing resizing) => new("Resizing", resizing == InceptionResizing.Clean
        ? "to 299x299 as clean-fid: bicubic with antialiasing, in float"
        : "to 299x299 as pytorch-fid (legacy): bilinear without antialiasing");
}
