using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Loading;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Pix2PixHd;

/// <summary>pix2pixHD (Wang et al. 2018) for images, without label maps and instances, with the defaults of NVIDIA/pix2pixHD.</summary>
public sealed record Pix2PixHdConfig : GanConfig
{
    /// <summary>Creates the settings of the official repository.</summary>
    public Pix2PixHdConfig() => GanMode = GanMode.Lsgan;

    /// <summary>Generator: global, or local (global generator at half size, and a local enhancer; ngf is 32 in the paper).</summary>
    [AllowedValues("global", "local")]
    public string Generator { get; init; } = "global";

    /// <summary>Channels of the generator at full size; with local, the global generator has 2^n_local_enhancers times as many.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>Number of downsampling convolutions of the global generator.</summary>
    [Range(1, 10)]
    public int NDownsampleGlobal { get; init; } = 4;

    /// <summary>Number of residual blocks of the global generator.</summary>
    [Range(1, 100)]
    public int NBlocksGlobal { get; init; } = 9;

    /// <summary>Number of local enhancers, each for twice the size, for generator=local.</summary>
    [Range(1, 4)]
    public int NLocalEnhancers { get; init; } = 1;

    /// <summary>Number of residual blocks of each local enhancer.</summary>
    [Range(1, 100)]
    public int NBlocksLocal { get; init; } = 3;

    /// <summary>Number of first epochs in which only the last local enhancer is trained, for generator=local.</summary>
    [Range(0, 1000000)]
    public int NiterFixGlobal { get; init; }

    /// <summary>Number of first steps in which only the last local enhancer is trained. Empty for those of niter_fix_global.</summary>
    [Range(0, int.MaxValue)]
    public int? FixGlobalSteps { get; init; }

    /// <summary>Normalisation in generator and discriminators: instance or batch.</summary>
    [AllowedValues(Norm.Instance, Norm.Batch)]
    public Norm Norm { get; init; } = Norm.Instance;

    /// <summary>Number of discriminators, each at half the resolution of the previous one.</summary>
    [Range(1, 4)]
    public int NumD { get; init; } = 2;

    /// <summary>Whether the layers of the discriminators are compared (feature matching).</summary>
    public bool GanFeatLoss { get; init; } = true;

    /// <summary>Weight of the feature matching and of the VGG loss.</summary>
    [Range(0, 1e6)]
    public double LambdaFeat { get; init; } = 10;

    /// <summary>File of torchvision's weights of vgg19 for the VGG loss; empty for no VGG loss.</summary>
    public string VggWeights { get; init; } = "";

    /// <summary>Size of the history of generated images for the discriminators; 0 for none.</summary>
    [Range(0, 10000)]
    public int PoolSize { get; init; }

    /// <inheritdoc/>
    public override int SizeMultiple => 1 << (NDownsampleGlobal + (IsLocal ? NLocalEnhancers : 0));

    // Reflection and instance norm need two pixels at the lowest resolution.
    /// <inheritdoc/>
    public override int SmallestSize => 2 * SizeMultiple;

    /// <inheritdoc/>
    internal override string NetworkName => $"the generator {Generator}";

    private bool IsLocal => Generator == "local";

    /// <inheritdoc/>
    public override Method Create(Device device) => new Pix2PixHdMethod(this, device);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => IsLocal
        ? new LocalEnhancer(InputChannels, OutputChannels, Ngf, NDownsampleGlobal, NBlocksGlobal, NLocalEnhancers, NBlocksLocal, Norm)
        : new GlobalGenerator(InputChannels, OutputChannels, Ngf, NDownsampleGlobal, NBlocksGlobal, Norm);

    /// <summary>Creates the discriminators; their input is source and target.</summary>
    internal Pix2PixHdDiscriminator CreateDiscriminator() =>
        new(InputChannels + OutputChannels, Ndf, NLayersD, Norm, NumD, GanFeatLoss);

    /// <summary>First part of the keys of the last local enhancer.</summary>
    internal string LastEnhancer => LocalEnhancer.EnhancerKey(NLocalEnhancers);

    /// <inheritdoc/>
    public override MethodConfig Completed()
    {
        if (GanMode == GanMode.Wgangp)
            throw new TinctorException(null, "model.gan_mode is wgangp, expected lsgan or vanilla", "Use model.gan_mode=lsgan")
            { Option = "model.gan_mode" };
        if (!IsLocal && (NiterFixGlobal > 0 || FixGlobalSteps > 0))
            throw new TinctorException(null, "model.niter_fix_global is set, but model.generator is global, which has no local enhancer",
                "Use model.generator=local, or model.niter_fix_global=0")
            { Option = "model.niter_fix_global" };
        if (VggWeights.Length > 0 && OutputChannels != 3)
            throw new TinctorException(null, $"the VGG loss needs RGB images, but model.output_channels is {OutputChannels}",
                "Leave model.vgg_weights empty")
            { Option = "model.vgg_weights" };
        if (VggWeights.Length == 0) return this;
        string path = Path.GetFullPath(VggWeights);
        using (InputFile.Open(path)) return this with { VggWeights = path };
    }

    /// <summary>Converts the epochs of the fixed global generator to steps.</summary>
    internal override RunSettings CompletedFor(RunSettings run, TrainingData data, Action<string> note)
    {
        int perEpoch = (data.Train.Count + run.Training.BatchSize - 1) / run.Training.BatchSize;
        return run with { Model = this with { FixGlobalSteps = FixGlobalSteps ?? NiterFixGlobal * perEpoch } };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test) => VggWeights.Length > 0 ? []
        : ["no VGG loss: model.vgg_weights names no file (the official code has it by default)"];
}
