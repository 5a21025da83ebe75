using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>Cosine distance between features: 1 - cosine similarity.</summary>
internal static class CosineLoss
{
    /// <summary>
    /// Computes the mean over samples, in [0,2]; each feature is flattened to a vector. Zero vectors are orthogonal to all vectors. Half
    /// types are computed in float32.
    /// </summary>
    /// <param name="a">Features [N,...].</param>
    /// <param name="b">Features of the same shape.</param>
    public static Tensor Compute(Tensor a, Tensor b)
    {
        if (!a.shape.SequenceEqual(b.shape))
            throw new ArgumentException($"feature shapes differ: [{string.Join(',', a.shape)}] and [{string.Join(',', b.shape)}]");
        using DisposeScope temporaries = torch.NewDisposeScope();
        return (1 - F.cosine_similarity(Vectors(a), Vectors(b)).mean()).MoveToOuterDisposeScope();
    }

    private static Tensor Vectors(Tensor feature) =>
        (feature.element_size() < 4 ? feature.to(ScalarType.Float32) : feature).flatten(1);
}
