using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Pix2Pix;

/// <summary>pix2pix (Isola et al. 2017) with the defaults of the official repository.</summary>
public sealed record Pix2PixConfig : ConditionalGanConfig
{
    /// <summary>Generator: resnet_9blocks, resnet_6blocks, unet_128, unet_256 or unet_512.</summary>
    [AllowedValues("resnet_9blocks", "resnet_6blocks", "unet_128", "unet_256", "unet_512")]
    public string Generator { get; init; } = "unet_256";

    /// <summary>Channels of the generator's first convolution.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>Whether the generator has dropout of one half in training.</summary>
    public bool Dropout { get; init; } = true;

    /// <inheritdoc/>
    public override int SizeMultiple => Generator.StartsWith("unet") ? 1 << UnetDowns : 4;

    /// <inheritdoc/>
    public override int SmallestSize => Generator.StartsWith("unet") ? SizeMultiple : 8;

    /// <inheritdoc/>
    internal override string NetworkName => $"the generator {Generator}";

    /// <inheritdoc/>
    internal override (string Setting, MethodConfig Model)? FinerNetwork => !Generator.StartsWith("unet") ? null
        : ("model.generator=resnet_9blocks", this with { Generator = "resnet_9blocks" });

    private int UnetDowns => Generator switch { "unet_128" => 7, "unet_256" => 8, _ => 9 };

    /// <inheritdoc/>
    public override Method Create(Device device) => new ConditionalGanMethod(this, device);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => Generator.StartsWith("unet")
        ? new UnetGenerator(InputChannels, OutputChannels, UnetDowns, Ngf, Norm, Dropout)
        : new ResnetGenerator(InputChannels, OutputChannels, Ngf, Norm, Dropout, Generator == "resnet_9blocks" ? 9 : 6);
}
