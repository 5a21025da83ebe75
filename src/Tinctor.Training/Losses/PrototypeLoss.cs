using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Prototype consistency loss (Chen et al. 2024, section 2.2; models/PCLS.py of the official PSPStain): each pixel of an image is
/// classified by its cosines to the mean features of the classes in the other image; the result is compared with a mask.
/// </summary>
internal static class PrototypeLoss
{
    /// <summary>Computes the mean cross entropy over the pixels of both images, a scalar.</summary>
    /// <param name="features">Features [2,C,H,W] of stained and real image.</param>
    /// <param name="logits">Class logits [2,K,H,W], whose probabilities weight the means.</param>
    /// <param name="mask">Class of each pixel [2,H,W], Int64.</param>
    public static Tensor Compute(Tensor features, Tensor logits, Tensor mask)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor weights = F.softmax(logits, 1).flatten(2), vectors = features.flatten(2);
        Tensor sums = weights.bmm(vectors.transpose(1, 2));
        Tensor prototypes = F.normalize(sums / (weights.sum([2], keepdim: true) + 1e-5), dim: 2);
        // Probabilities take the place of logits, as in the official code.
        Tensor probabilities = F.softmax(prototypes.flip(0).bmm(F.normalize(vectors, dim: 1)), 1);
        return F.cross_entropy(probabilities, mask.flatten(1)).MoveToOuterDisposeScope();
    }
}
