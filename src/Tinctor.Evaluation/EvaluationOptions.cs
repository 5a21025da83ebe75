using Tinctor.Evaluation.Metrics;

namespace Tinctor.Evaluation;

/// <summary>What to evaluate, and how. Folders are matched by file name without extension.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Folder of the images that a model made.</summary>
    public required string Stained { get; init; }

    /// <summary>Folder of the real images of the target stain.</summary>
    public required string Real { get; init; }

    /// <summary>Folder of the model's inputs; needed for the identity baseline and shown in the report.</summary>
    public string? Source { get; init; }

    /// <summary>
    /// CSV with the columns name, label and, where known, slide_id; or a data set's manifest (target, split, label, slide_id), of which
    /// only the test split is then evaluated, and whose training split gives the mean colour. Without it BCI's level suffixes are
    /// recognised.
    /// </summary>
    public string? Labels { get; init; }

    /// <summary>Folder of the real target images of the training set, for the mean-colour baseline.</summary>
    public string? TrainReal { get; init; }

    /// <summary>Run folder of the model: its training curves and its configuration go into the report.</summary>
    public string? Run { get; init; }

    /// <summary>The report's title; by default the name of the run or of the stained folder.</summary>
    public string? Title { get; init; }

    /// <summary>Which SSIM.</summary>
    public SsimVariant Ssim { get; init; } = SsimVariant.Uniform7;

    /// <summary>Bootstrap resamples, at least 100.</summary>
    public int Resamples { get; init; } = 2000;

    /// <summary>Coverage of the confidence intervals.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Seed of the bootstrap.</summary>
    public int Seed { get; init; }
}
