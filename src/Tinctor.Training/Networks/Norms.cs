using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>The normalisation layers that image-to-image networks choose from.</summary>
public enum Norm
{
    /// <summary>Over the batch, with learnt scale and shift and running statistics.</summary>
    Batch,

    /// <summary>Over each image, without scale, shift or running statistics.</summary>
    Instance,

    /// <summary>None.</summary>
    None,
}

/// <summary>Makes the layer of a <see cref="Norm"/> (networks.get_norm_layer of the official pix2pix).</summary>
public static class Norms
{
    /// <summary>A normalisation of [N,C,H,W].</summary>
    public static Module<Tensor, Tensor> Layer(this Norm norm, long channels) => norm switch
    {
        Norm.Batch => new BatchNorm2d(channels),
        Norm.Instance => new InstanceNorm2d(channels),
        _ => new Identity(),
    };

    /// <summary>Whether a convolution before the layer keeps its bias: only instance norm has no shift of its own.</summary>
    public static bool NeedsBias(this Norm norm) => norm == Norm.Instance;
}
