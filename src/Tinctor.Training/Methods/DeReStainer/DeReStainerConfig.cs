using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Tinctor.Data;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Classification;
using Tinctor.Training.Loading;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.DeReStainer;

/// <summary>DeReStainer (Wei et al. 2024) with the paper's values; docs/methods/derestainer.md lists assumptions.</summary>
public sealed record DeReStainerConfig : GanConfig
{
    /// <summary>Smallest number of pairs in a step with which the level is learnt: 62 % at 8, at 1 as many as by chance.</summary>
    public const int SmallestBatch = 4;

    // Size of BCI's images, and the size to which they are resized for training.
    private const int PublishedSize = 1024, PublishedLoadSize = 512;

    /// <summary>Creates the settings of the paper.</summary>
    public DeReStainerConfig() => (GanMode, Lr) = (GanMode.Lsgan, 1e-5);

    /// <summary>Channels of the encoder's first block; the feature has 4 times as many.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>Number of blocks of the feature fusion.</summary>
    [Range(1, 64)]
    public int NBlocks { get; init; } = 9;

    /// <summary>Position of SimAM in a fusion block: branch (before the sum) or block (after it).</summary>
    [AllowedValues("branch", "block")]
    public string Simam { get; init; } = "branch";

    /// <summary>
    /// Style of the feature fusion: logits or probabilities of the IHC level, or the pooled feature from which the level is read, as in
    /// BCIStainer.
    /// </summary>
    [AllowedValues("logits", "probabilities", "feature")]
    public string Style { get; init; } = "logits";

    /// <summary>
    /// Blocks of the feature fusion: resnet (norm after both convolutions, x + branch) or bcistainer (no norm, leaky ReLU after both, (x +
    /// branch) / sqrt(2)).
    /// </summary>
    [AllowedValues("resnet", "bcistainer")]
    public string Fusion { get; init; } = "resnet";

    /// <summary>Normalisation in the fusion blocks of resnet: batch, instance or none.</summary>
    public Norm FusionNorm { get; init; } = Norm.Batch;

    /// <summary>Upsampling in the ReStainer: transpose (transposed convolution) or resize (nearest neighbour and convolution).</summary>
    [AllowedValues("transpose", "resize")]
    public string Upsample { get; init; } = "transpose";

    /// <summary>IHC levels in ascending order: the allowed labels of pairs.</summary>
    public List<string> Levels { get; init; } = ["0", "1+", "2+", "3+"];

    /// <summary>Minimum light in stain separation, which limits optical density; 1/255 is one 8-bit step, skimage uses 1e-6.</summary>
    [Range(1e-9, 0.1)]
    public double StainFloor { get; init; } = 1 / 255.0;

    /// <summary>Whether negative stain concentrations are set to 0, as in skimage's rgb2hed.</summary>
    public bool StainClamp { get; init; } = true;

    /// <summary>Classifier whose features L_cmp compares; null disables L_cmp.</summary>
    public ComparatorReference? Comparator { get; init; }

    /// <summary>Number of discriminators, each at half the resolution of the previous one.</summary>
    [Range(1, 4)]
    public int NumD { get; init; } = 2;

    /// <summary>Normalisation in the discriminators: batch, instance or none.</summary>
    public Norm NormD { get; init; } = Norm.Instance;

    /// <summary>Whether the H&amp;E image is an additional input of the discriminators.</summary>
    public bool Conditional { get; init; }

    /// <summary>
    /// Reading of the paper's outer weights, stain 2 = 1 + 1 and content 13 = 2 + 10 + 1: sum (each is the sum of the inner weights, which
    /// alone count) or published-product (the inner weights are multiplied by it).
    /// </summary>
    [AllowedValues("sum", "published-product")]
    public string Weighting { get; init; } = "sum";

    /// <summary>Factor of the stain loss L_stain; 0 disables it.</summary>
    [Range(0, 1e6)]
    public double LambdaStain { get; init; } = 1;

    /// <summary>
    /// Form of L_H: literal (the paper's, which lets the features of all images become equal), stop-gradient (gradients to the H&amp;E side
    /// only), centred (without the mean of each channel) or infonce (contrastive over the batch).
    /// </summary>
    [AllowedValues(AlignmentLoss.Literal, AlignmentLoss.StopGradient, AlignmentLoss.Centred, AlignmentLoss.Contrastive)]
    public string Alignment { get; init; } = AlignmentLoss.StopGradient;

    /// <summary>Temperature of alignment=infonce.</summary>
    [Range(0.001, 10)]
    public double AlignmentTemperature { get; init; } = 0.07;

    /// <summary>Weight of L_H within the stain loss.</summary>
    [Range(0, 1e6)]
    public double LambdaH { get; init; } = 1;

    /// <summary>Weight of L_DAB within the stain loss.</summary>
    [Range(0, 1e6)]
    public double LambdaDab { get; init; } = 1;

    /// <summary>Factor of the content loss; 0 disables it.</summary>
    [Range(0, 1e6)]
    public double LambdaContent { get; init; } = 1;

    /// <summary>Weight of the comparator's loss within the content loss.</summary>
    [Range(0, 1e6)]
    public double LambdaCmp { get; init; } = 2;

    /// <summary>Weight of the mean absolute error within the content loss.</summary>
    [Range(0, 1e6)]
    public double LambdaMae { get; init; } = 10;

    /// <summary>Weight of 1 - SSIM within the content loss.</summary>
    [Range(0, 1e6)]
    public double LambdaSsim { get; init; } = 1;

    /// <summary>Weight of the focal loss of the IHC level, L_level.</summary>
    [Range(0, 1e6)]
    public double LambdaLevel { get; init; } = 5;

    /// <summary>Weight of the adversarial loss.</summary>
    [Range(0, 1e6)]
    public double LambdaGan { get; init; } = 1;

    /// <summary>Focusing parameter gamma of the focal loss; 0 gives cross entropy.</summary>
    [Range(0, 10)]
    public double FocalGamma { get; init; } = 2;

    /// <summary>Weights of the levels in the focal loss, in their order; empty for equal ones. BCIStainer: 0.5,0.2,0.2,0.1.</summary>
    public List<double> LevelWeights { get; init; } = [];

    /// <summary>Weight decay of AdamW.</summary>
    [Range(0.0, 1.0)]
    public double WeightDecay { get; init; } = 0.01;

    /// <inheritdoc/>
    public override IReadOnlyList<string> PredictedLabels => Levels;

    /// <summary>Weight of the stain loss as a whole.</summary>
    internal double StainWeight => Weighting == "sum" ? LambdaStain : 2 * LambdaStain;

    /// <summary>Weight of the content loss as a whole.</summary>
    internal double ContentWeight => Weighting == "sum" ? LambdaContent : 13 * LambdaContent;

    /// <summary>Table 1b of the paper.</summary>
    internal override IReadOnlyList<Ablation> Ablations { get; } =
    [
        new("without_stain", "w/o L_stain", ["model.lambda_stain=0"]),
        new("without_dab", "w/o L_DAB", ["model.lambda_dab=0"]),
        new("product", "weights as products", ["model.weighting=published-product"]) { Published = false },
        new("literal_h", "literal L_H", [$"model.alignment={AlignmentLoss.Literal}"]) { Published = false },
        new("bcistainer_blocks", "blocks and style of BCIStainer", ["model.fusion=bcistainer", "model.style=feature"])
        { Published = false },
    ];

    /// <inheritdoc/>
    public override int SizeMultiple => DeReStainerGenerator.SizeMultiple;

    /// <inheritdoc/>
    public override int SmallestSize => DeReStainerGenerator.SmallestSize;

    // Normalisation of a single image needs more than one value after the last downsampling.
    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(64, 3 << NLayersD << (NumD - 1));

    /// <inheritdoc/>
    public override Method Create(Device device) => new DeReStainerMethod(this, device);

    /// <inheritdoc/>
    internal override bool TakesStains => true;

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => CreateNetwork();

    /// <summary>Creates the generator: DeStainer, feature fusion and ReStainer.</summary>
    internal DeReStainerGenerator CreateNetwork() => WithStainInput(
        new DeReStainerGenerator(Separation, Ngf, Levels.Count, NBlocks, Simam, Style, FusionNorm, Upsample, Fusion));

    /// <summary>Creates the discriminators of IHC images, full resolution first.</summary>
    public MultiscaleDiscriminator CreateDiscriminator() => WithStainInput(
        new MultiscaleDiscriminator(Conditional ? InputChannels + OutputChannels : OutputChannels, Ndf, NLayersD, NormD, NumD));

    /// <summary>Separation of haematoxylin, eosin and DAB (Ruifrok and Johnston 2001).</summary>
    internal StainSeparation Separation => new(StainMatrix.HaematoxylinEosinDab, StainFloor, StainClamp);

    /// <inheritdoc/>
    public override MethodConfig Completed()
    {
        return this with { Comparator = Comparator is { Path.Length: > 0 } ? ComparatorReference.FromFolder(Comparator.Path) : null };
    }

    /// <summary>Resizes images of 1,024 pixels to 512 by default, derives the scale of staining and of the comparator.</summary>
    internal override RunSettings CompletedFor(RunSettings run, TrainingData data, Action<string> note)
    {
        InferenceConfig inference = Inference;
        int? size = PixelScale.Read(data, resized: 0).ImageSize;
        if (run.Data.LoadSize is null && inference.Scale is null && size == PublishedSize && run.Data.CropSize <= PublishedLoadSize)
        {
            note($"images of {PublishedSize} pixels are resized to {PublishedLoadSize}, as in the paper; "
                + "data.load_size=0 keeps their size");
            run = run with { Data = run.Data with { LoadSize = PublishedLoadSize } };
        }
        int load = run.Data.LoadSize ?? 0;
        if (inference.Scale is null && load > 0)
        {
            if (size is null)
                note("the training images differ in size, so data.load_size gives no common scale; model.inference.scale is 1");
            inference = inference with { Scale = size is { } width ? load / (double)width : 1 };
        }
        ComparatorReference? comparator = !UsesComparator ? Comparator
            : Comparator?.ScaledFor(PixelScale.Read(data, load), run.Data.CropSize);
        if (comparator is { Scale: not 1 })
            note(string.Create(CultureInfo.InvariantCulture, $"images are resampled by {comparator.Scale:0.###} for the comparator"));
        return run with { Model = this with { Inference = inference, Comparator = comparator } };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        Check(train, test);
        var remarks = new List<string>();
        int unlabelled = train.Count(pair => pair.Label is null);
        if (unlabelled == train.Count)
        {
            remarks.Add("no pair has an IHC level, so L_level is disabled and the predicted level is meaningless; "
                + "provide levels by BCI file names or the label column of a manifest");
        }
        else if (unlabelled > 0)
        {
            remarks.Add($"{unlabelled} of {train.Count} pairs have no IHC level and are excluded from L_level");
        }
        if (UsesComparator && Comparator is null)
        {
            remarks.Add("no comparator is named (model.comparator.path), so L_cmp is disabled; "
                + "train a classifier with the role comparator to enable it");
        }
        return remarks;
    }

    /// <inheritdoc/>
    public override string? RemarkOnBatch(int batchSize) =>
        batchSize == 1 && Alignment == AlignmentLoss.Contrastive && StainWeight * LambdaH > 0
            ? "model.alignment=infonce compares the pairs of a step (training.batch_size, training.microbatch), so L_H is 0 with one pair; "
                + $"use training.batch_size={SmallestBatch} or more"
        : batchSize >= SmallestBatch || LambdaLevel == 0 ? null
        : $"batch norm over {batchSize} {(batchSize == 1 ? "pair" : "pairs")} (training.batch_size, training.microbatch) removes the "
            + "differences between images from which the IHC level is predicted; "
            + $"use training.batch_size={SmallestBatch} or more";

    /// <inheritdoc/>
    internal override ComparatorReference? TrainedWith => UsesComparator ? Comparator : null;

    private bool UsesComparator => LambdaContent * LambdaCmp != 0;

    private void Check(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        if (Levels.Count < 2 || Levels.Distinct().Count() < Levels.Count)
            throw new TinctorException(null, $"model.levels is {string.Join(",", Levels)}, expected two or more distinct labels",
                "Use model.levels=0,1+,2+,3+")
            { Option = "model.levels" };
        if ((LevelWeights.Count > 0 && LevelWeights.Count != Levels.Count) || LevelWeights.Any(weight => !(weight >= 0)))
        {
            throw new TinctorException(null, $"model.level_weights is {string.Join(",", LevelWeights)}, expected a number from 0 on "
                + $"for each of {Levels.Count} levels", $"Use model.level_weights={string.Join(",", Levels.Select(_ => 1))}")
            { Option = "model.level_weights" };
        }
        if (InputChannels != 3 || OutputChannels != 3)
        {
            throw new TinctorException(null,
                $"DeReStainer needs RGB images, but the model maps {InputChannels} channels to {OutputChannels}",
                "Use model.input_channels=3 and model.output_channels=3");
        }
        if (train.FirstOrDefault(pair => pair.Label is not null && !Levels.Contains(pair.Label)) is { } other)
            throw new TinctorException(other.Source,
                $"the label is {other.Label}, expected one of model.levels ({string.Join(", ", Levels)})",
                "Set model.levels to the labels of this data.");
        if (UsesComparator && Comparator is not null && Classifier.ReadCard(Comparator.Path).Training.TrainingSlidesIn(test) is { } tested)
            throw new TinctorException(Comparator.Path, $"this comparator was trained on test slides ({tested})",
                "Train a comparator on the same splits as the model.");
        if (TrainedWith is { } named && Classifier.ReadCard(named.Path).Training.CountUsed(test.Select(FileOfTarget)) is > 0 and var count)
            throw new TinctorException(named.Path, $"this comparator was trained or validated on {count} test images",
                "Train a comparator on the same splits as the model.");
    }

    private static string FileOfTarget(Pair pair) => pair.Layout == PairLayout.TwoFiles ? pair.Target! : pair.Source;
}
