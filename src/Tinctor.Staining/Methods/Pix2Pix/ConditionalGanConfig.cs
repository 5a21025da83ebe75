using System.ComponentModel.DataAnnotations;
using Tinctor.Staining.Losses;
using Tinctor.Staining.Networks;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Staining.Methods.Pix2Pix;

/// <summary>What conditional GANs with an L1 term have in common, with pix2pix's values; <see cref="Pix2PixMethod"/> trains them.</summary>
public abstract record ConditionalGanConfig : MethodConfig
{
    /// <summary>patch (PatchGAN of n_layers_d layers) or pixel (1x1).</summary>
    [AllowedValues("patch", "pixel")]
    public string Discriminator { get; init; } = "patch";

    /// <summary>Channels of the discriminator's first convolution.</summary>
    [Range(1, 1024)]
    public int Ndf { get; init; } = 64;

    /// <summary>Strided layers of the PatchGAN; 3 see 70x70 pixels.</summary>
    [Range(1, 8)]
    public int NLayersD { get; init; } = 3;

    /// <summary>batch, instance or none: in the discriminator and in the generators of pix2pix.</summary>
    public Norm Norm { get; init; } = Norm.Batch;

    /// <summary>vanilla, lsgan or wgangp.</summary>
    public GanMode GanMode { get; init; } = GanMode.Vanilla;

    /// <summary>Weight of the L1 distance to the target.</summary>
    [Range(0, 1e6)]
    public double LambdaL1 { get; init; } = 100;

    /// <summary>Weight of the gradient penalty of wgangp.</summary>
    [Range(0, 1e6)]
    public double LambdaGp { get; init; } = 10;

    /// <summary>How many earlier made images the discriminator may see again; 0 for none.</summary>
    [Range(0, 10000)]
    public int PoolSize { get; init; }

    /// <summary>How weights start: normal, xavier, kaiming or orthogonal.</summary>
    [AllowedValues("normal", "xavier", "kaiming", "orthogonal")]
    public string InitType { get; init; } = "normal";

    /// <summary>Scale of normal, xavier and orthogonal starts.</summary>
    [Range(0.0, 10.0)]
    public double InitGain { get; init; } = 0.02;

    /// <summary>Adam's learning rate.</summary>
    [Range(0.0, 1.0)]
    public double Lr { get; init; } = 2e-4;

    /// <summary>Adam's first moment decay.</summary>
    [Range(0.0, 1.0)]
    public double Beta1 { get; init; } = 0.5;

    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(base.SmallestCrop, Discriminator == "patch" ? 3 << NLayersD : 0);

    /// <summary>The conditional discriminator: it sees source and target together.</summary>
    public Module<Tensor, Tensor> CreateDiscriminator() => Discriminator == "pixel"
        ? new PixelDiscriminator(InputChannels + OutputChannels, Ndf, Norm)
        : new NLayerDiscriminator(InputChannels + OutputChannels, Ndf, NLayersD, Norm);
}
