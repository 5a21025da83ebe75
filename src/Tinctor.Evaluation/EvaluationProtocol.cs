using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Training.Configuration;
using Tinctor.Training.Networks;
using SsimMetric = Tinctor.Evaluation.Metrics.Ssim;

namespace Tinctor.Evaluation;

/// <summary>
/// Named conditions of an evaluation: part of the images, metrics and their definitions, selection of the checkpoint. Scores of one
/// protocol and one test set are comparable.
/// </summary>
/// <param name="Name">Name that people type.</param>
/// <param name="Description">One sentence with the conditions and their source.</param>
public sealed record EvaluationProtocol(string Name, string Description)
{
    /// <summary>Side of the square that is cut from the centre of each image, in pixels; 0 for whole images.</summary>
    public int Crop { get; init; }

    /// <summary>Width and height that images must have, in pixels; 0 for any. Other images are not scored.</summary>
    public int RequiredSize { get; init; }

    /// <summary>Definition of SSIM; null for that of the options.</summary>
    public SsimVariant? Ssim { get; init; }

    /// <summary>Keys of the built-in metrics that belong to the protocol; empty for those of the options.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>Network of LPIPS; null for any.</summary>
    public LpipsNet? LpipsNetwork { get; init; }

    /// <summary>Score of the validation pairs that selects the checkpoint, as in training.best; null for any.</summary>
    public string? Selection { get; init; }

    /// <summary>Random seed of training and of the confidence intervals; null for any.</summary>
    public int? Seed { get; init; }

    /// <summary>Aggregation of the scores.</summary>
    public string Aggregation => "mean over the images";

    /// <summary>The conditions of an evaluation without further options.</summary>
    public static EvaluationProtocol Default { get; } =
        new("tinctor", "whole images of any size, metrics and definitions as chosen (by default SSIM with a uniform 7x7 window)");

    /// <summary>The protocols by name.</summary>
    public static IReadOnlyDictionary<string, EvaluationProtocol> All { get; } = new[]
    {
        Default,
        new("bci", "whole images of 1,024x1,024 pixels, PSNR and SSIM as the evaluation script of BCI (uniform 7x7 window, data range "
            + "255), as in the papers on BCI")
        {
            RequiredSize = 1024,
            Ssim = SsimVariant.Uniform7,
        },
        new("centre-256", "crops of 256x256 pixels from the centre of each image at its own resolution, PSNR, SSIM with an 11x11 box "
            + "window, LPIPS with AlexNet, MAE, ΔE76 and DAB densities of each crop, as thomasdekerf/virtual-staining-benchmark")
        {
            Crop = 256,
            Ssim = SsimVariant.Box11,
            Metrics = ["mae", "delta_e76", StainHistograms.DabMean.Key],
            LpipsNetwork = LpipsNet.Alex,
            Selection = "lpips",
            Seed = 42,
        },
    }.ToDictionary(protocol => protocol.Name);

    /// <summary>Ways in which the training of the evaluated model differs from the protocol, as far as its run folder is known.</summary>
    internal IEnumerable<string> Warnings(EvaluationOptions options)
    {
        if (Selection is null || options.Run is null) yield break;
        RunConfig config;
        string? unreadable = null;
        try
        {
            config = ConfigFile.Load(Path.Combine(options.Run, "config.yaml"));
        }
        catch (TinctorException e)
        {
            (config, unreadable) = (new(), e.Problem);
        }
        if (unreadable is not null)
        {
            yield return $"{options.Run}: the settings of the training could not be compared with the protocol {Name}: {unreadable}.";
            yield break;
        }
        TrainingConfig training = config.Training;
        if (!training.Best.ToString().Equals(Selection, StringComparison.OrdinalIgnoreCase) || training.BestPairs != 0)
        {
            string pairs = training.BestPairs == 0 ? "all" : $"{training.BestPairs}";
            yield return $"The protocol {Name} selects the checkpoint by {Selection} over all validation pairs, but this run selected it "
                + $"by {training.Best.ToString().ToLowerInvariant()} over {pairs} pairs.";
        }
        if (Seed is int seed && config.Seed != (ulong)seed)
            yield return $"The protocol {Name} trains with seed {seed}, but this run has seed {config.Seed}.";
    }

    /// <summary>Conditions that images must meet.</summary>
    /// <param name="window">Side of the window of SSIM, in pixels.</param>
    internal ImageRequirements Requirements(int window) => new(window, Name, Crop, RequiredSize);

    /// <summary>Applies the protocol to options.</summary>
    /// <exception cref="OptionException">An option contradicts the protocol.</exception>
    internal EvaluationOptions Apply(EvaluationOptions options)
    {
        var defaults = new EvaluationOptions { Stained = [], Real = "" };
        if (Ssim is { } ssim && options.Ssim != ssim && options.Ssim != defaults.Ssim)
            throw new OptionException(nameof(options.Ssim),
                $"SSIM is {SsimMetric.NameOf(options.Ssim)}, but the protocol {Name} uses {SsimMetric.NameOf(ssim)}",
                "Leave the variant out, or choose the protocol tinctor");
        return options with
        {
            Ssim = Ssim ?? options.Ssim,
            Metrics = [.. Metrics.Union(options.Metrics)],
            Seed = Seed is int seed && options.Seed == defaults.Seed ? seed : options.Seed,
        };
    }
}
