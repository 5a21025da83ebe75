using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.CycleGan;

/// <summary>CycleGAN (Zhu et al. 2017) with the defaults of the official repository; needs no pairs.</summary>
public sealed record CycleGanConfig : PatchGanConfig
{
    /// <summary>Creates the settings of the official repository.</summary>
    public CycleGanConfig() => (GanMode, Norm, PoolSize) = (GanMode.Lsgan, Norm.Instance, 50);

    /// <summary>Generators: resnet_9blocks, resnet_6blocks, unet_128, unet_256 or unet_512.</summary>
    [AllowedValues("resnet_9blocks", "resnet_6blocks", "unet_128", "unet_256", "unet_512")]
    public string Generator { get; init; } = "resnet_9blocks";

    /// <summary>Channels of the first convolution of the generators.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>Whether the generators have dropout of one half in training.</summary>
    public bool Dropout { get; init; }

    /// <summary>Weight of the cycle from source to target and back (Eqn. 2 of the paper).</summary>
    [Range(0, 1e6)]
    public double LambdaA { get; init; } = 10;

    /// <summary>Weight of the cycle from target to source and back.</summary>
    [Range(0, 1e6)]
    public double LambdaB { get; init; } = 10;

    /// <summary>
    /// Weight of the identity losses relative to those of the cycles (section 5.2 of the paper); 0 for none, as needed for different
    /// numbers of channels.
    /// </summary>
    [Range(0, 1e6)]
    public double LambdaIdentity { get; init; } = 0.5;

    /// <inheritdoc/>
    public override bool AcceptsUnpaired => true;

    /// <inheritdoc/>
    public override int SizeMultiple => Network.SizeMultiple;

    /// <inheritdoc/>
    public override int SmallestSize => Network.SmallestSize;

    /// <inheritdoc/>
    internal override string NetworkName => $"the generator {Generator}";

    /// <inheritdoc/>
    internal override (string Setting, MethodConfig Model)? FinerNetwork => !Network.IsUnet ? null
        : ($"model.generator={NamedGenerator.ForAnySize}", this with { Generator = NamedGenerator.ForAnySize });

    private NamedGenerator Network => new(Generator);

    /// <inheritdoc/>
    internal override MethodConfig Reversed() => this with
    {
        InputChannels = OutputChannels,
        OutputChannels = InputChannels,
        LambdaA = LambdaB,
        LambdaB = LambdaA,
    };

    /// <inheritdoc/>
    public override Method Create(Device device) => new CycleGanMethod(this, device);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => Network.Create(InputChannels, OutputChannels, Ngf, Norm, Dropout);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        if (LambdaIdentity > 0 && InputChannels != OutputChannels)
        {
            throw new TinctorException(null, $"the identity loss needs sources and targets of as many channels, but the model maps "
                + $"{InputChannels} channels to {OutputChannels}", "Use model.lambda_identity=0")
            { Option = "model.lambda_identity" };
        }
        return [];
    }
}
