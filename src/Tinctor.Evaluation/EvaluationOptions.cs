using Tinctor.Evaluation.Analyses;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;

namespace Tinctor.Evaluation;

/// <summary>Options of <see cref="Evaluator.Run"/>. Folders are matched by file name without extension.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Folders with the images to score, one per model, all with the same file names.</summary>
    public required IReadOnlyList<StainedFolder> Stained { get; init; }

    /// <summary>Folder of the real images of the target stain.</summary>
    public required string Real { get; init; }

    /// <summary>Folder of the inputs of the models, for the identity baseline and the report; null if not available.</summary>
    public string? Source { get; init; }

    /// <summary>
    /// CSV file with the columns name, label and, if known, slide_id; or the manifest of a data set (target, split, label, slide_id), of
    /// which only the test split is scored and the training split yields the mean colour. Default: null, which recognises the level
    /// suffixes in the file names of BCI.
    /// </summary>
    public string? Labels { get; init; }

    /// <summary>Folder of the real target images of the training set, for the mean-colour baseline; null if not available.</summary>
    public string? TrainReal { get; init; }

    /// <summary>Run folder of the model, whose training curves and configuration are shown in the report; null if not available.</summary>
    public string? Run { get; init; }

    /// <summary>Title of the report. Default: null, which names the models and the data.</summary>
    public string? Title { get; init; }

    /// <summary>Conditions that scores are compared under. Default: <see cref="EvaluationProtocol.Default"/>.</summary>
    public EvaluationProtocol Protocol { get; init; } = EvaluationProtocol.Default;

    /// <summary>Definition of SSIM. Default: <see cref="SsimVariant.Uniform7"/>.</summary>
    public SsimVariant Ssim { get; init; } = SsimVariant.Uniform7;

    /// <summary>
    /// Keys of the built-in image metrics to compute, or <c>all</c>; PSNR and SSIM always are. Default: empty, which computes the
    /// default ones.
    /// </summary>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>Additional image metrics: LPIPS, or your own subclasses of <see cref="PairMetric"/>. Default: none.</summary>
    public IReadOnlyList<PairMetric> ExtraMetrics { get; init; } = [];

    /// <summary>Analyses of the whole test set; each yields a section of the report, in this order. Default: none.</summary>
    public IReadOnlyList<IAnalysis> Analyses { get; init; } = [];

    /// <summary>Number of bootstrap resamples, at least 100. Default: 2000.</summary>
    public int Resamples { get; init; } = 2000;

    /// <summary>Coverage of the confidence intervals, between 0 and 1. Default: 0.95.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Random seed of the bootstrap. Default: 0.</summary>
    public int Seed { get; init; }

    internal ImageFolders Folders => new(Stained, Real, Source, Labels, TrainReal);
}
