using Tinctor.Torch;

namespace Tinctor.Staining.Inference;

/// <summary>A generator that also tells the level of a slide, such as HER2's 0 to 3+, from the source image.</summary>
public interface ILevelPredictor
{
    /// <summary>Stains images [N,C,H,W] in [-1,1]; the logits of their levels are [N,levels].</summary>
    /// <param name="source">The images.</param>
    /// <param name="logits">
    /// The level to stain at, [1,levels], where it is known from more than these images; else each image tells its own.
    /// </param>
    (Tensor Stained, Tensor Logits) Stain(Tensor source, Tensor? logits = null);
}
