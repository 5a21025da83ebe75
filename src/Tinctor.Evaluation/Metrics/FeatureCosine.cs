using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Tinctor.Evaluation.Features;
using Tinctor.Staining.Execution;

namespace Tinctor.Evaluation.Metrics;

/// <summary>Cosine similarity of the features of an image and its reference, such as those of a pathology foundation model.</summary>
public static class FeatureCosine
{
    /// <summary>Creates the metric <c>features_cosine</c>, between -1 and 1; 1 for equal directions.</summary>
    /// <param name="network">The network; opened at the first image. One image is computed at a time.</param>
    /// <param name="name">Name of the network for people.</param>
    public static PairMetric Create(Lazy<FeatureExtractor> network, string name)
    {
        var known = new ConditionalWeakTable<ScoredImage, float[]>();
        var turn = new Lock();
        float[] Vector(ScoredImage image) => known.GetValue(image, each =>
        {
            ImageBatch input = network.Value.Prepare(each.Image);
            // Several images are scored at the same time, but the network's memory is needed once.
            lock (turn) return network.Value.Extract(input).Values[0];
        });
        return PairMetric.Create("features_cosine", $"Cosine ({name})", "", 4, true,
            $"cosine similarity of the feature vectors of both images by {name}; -1 to 1, 1 for equal directions",
            (image, reference) => TensorPrimitives.CosineSimilarity<float>(Vector(image), Vector(reference)), "perceptual");
    }
}
