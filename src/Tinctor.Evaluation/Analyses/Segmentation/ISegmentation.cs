using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Measurement.Nuclei;
using Tinctor.Slides.Masks;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>Segmentation of images: by a detector, a trained segmenter, or masks on disk. Thread-safe.</summary>
public interface ISegmentation
{
    /// <summary>Description of the segmentation, for provenance.</summary>
    internal IReadOnlyList<Definition> Provenance { get; }

    /// <summary>Whether the labels distinguish single nuclei; otherwise they are classes of pixels, such as tissue.</summary>
    bool HasInstances { get; }

    /// <summary>Whether the images of a method can be segmented; null stands for the real images.</summary>
    bool Covers(string? method) => true;

    /// <summary>Names of the classes of tissue that <see cref="Classify"/> tells apart; empty for a single one.</summary>
    internal IReadOnlyList<string> Classes => [];

    /// <summary>Gets the class of each pixel [height, width]: 0 for background, 1 and so on for <see cref="Classes"/>.</summary>
    /// <param name="pair">The versions of the image.</param>
    /// <param name="method">Key of the method that made the image; null for the real image.</param>
    /// <param name="image">The pixels.</param>
    /// <exception cref="TinctorException">A mask is missing or does not fit.</exception>
    internal byte[] Classify(ImagePair pair, string? method, ScoredImage image) =>
        throw new NotSupportedException("the segmentation has a single class");

    /// <summary>Segments an image.</summary>
    /// <param name="pair">The versions of the image.</param>
    /// <param name="method">Key of the method that made the image; null for the real image.</param>
    /// <param name="image">The pixels.</param>
    /// <exception cref="TinctorException">A mask is missing or does not fit.</exception>
    internal LabelMap Segment(ImagePair pair, string? method, ScoredImage image);

    /// <summary>The methods of a test set that can be compared with the real images.</summary>
    /// <exception cref="TinctorException">No method can be compared, or the real images cannot be segmented.</exception>
    internal IReadOnlyList<ScoredMethod> Comparable(TestSet set)
    {
        ScoredMethod[] methods = [.. set.Methods.Where(method => Covers(method.Key))];
        if (!Covers(null)) throw new TinctorException(null, "the real images have no masks",
            "Give masks of the real images, or a segmenter");
        return methods.Length > 0 ? methods
            : throw new TinctorException(null, "the stained images have no masks", "Give masks of the stained images, or a segmenter");
    }
}

/// <summary>Nuclei found by <see cref="NucleusDetector"/>.</summary>
/// <param name="settings">Properties of nuclei.</param>
public sealed class ClassicalSegmentation(NucleusDetection settings) : ISegmentation
{
    IReadOnlyList<Definition> ISegmentation.Provenance => [new("Nuclei", settings.Describe())];

    /// <inheritdoc/>
    public bool HasInstances => true;

    LabelMap ISegmentation.Segment(ImagePair pair, string? method, ScoredImage image) => NucleusDetector.Find(image.Stains, settings);
}
