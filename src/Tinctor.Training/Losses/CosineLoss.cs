using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>1 - cosine of the angle between features.</summary>
public static class CosineLoss
{
    /// <summary>
    /// The mean over samples, in [0,2]; each feature, whatever its shape, is one vector. Finite for zero vectors, which count as
    /// orthogonal to all. Half types are computed in float32.
    /// </summary>
    /// <param name="a">[N,...].</param>
    /// <param name="b">The same shape.</param>
    public static Tensor Compute(Tensor a, Tensor b)
    {
        if (!a.shape.SequenceEqual(b.shape))
            throw new ArgumentException($"features of two shapes: [{string.Join(',', a.shape)}] and [{string.Join(',', b.shape)}]");
        using DisposeScope temporaries = torch.NewDisposeScope();
        return (1 - F.cosine_similarity(Vectors(a), Vectors(b)).mean()).MoveToOuterDisposeScope();
    }

    private static Tensor Vectors(Tensor feature) =>
        (feature.element_size() < 4 ? feature.to(ScalarType.Float32) : feature).flatten(1);
}
