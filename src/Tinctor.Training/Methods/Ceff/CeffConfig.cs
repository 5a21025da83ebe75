using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Ceff;

/// <summary>
/// CEFF (Jia et al. 2025) with the values of the official repository; docs/methods/ceff.md lists the differences of paper and code.
/// </summary>
public sealed record CeffConfig : ConditionalGanConfig
{
    /// <summary>Architecture: official (that of the code and its checkpoints) or paper (that of the text).</summary>
    public CeffVariant Variant { get; init; } = CeffVariant.Official;

    /// <summary>Channels of the generator at full size.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>Trained encoders; see <see cref="EncoderStart"/>.</summary>
    public EncoderReference? Encoders { get; init; }

    /// <summary>
    /// Weights of the frozen encoders: trained (see <see cref="EncoderConfig"/>) or random, as in the official code, which initialises the
    /// encoders again after loading them.
    /// </summary>
    [AllowedValues("trained", "random")]
    public string EncoderStart { get; init; } = "trained";

    /// <summary>
    /// Statistics of the frozen encoders' batch norms in training: running, or batch as in the official code.
    /// </summary>
    [AllowedValues("running", "batch")]
    public string EncoderStatistics { get; init; } = "running";

    /// <summary>Length of the embeddings; trained encoders override it.</summary>
    [Range(2, 65536)]
    public int FeatureDim { get; init; } = 1024;

    /// <summary>Whether the generator has wavelet convolutions and the multi-scale module; false is an ablation of the paper.</summary>
    public bool Vmfe { get; init; } = true;

    /// <summary>Whether the generator has cross-attention to the H&amp;E encoder's feature; false is an ablation of the paper.</summary>
    public bool Fusion { get; init; } = true;

    /// <summary>Weight of the H&amp;E encoder's feature.</summary>
    [Range(0, 100)]
    public double Alpha { get; init; } = 0.2;

    /// <summary>Number of rows and columns of tiles into which the image is split for the H&amp;E encoder.</summary>
    [Range(1, 16)]
    public int Grid { get; init; } = 2;

    /// <summary>Whether the IHC encoder weights the L1 distance of each tile; false is an ablation of the paper.</summary>
    public bool AdaptiveL1 { get; init; } = true;

    /// <summary>Number of rows and columns of tiles of the adaptive L1 loss.</summary>
    [Range(1, 64)]
    public int L1Grid { get; init; } = 2;

    /// <summary>Whether each image has its own tile weights; false shares them in the batch, as in the official code.</summary>
    public bool L1ByImage { get; init; } = true;

    /// <summary>L1 weight of tiles with similarity 0; without adaptive_l1 the weight is lambda_l1.</summary>
    [Range(0, 1e6)]
    public double L1Alpha { get; init; } = 50;

    /// <summary>Increase of the L1 weight at similarity 1, and decrease at -1.</summary>
    [Range(0, 1e6)]
    public double L1Beta { get; init; } = 50;

    /// <summary>Table 2 of the paper, and the differences of paper and code.</summary>
    internal override IReadOnlyList<Ablation> Ablations { get; } =
    [
        new("without_vmfe", "w/o multi-scale feature extraction", ["model.vmfe=false"]),
        new("without_fusion", "w/o cross-attention feature fusion", ["model.fusion=false"]),
        new("without_adaptive_l1", "w/o adaptive L1 loss", ["model.adaptive_l1=false"]),
        new("paper", "network of the text", ["model.variant=paper"]) { Published = false },
        new("random_encoders", "random encoders", ["model.encoder_start=random"]) { Published = false },
        new("batch_statistics", "encoders with batch statistics", ["model.encoder_statistics=batch"]) { Published = false },
        new("shared_l1", "common L1 weights of the batch", ["model.l1_by_image=false"]) { Published = false },
    ];

    /// <inheritdoc/>
    public override int SizeMultiple => CeffEncoder.FeatureScale * (Fusion ? Grid : 1);

    /// <inheritdoc/>
    public override int SmallestSize => 16 * (Fusion ? Grid : 1);

    // Batch norm needs more than one value after the encoder's last downsampling.
    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(base.SmallestCrop, AdaptiveL1 ? 16 * L1Grid : 0);

    /// <inheritdoc/>
    public override Method Create(Device device) => new CeffMethod(this, device);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => CreateNetwork();

    /// <summary>Creates the generator; its encoder has no trained weights yet.</summary>
    internal CeffGenerator CreateNetwork() => WithStainInput(new CeffGenerator(Variant, Ngf, FeatureDim, Vmfe, Fusion, Alpha, Grid));

    /// <inheritdoc/>
    public override MethodConfig Completed()
    {
        if (!UsesEncoders || Encoders is not { Path.Length: > 0 }) return this with { Encoders = null };
        EncoderReference encoders = EncoderReference.FromFolder(Encoders.Path);
        EncoderCard card = EncoderReference.ReadCard(encoders.Path);
        if (card.Ngf != Ngf)
        {
            throw new TinctorException(encoders.Path, $"these encoders have ngf {card.Ngf}, but model.ngf is {Ngf}",
                $"Use model.ngf={card.Ngf}, or train encoders with ngf={Ngf}");
        }
        return this with { Encoders = encoders, FeatureDim = card.FeatureDim };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        if (InputChannels != 3 || OutputChannels != 3)
        {
            throw new TinctorException(null, $"CEFF needs RGB images, but the model maps {InputChannels} channels to {OutputChannels}",
                "Use model.input_channels=3 and model.output_channels=3");
        }
        if (!UsesEncoders) return [];
        if (Encoders is null)
        {
            return EncoderStart == "random"
                ? ["the encoders are random and frozen, as in the official code; their features are meaningless"]
                : throw new OptionException("Encoders", "CEFF needs trained encoders, and none are named",
                    "Train encoders on the same data first, or use model.encoder_start=random, as in the official code");
        }
        return EncoderReference.ReadCard(Encoders.Path).Training.TrainingSlidesIn(test) is not { } tested ? []
            : throw new TinctorException(Encoders.Path, $"these encoders were trained on test slides ({tested})",
                "Train encoders on the same splits as the model.");
    }

    private bool UsesEncoders => Fusion || AdaptiveL1;
}
