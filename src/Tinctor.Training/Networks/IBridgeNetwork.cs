using Tinctor.Torch;

namespace Tinctor.Training.Networks;

/// <summary>The network of a diffusion bridge.</summary>
internal interface IBridgeNetwork
{
    /// <summary>Computes the end of the bridge: the source in the target's size and channels, [N,Cout,f h,f w].</summary>
    Tensor End(Tensor source);

    /// <summary>Predicts from states x at times [N], or [1] for all, given the end of the bridge.</summary>
    Tensor Predict(Tensor x, Tensor times, Tensor end);
}
