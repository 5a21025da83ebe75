using System.ComponentModel.DataAnnotations;
using Tinctor.Staining.Losses;
using Tinctor.Staining.Networks;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Staining.Methods.Pix2Pix;

/// <summary>pix2pix (Isola et al. 2017) with the official repository's defaults.</summary>
public sealed record Pix2PixConfig : MethodConfig
{
    /// <summary>resnet_9blocks, resnet_6blocks, unet_128, unet_256 or unet_512.</summary>
    [AllowedValues("resnet_9blocks", "resnet_6blocks", "unet_128", "unet_256", "unet_512")]
    public string Generator { get; init; } = "unet_256";

    /// <summary>Channels of the generator's first convolution.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>patch (PatchGAN of n_layers_d layers) or pixel (1x1).</summary>
    [AllowedValues("patch", "pixel")]
    public string Discriminator { get; init; } = "patch";

    /// <summary>Channels of the discriminator's first convolution.</summary>
    [Range(1, 1024)]
    public int Ndf { get; init; } = 64;

    /// <summary>Strided layers of the PatchGAN; 3 see 70x70 pixels.</summary>
    [Range(1, 8)]
    public int NLayersD { get; init; } = 3;

    /// <summary>batch, instance or none.</summary>
    public Norm Norm { get; init; } = Norm.Batch;

    /// <summary>Dropout of one half in the generator while training.</summary>
    public bool Dropout { get; init; } = true;

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
    public override int SizeMultiple => Generator.StartsWith("unet") ? 1 << UnetDowns : 4;

    /// <inheritdoc/>
    public override int SmallestSize => Generator.StartsWith("unet") ? SizeMultiple : 8;

    /// <inheritdoc/>
    public override int SmallestCrop => Discriminator == "patch" ? Math.Max(SmallestSize, 3 << NLayersD) : SmallestSize;

    private int UnetDowns => Generator switch { "unet_128" => 7, "unet_256" => 8, _ => 9 };

    /// <inheritdoc/>
    public override Method Create(Device device) => new Pix2PixMethod(this, device);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => Generator.StartsWith("unet")
        ? new UnetGenerator(InputChannels, OutputChannels, UnetDowns, Ngf, Norm, Dropout)
        : new ResnetGenerator(InputChannels, OutputChannels, Ngf, Norm, Dropout, Generator == "resnet_9blocks" ? 9 : 6);

    /// <summary>The conditional discriminator: it sees source and target together.</summary>
    public Module<Tensor, Tensor> CreateDiscriminator() => Discriminator == "pixel"
        ? new PixelDiscriminator(InputChannels + OutputChannels, Ndf, Norm)
        : new NLayerDiscriminator(InputChannels + OutputChannels, Ndf, NLayersD, Norm);
}
