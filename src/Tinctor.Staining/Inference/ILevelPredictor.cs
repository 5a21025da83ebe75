using Tinctor.Torch;

namespace Tinctor.Staining.Inference;

/// <summary>A generator that also tells the level of a slide, such as HER2's 0 to 3+, from the source image.</summary>
public interface ILevelPredictor
{
    /// <summary>Stains images [N,C,H,W] in [-1,1]; the logits of their levels are [N,levels].</summary>
    (Tensor Stained, Tensor Logits) Stain(Tensor source);
}
