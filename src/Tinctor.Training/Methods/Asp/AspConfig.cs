using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Training.Losses;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods.Contrastive;

namespace Tinctor.Training.Methods.Asp;

/// <summary>
/// ASP (Li et al. 2023, Adaptive Supervised PatchNCE Loss for Learning H&amp;E-to-IHC Stain Translation with Inconsistent Groundtruth Image
/// Pairs) with the values of the official launcher for MIST (experiments/mist_launcher.py).
/// </summary>
public sealed record AspConfig : ContrastiveConfig
{
    /// <summary>Creates the settings of the official launcher.</summary>
    public AspConfig()
    {
        (Generator, SpectralNorm, Ndf, NLayersD) = ("resnet_6blocks", true, 32, 5);
        (LambdaNce, NceIdt) = (10, false);
    }

    /// <summary>Weight of the Gaussian-pyramid loss.</summary>
    [Range(0, 1e6)]
    public double LambdaGp { get; init; } = 10;

    /// <summary>Weights of the L1 distances at the levels of the Gaussian pyramid, the largest size first.</summary>
    public List<double> GpWeights { get; init; } = [0.015625, 0.03125, 0.0625, 0.125, 0.25, 1];

    /// <summary>Weight of the contrastive loss of stained image and target.</summary>
    [Range(0, 1e6)]
    public double LambdaAsp { get; init; } = 10;

    /// <summary>
    /// Weights of the patches in the contrastive loss of stained image and target: none, or schedule_weight with the schedule sigmoid, linear,
    /// lambda or zero and the weight top, linear, bell or uniform (figure 3 of the paper).
    /// </summary>
    [AllowedValues("none", "sigmoid_top", "sigmoid_linear", "sigmoid_bell", "sigmoid_uniform", "linear_top", "linear_linear",
        "linear_bell", "linear_uniform", "lambda_top", "lambda_linear", "lambda_bell", "lambda_uniform", "zero_top", "zero_linear",
        "zero_bell", "zero_uniform")]
    public string AspLossMode { get; init; } = "lambda_linear";

    /// <summary>Number of steps over which the schedule of the patch weights runs; empty for the steps of the run.</summary>
    [Range(1, int.MaxValue)]
    public int? AspSteps { get; init; }

    /// <summary>Number of steps between changes of the patch weights; empty for an epoch, or 1 if the length is set in steps.</summary>
    [Range(1, int.MaxValue)]
    public int? AspChangeEvery { get; init; }

    /// <summary>
    /// Share of the steps at their end in which the schedule lambda changes the patch weights; empty for that of epochs_decay, or one half if
    /// the length is set in steps.
    /// </summary>
    [Range(0.0, 1.0)]
    public double? AspDecay { get; init; }

    /// <inheritdoc/>
    internal override bool IsFromAsp => true;

    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(base.SmallestCrop, LambdaGp > 0 ? PyramidSide(GpWeights.Count) : 0);

    /// <inheritdoc/>
    public override Method Create(Device device) => new AspMethod(this, device);

    /// <summary>Gets the smallest side of images for a pyramid: its last smoothed level has three pixels, which reflection needs.</summary>
    internal static int PyramidSide(int levels) => levels < 2 ? 3 : 3 << (levels - 2);

    /// <summary>Sets the schedule of the patch weights to that of the run, unless it is given.</summary>
    internal override RunSettings CompletedFor(RunSettings run, TrainingData data, Action<string> note)
    {
        var training = (Configuration.TrainingConfig)run.Training;
        int epochs = training.Epochs + training.EpochsDecay;
        bool bySteps = training.Steps > 0;
        return run with
        {
            Model = this with
            {
                AspSteps = AspSteps ?? run.Steps,
                AspChangeEvery = AspChangeEvery ?? (bySteps ? 1 : run.Steps / epochs),
                AspDecay = AspDecay ?? (bySteps ? 0.5 : (double)training.EpochsDecay / epochs),
            },
        };
    }

    /// <summary>Computes the weights of patches in a step.</summary>
    /// <param name="similarity">Cosine of stained and target image of each patch.</param>
    /// <param name="step">Number of completed steps.</param>
    /// <returns>Weights with a mean of 1; null for equal ones.</returns>
    internal Tensor? PatchWeights(Tensor similarity, long step)
    {
        if (AspLossMode == "none") return null;
        string[] mode = AspLossMode.Split('_');
        int every = AspChangeEvery ?? 1;
        double elapsed = Math.Min(1, (double)(step / every * every) / (AspSteps ?? int.MaxValue));
        return AdaptiveNceWeights.Compute(similarity, Enum.Parse<NceSchedule>(mode[0], ignoreCase: true),
            Enum.Parse<NceWeight>(mode[1], ignoreCase: true), elapsed, AspDecay ?? 0.5);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        if (GpWeights.Count == 0 || GpWeights.Any(weight => !(weight >= 0)))
        {
            throw new TinctorException(null, $"model.gp_weights is {string.Join(",", GpWeights)}, expected a number from 0 on for each level",
                "Use model.gp_weights=1,1,1,1,1,1")
            { Option = "model.gp_weights" };
        }
        return base.Remarks(train, test);
    }
}
