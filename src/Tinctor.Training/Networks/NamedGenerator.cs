using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Generators of the official pix2pix, CycleGAN and PyramidPix2pix by name (networks.define_G), such as resnet_9blocks or unet_256.
/// </summary>
/// <param name="Name">resnet_9blocks, resnet_6blocks, unet_128, unet_256, unet_512 or attention_unet_32.</param>
internal readonly record struct NamedGenerator(string Name)
{
    /// <summary>Generator for any size, proposed if a crop does not suit a U-Net.</summary>
    public const string ForAnySize = "resnet_9blocks";

    /// <summary>The U-Net with attention gates and five downsampling steps, without dropout.</summary>
    public const string AttentionUnet = "attention_unet_32";

    /// <summary>Whether it is a U-Net.</summary>
    public bool IsUnet => Name.Contains("unet", StringComparison.Ordinal);

    /// <summary>Sources have sides that are multiples of this.</summary>
    public int SizeMultiple => IsUnet ? 1 << UnetDowns : 4;

    /// <summary>Minimum height and width of sources in pixels.</summary>
    public int SmallestSize => IsUnet ? SizeMultiple : 8;

    private int UnetDowns => Name switch { AttentionUnet => 5, "unet_128" => 7, "unet_256" => 8, _ => 9 };

    /// <summary>Creates the network.</summary>
    public Module<Tensor, Tensor> Create(int inputs, int outputs, int ngf, Norm norm, bool dropout) =>
        Name == AttentionUnet ? new AttentionUnetGenerator(inputs, outputs, ngf, norm)
        : IsUnet ? new UnetGenerator(inputs, outputs, UnetDowns, ngf, norm, dropout)
        : new ResnetGenerator(inputs, outputs, ngf, norm, dropout, Name == "resnet_9blocks" ? 9 : 6);
}
