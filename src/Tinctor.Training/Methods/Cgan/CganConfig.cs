using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Cgan;

/// <summary>
/// The conditional GAN that the super-resolution paper (Zhang et al. 2024) holds its bridge against, by the name it has there; SRGAN is
/// another model (Ledig et al. 2017). It takes what the bridge takes: images of any channels and of a lower resolution, z-scored.
/// </summary>
/// <remarks>
/// The paper's text at hand names a U-Net with a super-resolution head and a conditional discriminator, no more. The rest is pix2pix's:
/// PatchGAN, losses, weights and rates. The discriminator sees the z-scored source enlarged bilinearly, which adds no edges that the
/// specimen does not have.
/// </remarks>
public sealed record CganConfig : ConditionalGanConfig
{
    /// <summary>How many times as large the stained image is: 4 or 5 in the paper.</summary>
    [Range(1, 5)]
    public int Factor { get; init; } = 1;

    /// <summary>Channels of the generator at the size of the source, and at that of the stained image.</summary>
    [Range(1, 1024)]
    public int Width { get; init; } = 64;

    /// <summary>How often the generator halves the source.</summary>
    [Range(1, 10)]
    public int Depth { get; init; } = 4;

    /// <inheritdoc/>
    public override int Upscaling => Factor;

    /// <inheritdoc/>
    public override int SizeMultiple => 1;

    /// <inheritdoc/>
    // At its smallest the feature needs more than one pixel, or batch norm would leave nothing of it.
    public override int SmallestCrop => Math.Max(base.SmallestCrop, (2 << Depth) * Factor);

    /// <inheritdoc/>
    public override Method Create(Device device) => new Pix2PixMethod(this, device, Enlarged);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() =>
        new SuperResolutionUnet(Factor, InputChannels, OutputChannels, Width, Depth);

    private Tensor Enlarged(Tensor source) =>
        F.interpolate(ZScore.Standardize(source), scale_factor: Factor, mode: "bilinear");
}
