using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods;

/// <summary>Settings common to methods with the discriminators of the official pix2pix and CycleGAN (networks.define_D).</summary>
public abstract record PatchGanConfig : GanConfig
{
    /// <summary>Discriminator: patch (PatchGAN of n_layers_d layers) or pixel (1x1).</summary>
    [AllowedValues("patch", "pixel")]
    public string Discriminator { get; init; } = "patch";

    /// <summary>Normalisation in the discriminator and in the generators of pix2pix and CycleGAN: batch, instance or none.</summary>
    public Norm Norm { get; init; } = Norm.Batch;

    /// <summary>Weight of the gradient penalty of wgangp.</summary>
    [Range(0, 1e6)]
    public double LambdaGp { get; init; } = 10;

    /// <summary>Size of the history of generated images for the discriminator; 0 for none.</summary>
    [Range(0, 10000)]
    public int PoolSize { get; init; }

    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(base.SmallestCrop, Discriminator == "patch" ? 3 << NLayersD : 0);

    /// <summary>Creates a discriminator.</summary>
    /// <param name="channels">Channels of its input.</param>
    internal Module<Tensor, Tensor> CreateDiscriminator(int channels) => Discriminator == "pixel"
        ? new PixelDiscriminator(channels, Ndf, Norm)
        : new NLayerDiscriminator(channels, Ndf, NLayersD, Norm);
}
