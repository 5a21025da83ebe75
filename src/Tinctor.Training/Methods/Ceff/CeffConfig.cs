using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Ceff;

/// <summary>
/// CEFF (Jia et al. 2025) with the official repository's values; where paper and code differ is said in docs/methods/ceff.md.
/// </summary>
public sealed record CeffConfig : ConditionalGanConfig
{
    /// <summary>official (the code's network, which its checkpoints fit) or paper (the text's).</summary>
    public CeffVariant Variant { get; init; } = CeffVariant.Official;

    /// <summary>Channels of the generator at full size.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>The trained encoders; see <see cref="EncoderStart"/>.</summary>
    public EncoderReference? Encoders { get; init; }

    /// <summary>
    /// trained (see <see cref="EncoderConfig"/>), or random: the official code initialises the encoders again after loading them, so that it
    /// trains with random ones.
    /// </summary>
    [AllowedValues("trained", "random")]
    public string EncoderStart { get; init; } = "trained";

    /// <summary>
    /// running or batch: which statistics the frozen encoders' batch norms use in training; the official code's are the batch's.
    /// </summary>
    [AllowedValues("running", "batch")]
    public string EncoderStatistics { get; init; } = "running";

    /// <summary>Length of the embeddings, where no trained encoders say it.</summary>
    [Range(2, 65536)]
    public int FeatureDim { get; init; } = 1024;

    /// <summary>Wavelet convolutions and the multi-scale module; false is the paper's ablation.</summary>
    public bool Vmfe { get; init; } = true;

    /// <summary>Cross-attention to the H&amp;E encoder's feature; false is the paper's ablation.</summary>
    public bool Fusion { get; init; } = true;

    /// <summary>How strongly the H&amp;E encoder's feature takes part.</summary>
    [Range(0, 100)]
    public double Alpha { get; init; } = 0.2;

    /// <summary>The H&amp;E encoder sees the image as so many rows and columns of tiles.</summary>
    [Range(1, 16)]
    public int Grid { get; init; } = 2;

    /// <summary>Whether the IHC encoder weights the L1 distance tile by tile; false is the paper's ablation.</summary>
    public bool AdaptiveL1 { get; init; } = true;

    /// <summary>Rows and columns of the tiles that have a weight each.</summary>
    [Range(1, 64)]
    public int L1Grid { get; init; } = 2;

    /// <summary>A weight for each image's tiles; false shares one among the batch, as in the official code.</summary>
    public bool L1ByImage { get; init; } = true;

    /// <summary>The L1 weight of tiles of similarity 0; lambda_l1 is the weight where it is not adaptive.</summary>
    [Range(0, 1e6)]
    public double L1Alpha { get; init; } = 50;

    /// <summary>Added at similarity 1, and subtracted at -1.</summary>
    [Range(0, 1e6)]
    public double L1Beta { get; init; } = 50;

    /// <summary>Table 2 of the paper, and what paper and code do differently.</summary>
    public override IReadOnlyList<Ablation> Ablations { get; } =
    [
        new("without_vmfe", "w/o multi-scale feature extraction", ["model.vmfe=false"]),
        new("without_fusion", "w/o cross-attention feature fusion", ["model.fusion=false"]),
        new("without_adaptive_l1", "w/o adaptive L1 loss", ["model.adaptive_l1=false"]),
        new("paper", "the text's network", ["model.variant=paper"]) { Published = false },
        new("random_encoders", "random encoders", ["model.encoder_start=random"]) { Published = false },
        new("batch_statistics", "encoders with the batch's statistics", ["model.encoder_statistics=batch"]) { Published = false },
        new("shared_l1", "one L1 weight a tile for the batch", ["model.l1_by_image=false"]) { Published = false },
    ];

    /// <inheritdoc/>
    public override int SizeMultiple => CeffEncoder.FeatureScale * (Fusion ? Grid : 1);

    /// <inheritdoc/>
    public override int SmallestSize => 16 * (Fusion ? Grid : 1);

    // Batch norm needs more than one value behind the encoder's last halving.
    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(base.SmallestCrop, AdaptiveL1 ? 16 * L1Grid : 0);

    /// <inheritdoc/>
    public override Method Create(Device device) => new CeffMethod(this, device);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => CreateNetwork();

    /// <summary>The generator, with a source encoder that has yet to get its weights.</summary>
    public CeffGenerator CreateNetwork() => new(Variant, Ngf, FeatureDim, Vmfe, Fusion, Alpha, Grid);

    /// <inheritdoc/>
    public override MethodConfig Completed()
    {
        if (!UsesEncoders || Encoders is not { Path.Length: > 0 }) return this with { Encoders = null };
        EncoderReference encoders = EncoderReference.FromFolder(Encoders.Path);
        EncoderCard card = EncoderReference.ReadCard(encoders.Path);
        if (card.Ngf != Ngf)
            throw new TinctorException($"{encoders.Path}: these encoders have {card.Ngf} channels where the generator has {Ngf}, and "
                + $"their features are added; set model.ngf={card.Ngf}, or train encoders of the same ngf");
        return this with { Encoders = encoders, FeatureDim = card.FeatureDim };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        if (InputChannels != 3 || OutputChannels != 3)
            throw new TinctorException("ceff's encoders take RGB images; model.input_channels and model.output_channels must be 3");
        if (!UsesEncoders) return [];
        if (Encoders is null)
        {
            return EncoderStart == "random"
                ? ["the encoders are random and frozen, as in the official code: their features have no meaning"]
                : throw new OptionException("Encoders", "ceff needs trained encoders, and none are named",
                    "Train encoders on the same data first, or set model.encoder_start=random to train without, as the official code does");
        }
        return EncoderReference.ReadCard(Encoders.Path).Training.Among(test) is not { } tested ? []
            : throw new TinctorException(Encoders.Path, $"these encoders were trained on test slides ({tested})",
                "Train encoders on the same splits as the model.");
    }

    private bool UsesEncoders => Fusion || AdaptiveL1;
}
