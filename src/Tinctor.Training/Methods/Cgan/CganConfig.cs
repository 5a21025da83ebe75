using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Cgan;

/// <summary>
/// Conditional GAN with which the super-resolution paper (Zhang et al. 2024) compares its bridge (not SRGAN, Ledig et al. 2017). Sources
/// are z-scored and may have any number of channels and a lower resolution.
/// </summary>
/// <remarks>
/// The paper specifies only a U-Net with a super-resolution head and a conditional discriminator. PatchGAN, losses, weights and learning
/// rates are those of pix2pix. The discriminator's condition is the z-scored source, enlarged bilinearly to avoid artificial edges.
/// </remarks>
public sealed record CganConfig : ConditionalGanConfig
{
    /// <summary>Size of the stained image relative to the source; 4 or 5 in the paper.</summary>
    [Range(1, 5)]
    public int Factor { get; init; } = 1;

    /// <summary>Channels of the generator at the sizes of source and stained image.</summary>
    [Range(1, 1024)]
    public int Width { get; init; } = 64;

    /// <summary>Number of downsampling steps of the generator.</summary>
    [Range(1, 10)]
    public int Depth { get; init; } = 4;

    /// <summary>
    /// Region of the z-score of sources: image (the whole image or slide, in training and staining) or crop (as the
    /// official code).
    /// </summary>
    public ZScoreRegion ZScore { get; init; } = ZScoreRegion.Crop;

    /// <inheritdoc/>
    public override bool StandardizesSource => ZScore == ZScoreRegion.Image;

    /// <inheritdoc/>
    public override int Upscaling => Factor;

    /// <inheritdoc/>
    public override int SizeMultiple => 1;

    /// <inheritdoc/>
    // Batch norm needs more than one pixel at the lowest resolution.
    public override int SmallestCrop => Math.Max(base.SmallestCrop, (2 << Depth) * Factor);

    /// <inheritdoc/>
    public override Method Create(Device device) => new ConditionalGanMethod(this, device, Enlarged);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() =>
        WithStainInput(new SuperResolutionUnet(Factor, InputChannels, OutputChannels, Width, Depth, standardise: !StandardizesSource));

    private Tensor Enlarged(Tensor source) =>
        F.interpolate(StandardizesSource ? source : Networks.ZScore.Standardize(source), scale_factor: Factor, mode: "bilinear");
}
