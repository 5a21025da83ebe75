using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Pix2Pix;

/// <summary>Settings common to conditional GANs with an L1 loss, trained by <see cref="ConditionalGanMethod"/>.</summary>
public abstract record ConditionalGanConfig : GanConfig
{
    /// <summary>Discriminator: patch (PatchGAN of n_layers_d layers) or pixel (1x1).</summary>
    [AllowedValues("patch", "pixel")]
    public string Discriminator { get; init; } = "patch";

    /// <summary>Normalisation in the discriminator and in the generators of pix2pix: batch, instance or none.</summary>
    public Norm Norm { get; init; } = Norm.Batch;

    /// <summary>Weight of the L1 loss.</summary>
    [Range(0, 1e6)]
    public double LambdaL1 { get; init; } = 100;

    /// <summary>Weight of the gradient penalty of wgangp.</summary>
    [Range(0, 1e6)]
    public double LambdaGp { get; init; } = 10;

    /// <summary>Size of the history of generated images for the discriminator; 0 for none.</summary>
    [Range(0, 10000)]
    public int PoolSize { get; init; }

    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(base.SmallestCrop, Discriminator == "patch" ? 3 << NLayersD : 0);

    /// <summary>Creates the conditional discriminator; its input is source and target.</summary>
    public Module<Tensor, Tensor> CreateDiscriminator() => Discriminator == "pixel"
        ? new PixelDiscriminator(InputChannels + OutputChannels, Ndf, Norm)
        : new NLayerDiscriminator(InputChannels + OutputChannels, Ndf, NLayersD, Norm);
}
