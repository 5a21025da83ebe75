using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides.Masks;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>
/// Where the objects of an image come from: a detector, a trained segmenter, or masks on disk. Called from several threads.
/// </summary>
public interface ISegmentation
{
    /// <summary>Description of the segmentation, for provenance.</summary>
    IReadOnlyList<Definition> Provenance { get; }

    /// <summary>Whether objects are single nuclei; else only the pixels mean something (tissue).</summary>
    bool HasInstances { get; }

    /// <summary>Whether it knows the images of a method; null stands for the real ones.</summary>
    bool Covers(string? method) => true;

    /// <summary>The objects of one image.</summary>
    /// <param name="pair">Which image.</param>
    /// <param name="method">Who made it; null for the real one.</param>
    /// <param name="image">Its pixels.</param>
    /// <exception cref="TinctorException">A mask is missing or does not fit.</exception>
    LabelMap Of(ImagePair pair, string? method, ScoredImage image);

    /// <summary>The methods of a test set that can be compared with the real images.</summary>
    /// <exception cref="TinctorException">There are none, or the real images cannot be segmented.</exception>
    IReadOnlyList<ScoredMethod> Comparable(TestSet set)
    {
        ScoredMethod[] methods = [.. set.Methods.Where(method => Covers(method.Key))];
        if (!Covers(null)) throw new TinctorException(null, "the real images have no masks", "Give masks of the real images, or a segmenter");
        return methods.Length > 0 ? methods
            : throw new TinctorException(null, "the stained images have no masks", "Give masks of the stained images, or a segmenter");
    }
}

/// <summary>Nuclei found by <see cref="NucleusDetector"/>.</summary>
/// <param name="settings">Properties of nuclei.</param>
public sealed class ClassicalSegmentation(NucleusDetection settings) : ISegmentation
{
    /// <inheritdoc/>
    public IReadOnlyList<Definition> Provenance => [new("Nuclei", settings.Describe())];

    /// <inheritdoc/>
    public bool HasInstances => true;

    /// <inheritdoc/>
    public LabelMap Of(ImagePair pair, string? method, ScoredImage image) => NucleusDetector.Find(image, settings);
}
