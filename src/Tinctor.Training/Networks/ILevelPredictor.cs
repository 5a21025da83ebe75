using Tinctor.Torch;

namespace Tinctor.Training.Networks;

/// <summary>A staining network that also predicts the IHC level of a slide, such as HER2's 0 to 3+, from the source image.</summary>
internal interface ILevelPredictor
{
    /// <summary>Stains images [N,C,H,W] in [-1,1]; the logits of their IHC levels are [N,levels].</summary>
    /// <param name="source">The images.</param>
    /// <param name="logits">Logits of the IHC level to stain at, [1,levels]; null if each image shows its own.</param>
    (Tensor Stained, Tensor Logits) Stain(Tensor source, Tensor? logits = null);
}
