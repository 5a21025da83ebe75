using Tinctor.Evaluation.Sections;
using Tinctor.Staining.Execution;
using Tinctor.Training.Classification;

namespace Tinctor.Evaluation.Features;

/// <summary>Features of a trained classifier; images keep their size.</summary>
/// <param name="classifier">The classifier; freed with this.</param>
internal sealed class ClassifierFeatures(Classifier classifier) : FeatureExtractor
{
    /// <inheritdoc/>
    public override string Name => $"{classifier.Card.Architecture} in {classifier.Folder}";

    /// <inheritdoc/>
    internal override IReadOnlyList<Definition> Provenance =>
        [new("Feature network", $"{Name}, before its last layer, SHA-256 {classifier.Sha256}; images as they are")];

    /// <inheritdoc/>
    internal override FeatureBatch Extract(ImageBatch images) => new(classifier.Run(images).Features);

    /// <inheritdoc/>
    public override void Dispose() => classifier.Dispose();
}
