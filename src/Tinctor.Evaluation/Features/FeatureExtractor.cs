using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Staining.Execution;

namespace Tinctor.Evaluation.Features;

/// <summary>Features of a batch.</summary>
/// <param name="Values">Feature vector of each image.</param>
/// <param name="Probabilities">Class probabilities of each image, summing to 1; null if the network is not a classifier.</param>
internal readonly record struct FeatureBatch(float[][] Values, float[][]? Probabilities = null);

/// <summary>Network that computes a feature vector of an image, for distances between sets of images.</summary>
public abstract class FeatureExtractor : IDisposable
{
    /// <summary>Name in reports.</summary>
    public abstract string Name { get; }

    /// <summary>Provenance: file, hash, resizing and normalisation.</summary>
    internal abstract IReadOnlyList<Definition> Provenance { get; }

    /// <summary>Converts an 8-bit RGB image to the input of the network, of equal size for all images.</summary>
    internal virtual ImageBatch Prepare(Image rgb) => ImageBatch.FromImages([rgb]);

    /// <summary>Computes the features of prepared images.</summary>
    internal abstract FeatureBatch Extract(ImageBatch images);

    /// <summary>Computes the features of 8-bit RGB images.</summary>
    internal FeatureBatch Extract(IEnumerable<Image> images) => Extract(ImageBatch.Concat([.. images.Select(Prepare)]));

    /// <summary>Frees the network.</summary>
    public abstract void Dispose();
}
