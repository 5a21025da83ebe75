using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Training.Loading;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Contrastive;

namespace Tinctor.Training.Methods.Asp;

/// <summary>
/// ASP (Li et al. 2023, Adaptive Supervised PatchNCE Loss for Learning H&amp;E-to-IHC Stain Translation with Inconsistent Groundtruth Image
/// Pairs) with the values of the official launcher for MIST (experiments/mist_launcher.py).
/// </summary>
public sealed record AspConfig : PyramidConfig
{
    /// <summary>Creates the settings of the official launcher.</summary>
    public AspConfig() => LambdaNce = 10;

    /// <summary>Weight of the contrastive loss of stained image and target.</summary>
    [Range(0, 1e6)]
    public double LambdaAsp { get; init; } = 10;

    /// <summary>
    /// Weights of the patches in the contrastive loss of stained image and target: none, or schedule_weight with the schedule sigmoid,
    /// linear, lambda or zero and the weight top, linear, bell or uniform (figure 3 of the paper).
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
    /// Share of the steps at their end in which the schedule lambda changes the patch weights; empty for that of epochs_decay, or one half
    /// if the length is set in steps.
    /// </summary>
    [Range(0.0, 1.0)]
    public double? AspDecay { get; init; }

    /// <inheritdoc/>
    public override Method Create(Device device) => new AspMethod(this, device);

    /// <summary>Sets the schedule of the patch weights to that of the run, unless it is given.</summary>
    internal override RunSettings CompletedFor(RunSettings run, TrainingData data, Action<string> note) => run with
    {
        Model = this with
        {
            AspSteps = AspSteps ?? run.Steps,
            AspChangeEvery = AspChangeEvery ?? run.StepsPerEpoch,
            AspDecay = AspDecay ?? run.DecayShare,
        },
    };

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
}
