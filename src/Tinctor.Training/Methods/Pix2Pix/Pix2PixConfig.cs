using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Pix2Pix;

/// <summary>pix2pix (Isola et al. 2017) with the defaults of the official repository.</summary>
public record Pix2PixConfig : ConditionalGanConfig
{
    /// <summary>Generator: resnet_9blocks, resnet_6blocks, unet_128, unet_256, unet_512 or attention_unet_32.</summary>
    [AllowedValues("resnet_9blocks", "resnet_6blocks", "unet_128", "unet_256", "unet_512", NamedGenerator.AttentionUnet)]
    public string Generator { get; init; } = "unet_256";

    /// <summary>Channels of the generator's first convolution.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>Whether the generator has dropout of one half in training.</summary>
    public bool Dropout { get; init; } = true;

    /// <inheritdoc/>
    public sealed override int SizeMultiple => Network.SizeMultiple;

    /// <inheritdoc/>
    public sealed override int SmallestSize => Network.SmallestSize;

    /// <inheritdoc/>
    internal sealed override string NetworkName => $"the generator {Generator}";

    /// <inheritdoc/>
    internal sealed override (string Setting, MethodConfig Model)? FinerNetwork => !Network.IsUnet ? null
        : ($"model.generator={NamedGenerator.ForAnySize}", this with { Generator = NamedGenerator.ForAnySize });

    /// <summary>The generator alone.</summary>
    internal override IReadOnlyList<Ablation> Ablations => [new("without_gan", "w/o GAN", ["model.lambda_gan=0"])];

    private NamedGenerator Network => new(Generator);

    /// <inheritdoc/>
    public override Method Create(Device device) => new ConditionalGanMethod(this, device);

    /// <inheritdoc/>
    public sealed override Module<Tensor, Tensor> CreateGenerator() =>
        WithStainInput(Network.Create(InputChannels, OutputChannels, Ngf, Norm, Dropout));
}
