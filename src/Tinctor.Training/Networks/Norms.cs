using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>Normalisation layers of image-to-image networks.</summary>
public enum Norm
{
    /// <summary>Batch norm with trainable scale and shift and running statistics.</summary>
    Batch,

    /// <summary>Instance norm without scale, shift or running statistics.</summary>
    Instance,

    /// <summary>No normalisation.</summary>
    None,
}

/// <summary>Creates the layer of a <see cref="Norm"/> (networks.get_norm_layer of the official pix2pix).</summary>
internal static class Norms
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
