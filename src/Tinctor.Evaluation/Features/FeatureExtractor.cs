using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Evaluation.Features;

/// <summary>Features of a batch.</summary>
/// <param name="Values">float32 [N, D].</param>
/// <param name="Probabilities">float32 [N, classes], summing to 1; null if the network is not a classifier.</param>
internal readonly record struct FeatureBatch(Tensor Values, Tensor? Probabilities);

/// <summary>Network that computes a feature vector of an image, for distances between sets of images.</summary>
public abstract class FeatureExtractor : IDisposable
{
    /// <summary>Name in reports.</summary>
    public abstract string Name { get; }

    /// <summary>Provenance: file, hash, resizing and normalisation.</summary>
    internal abstract IReadOnlyList<Definition> Provenance { get; }

    /// <summary>Converts an 8-bit RGB image to the input of the network, [3, H, W], of equal size for all images.</summary>
    internal abstract Tensor Prepare(Image rgb);

    /// <summary>Computes the features of prepared images [N, 3, H, W].</summary>
    internal abstract FeatureBatch Extract(Tensor images);

    /// <summary>Frees the network.</summary>
    public abstract void Dispose();
}

/// <summary>Resizing to Inception's input of 299x299. Results of different methods are not comparable.</summary>
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

    /// <summary>
    /// Resizes an image to [3, 299, 299] in [0, 255]; bicubic interpolation may exceed the range slightly, as in clean-fid.
    /// </summary>
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
