using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.BciStainer;

/// <summary>
/// BCIStainer (quqixun/BCIStainer, a solution of the BCI challenge), with the values of configs/stainer_basic_cmp/exp3.yaml;
/// docs/methods/bcistainer.md lists the differences.
/// </summary>
public sealed record BciStainerConfig : GanConfig
{
    // Part of a run in which the comparator is trained: 50 of 150 epochs, which are also the warm-up.
    private const int ComparatorShare = 3;

    /// <summary>Creates the settings of the official configuration.</summary>
    public BciStainerConfig() => (GanMode, Lr, Ndf) = (GanMode.Lsgan, 1e-3, 32);

    /// <summary>Channels of the generator's first convolution; feature and style have 8 times as many.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 32;

    /// <summary>Side in pixels of the images for which style and comparator halve to 8x8 values; determines their layers.</summary>
    [Range(64, 8192)]
    public int FullSize { get; init; } = 1024;

    /// <summary>Number of modulated blocks.</summary>
    [Range(1, 64)]
    public int NBlocks { get; init; } = 9;

    /// <summary>Whether SimAM closes the branch of each modulated block.</summary>
    public bool Attention { get; init; } = true;

    /// <summary>Probability of dropout before the IHC level, in generator and comparator.</summary>
    [Range(0.0, 0.99)]
    public double Dropout { get; init; } = 0.2;

    /// <summary>IHC levels in ascending order: the allowed labels of pairs.</summary>
    public List<string> Levels { get; init; } = ["0", "1+", "2+", "3+"];

    /// <summary>Weights of the levels in the focal loss, in the order of levels.</summary>
    public List<double> LevelWeights { get; init; } = [0.5, 0.2, 0.2, 0.1];

    /// <summary>Focusing parameter gamma of the focal loss; 0 gives cross entropy.</summary>
    [Range(0, 10)]
    public double FocalGamma { get; init; } = 2;

    /// <summary>Number of discriminators, each at half the resolution of the previous one.</summary>
    [Range(1, 4)]
    public int NumD { get; init; } = 2;

    /// <summary>Whether the H&amp;E image is an additional input of the discriminators.</summary>
    public bool Conditional { get; init; }

    /// <summary>Width of the range from which the labels real and fake are drawn, 1 - smoothing to 1 and 0 to smoothing.</summary>
    [Range(0.0, 0.5)]
    public double LabelSmoothing { get; init; } = 0.1;

    /// <summary>Number of first steps in which the comparator is trained; afterwards L_cmp uses it. Empty for a third of the run.</summary>
    [Range(0, int.MaxValue)]
    public int? ComparatorSteps { get; init; }

    /// <summary>Learning rate of the comparator, which has no schedule.</summary>
    [Range(0.0, 1.0)]
    public double ComparatorLr { get; init; } = 1e-4;

    /// <summary>Weight of the adversarial loss.</summary>
    [Range(0, 1e6)]
    public double LambdaGan { get; init; } = 1;

    /// <summary>Weight of the mean absolute error.</summary>
    [Range(0, 1e6)]
    public double LambdaMae { get; init; } = 10;

    /// <summary>Factor of the mean absolute error at an eighth of the size, relative to that at full size.</summary>
    [Range(0, 1e6)]
    public double LambdaSmall { get; init; } = 1;

    /// <summary>Weight of 1 - SSIM, with a window of 9 pixels and sigma 2.375.</summary>
    [Range(0, 1e6)]
    public double LambdaSsim { get; init; } = 1;

    /// <summary>Weight of the focal loss of the IHC level that the generator predicts.</summary>
    [Range(0, 1e6)]
    public double LambdaLevel { get; init; } = 5;

    /// <summary>Weight of the cosine distance between the comparator's latents of stained and real images.</summary>
    [Range(0, 1e6)]
    public double LambdaCmp { get; init; } = 1;

    /// <summary>Second moment decay of AdamW.</summary>
    [Range(0, 0.999999)]
    public double Beta2 { get; init; } = 0.9;

    /// <summary>Weight decay of AdamW.</summary>
    [Range(0.0, 1.0)]
    public double WeightDecay { get; init; } = 0.05;

    /// <inheritdoc/>
    public override IReadOnlyList<string> PredictedLabels => Levels;

    /// <inheritdoc/>
    public override int SizeMultiple => 1 << BciStainerGenerator.Halvings;

    // Reflection needs two pixels before each halving, and three pixels beside the full size.
    /// <inheritdoc/>
    public override int SmallestSize => Math.Max(16, 1 << (int)Math.Log2(FullSize / 8));

    // Batch norm of a single image needs more than one value.
    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(2 * SmallestSize, Math.Max(64, 3 << NLayersD << (NumD - 1)));

    /// <inheritdoc/>
    public override Method Create(Device device) => new BciStainerMethod(this, device);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => CreateNetwork();

    /// <summary>Creates the generator.</summary>
    internal BciStainerGenerator CreateNetwork() =>
        new(InputChannels, OutputChannels, Ngf, Levels.Count, FullSize, NBlocks, Attention, Dropout);

    /// <summary>Sets the lengths of warm-up and training of the comparator, a third of the run, unless they are given.</summary>
    internal override RunSettings CompletedFor(RunSettings run, TrainingData data, Action<string> note)
    {
        LoopConfig training = run.Training;
        int first = run.Steps / ComparatorShare;
        if (training.LrWarmUp == 0 && training.Schedule == Schedule.Cosine) training = training with { LrWarmUp = first };
        return run with { Training = training, Model = this with { ComparatorSteps = ComparatorSteps ?? first } };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        Check(train);
        int unlabelled = train.Count(pair => pair.Label is null);
        if (unlabelled == 0) return [];
        return [unlabelled < train.Count ? $"{unlabelled} of {train.Count} pairs have no IHC level and are excluded from its losses"
            : "no pair has an IHC level, so its losses and the comparator are disabled, and the predicted level is meaningless; "
                + "provide levels by BCI file names or the label column of a manifest"];
    }

    private void Check(IReadOnlyList<Pair> train)
    {
        if (Levels.Count < 2 || Levels.Distinct().Count() < Levels.Count)
            throw new TinctorException(null, $"model.levels is {string.Join(",", Levels)}, expected two or more distinct labels",
                "Use model.levels=0,1+,2+,3+")
            { Option = "model.levels" };
        if (LevelWeights.Count != Levels.Count || LevelWeights.Any(weight => !(weight >= 0)))
        {
            throw new TinctorException(null,
                $"model.level_weights is {string.Join(",", LevelWeights)}, expected a number from 0 on for each of {Levels.Count} levels",
                $"Use model.level_weights={string.Join(",", Levels.Select(_ => 1))}")
            { Option = "model.level_weights" };
        }
        if (GanMode == GanMode.Wgangp)
            throw new TinctorException(null, "model.gan_mode is wgangp, expected lsgan or vanilla", "Use model.gan_mode=lsgan")
            { Option = "model.gan_mode" };
        if (train.FirstOrDefault(pair => pair.Label is not null && !Levels.Contains(pair.Label)) is { } other)
            throw new TinctorException(other.Source,
                $"the label is {other.Label}, expected one of model.levels ({string.Join(", ", Levels)})",
                "Set model.levels to the labels of this data.");
    }
}
