using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Contrastive;

/// <summary>
/// Settings common to methods with a contrastive loss of patches, after CUT (Park et al. 2020); the defaults are those of the official CUT.
/// </summary>
public abstract record ContrastiveConfig : GanConfig
{
    /// <summary>Creates the settings of the official CUT.</summary>
    protected ContrastiveConfig() => (GanMode, InitType) = (GanMode.Lsgan, "xavier");

    /// <summary>Generator: resnet_9blocks, resnet_6blocks or resnet_4blocks.</summary>
    [AllowedValues("resnet_9blocks", "resnet_6blocks", "resnet_4blocks")]
    public string Generator { get; init; } = "resnet_9blocks";

    /// <summary>Channels of the generator's first convolution.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>Number of halvings before the generator's blocks.</summary>
    [Range(1, 6)]
    public int NDownsampling { get; init; } = 2;

    /// <summary>Normalisation in the generator: instance, batch or none.</summary>
    public Norm NormG { get; init; } = Norm.Instance;

    /// <summary>Normalisation in the discriminator: instance, batch or none.</summary>
    public Norm NormD { get; init; } = Norm.Instance;

    /// <summary>Whether the convolutions of generator and PatchGAN have spectral norm.</summary>
    public bool SpectralNorm { get; init; }

    /// <summary>Whether the generator's blocks have dropout of one half in training.</summary>
    public bool Dropout { get; init; }

    /// <summary>Whether images are smoothed before each halving, instead of strided convolutions.</summary>
    public bool Antialias { get; init; } = true;

    /// <summary>Whether the generator doubles images by a fixed filter, instead of transposed convolutions.</summary>
    public bool AntialiasUp { get; init; } = true;

    /// <summary>Discriminator: patch (PatchGAN of n_layers_d layers) or pixel (1x1).</summary>
    [AllowedValues("patch", "pixel")]
    public string Discriminator { get; init; } = "patch";

    /// <summary>Second moment decay of Adam.</summary>
    [Range(0, 0.999999)]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Weight of the adversarial loss.</summary>
    [Range(0, 1e6)]
    public double LambdaGan { get; init; } = 1;

    /// <summary>Weight of the contrastive loss of source and stained image.</summary>
    [Range(0, 1e6)]
    public double LambdaNce { get; init; } = 1;

    /// <summary>Whether target images also pass through the generator, and the contrastive loss compares them with the result.</summary>
    public bool NceIdt { get; init; } = true;

    /// <summary>Layers of the generator whose features the contrastive loss compares, in ascending order.</summary>
    public List<int> NceLayers { get; init; } = [0, 4, 8, 12, 16];

    /// <summary>Temperature of the contrastive loss.</summary>
    [Range(1e-3, 100)]
    public double NceT { get; init; } = 0.07;

    /// <summary>Number of places of each layer that are compared.</summary>
    [Range(2, 65536)]
    public int NumPatches { get; init; } = 256;

    /// <summary>Length of the compared vectors after the perceptrons; 0 for the features themselves.</summary>
    [Range(0, 4096)]
    public int MlpChannels { get; init; } = 256;

    /// <summary>Whether negatives come from all images of the batch instead of the same image.</summary>
    public bool AllNegatives { get; init; }

    /// <summary>Whether the generator receives mirrored images in half of the steps, and the features are mirrored back.</summary>
    public bool FlipEquivariance { get; init; }

    /// <inheritdoc/>
    public override int SizeMultiple => 1 << NDownsampling;

    /// <inheritdoc/>
    public override int SmallestSize => Math.Max(8, 2 << NDownsampling);

    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(base.SmallestCrop, Discriminator == "patch" ? 3 << NLayersD : 0);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => CreateNetwork();

    /// <summary>Creates the generator.</summary>
    internal ResnetGenerator CreateNetwork() => new(InputChannels, OutputChannels, NormG, Options);

    /// <summary>Creates the discriminator of stained and target images.</summary>
    internal Module<Tensor, Tensor> CreateDiscriminator() => Discriminator == "pixel"
        ? new PixelDiscriminator(OutputChannels, Ndf, NormD)
        : new NLayerDiscriminator(OutputChannels, Ndf, NLayersD, NormD, Antialias, SpectralNorm, IsFromAsp);

    /// <summary>Creates the perceptrons for the features of a generator.</summary>
    internal PatchSampler CreateSampler(ResnetGenerator generator) =>
        new(generator.FeatureChannels(NceLayers, InputChannels, SmallestSize), MlpChannels, IsFromAsp);

    /// <summary>Whether the official code descends from ASP's, which names the discriminator's layers differently.</summary>
    internal virtual bool IsFromAsp => false;

    /// <summary>Learning rate of the discriminator.</summary>
    internal virtual double DiscriminatorLr => Lr;

    private int Blocks => Generator switch { "resnet_9blocks" => 9, "resnet_6blocks" => 6, _ => 4 };

    private ResnetOptions Options => new(Ngf, Blocks)
    {
        Dropout = Dropout,
        Downsamplings = NDownsampling,
        Antialias = Antialias,
        AntialiasUp = AntialiasUp,
        Spectral = SpectralNorm,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        if (InputChannels != OutputChannels)
        {
            throw new TinctorException(null, "the contrastive loss passes sources and stained images through the same generator, but the "
                + $"model maps {InputChannels} channels to {OutputChannels}", $"Use model.output_channels={InputChannels}")
            { Option = "model.output_channels" };
        }
        if (GanMode == GanMode.Wgangp)
            throw new TinctorException(null, "model.gan_mode is wgangp, expected lsgan or vanilla", "Use model.gan_mode=lsgan")
            { Option = "model.gan_mode" };
        int last = Options.Layers - 1;
        if (NceLayers.Count == 0 || NceLayers[0] < 0 || NceLayers[^1] > last || !NceLayers.SequenceEqual(NceLayers.Distinct().Order()))
        {
            throw new TinctorException(null, $"model.nce_layers is {string.Join(",", NceLayers)}, expected distinct layers from 0 to "
                + $"{last} in ascending order", "Use model.nce_layers=0,4,8,12,16")
            { Option = "model.nce_layers" };
        }
        return [];
    }
}
