using Tinctor.Evaluation.Analyses.Densities;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation;

/// <summary>Result of an evaluation.</summary>
public sealed record EvaluationResult
{
    /// <summary>The options of the evaluation.</summary>
    public required EvaluationOptions Options { get; init; }

    /// <summary>Title of the report.</summary>
    public required string Title { get; init; }

    /// <summary>Computed metrics, the most important first.</summary>
    public required IReadOnlyList<PairMetric> Metrics { get; init; }

    /// <summary>Metrics that could not be computed; see <see cref="PairMetric.NotComputed"/>.</summary>
    public required IReadOnlyList<PairMetric> NotComputed { get; init; }

    /// <summary>The models, then the baselines.</summary>
    public required IReadOnlyList<ScoredMethod> Methods { get; init; }

    /// <summary>Scores of each image, ordered by name.</summary>
    public required IReadOnlyList<ImageResult> Images { get; init; }

    /// <summary>Images that could not be scored, with the reason.</summary>
    public required IReadOnlyList<SkippedImage> Skipped { get; init; }

    /// <summary>Statistics of all images, then of the images of each label.</summary>
    public required IReadOnlyList<ImageGroup> Groups { get; init; }

    /// <summary>Comparison of each model with each baseline and each later model, by each metric, over all images.</summary>
    public required IReadOnlyList<Comparison> Comparisons { get; init; }

    /// <summary>Reason why no significance test is possible; null if the differences were tested.</summary>
    public required string? NotTested { get; init; }

    /// <summary>Whether DAB was found in the real images; without it, metrics of DAB have no meaning.</summary>
    public required bool TargetHasDab { get; init; }

    /// <summary>Origin of the labels; null without labels.</summary>
    public required string? LabelsFrom { get; init; }

    /// <summary>Identity of the test set.</summary>
    internal TestSetIdentity? TestSet { get; init; }

    /// <summary>Settings of the confidence intervals.</summary>
    public required Bootstrap Bootstrap { get; init; }

    /// <summary>Warnings about the interpretation of the numbers.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Training run of the model; null if no run folder was given.</summary>
    internal TrainingRun? Run { get; init; }

    /// <summary>Results of the analyses.</summary>
    public required IReadOnlyList<ReportSection> Sections { get; init; }

    /// <summary>The models.</summary>
    public IEnumerable<ScoredMethod> Models => Methods.Where(method => method.IsModel);

    /// <summary>
    /// Pearson's correlation over the images of the mean DAB densities of a model's and of the real images; null if it was not computed.
    /// </summary>
    public double? DabCorrelation(ScoredMethod model) => Sections.FirstOrDefault(section => section.Key == DabMeans.Key) is { } section
        ? DabMeans.Correlation(section, model) : null;

    /// <summary>Whether the mean of a model is better than that of every computed baseline by PSNR and by SSIM.</summary>
    public bool BeatsBaselines(ScoredMethod model) => Comparisons
        .Where(c => c.A == model.Key && c.Metric is "psnr" or "ssim" && Methods.Any(m => m.Key == c.B && !m.IsModel))
        .All(c => c.Difference > 0);
}

/// <summary>Scores of one image.</summary>
/// <param name="Pair">Name, files, label and slide.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Scores">Scores by key of the method, in the order of <see cref="EvaluationResult.Metrics"/>.</param>
public sealed record ImageResult(ImagePair Pair, int Width, int Height, IReadOnlyDictionary<string, double[]> Scores);

/// <summary>Statistics of a group of images.</summary>
/// <param name="Label">The common label; null for all images.</param>
/// <param name="N">Number of images.</param>
/// <param name="Slides">Number of slides; null if unknown.</param>
/// <param name="Summaries">Statistics by key of the method, in the order of <see cref="EvaluationResult.Metrics"/>.</param>
public sealed record ImageGroup(string? Label, int N, int? Slides, IReadOnlyDictionary<string, Summary[]> Summaries);

/// <summary>Paired comparison of two methods by one metric.</summary>
/// <param name="A">Key of a model.</param>
/// <param name="B">Key of a baseline or of another model.</param>
/// <param name="Metric">Key of the metric.</param>
/// <param name="N">Number of images with both scores.</param>
/// <param name="Difference">Mean difference; positive if A is better.</param>
/// <param name="Ci">Bootstrap confidence interval of the difference; null if undefined.</param>
/// <param name="WilcoxonP">
/// Two-sided p-value of Wilcoxon's signed-rank test over slides or images; null if all differences are zero or no test is possible.
/// </param>
/// <param name="BootstrapP">Two-sided p-value of the paired bootstrap; null without interval or if no test is possible.</param>
/// <param name="AdjustedP">Wilcoxon p-value after Holm's correction over all comparisons by this metric.</param>
/// <param name="Significant">Whether the adjusted p-value is below 1 - confidence.</param>
public sealed record Comparison(string A, string B, string Metric, int N, double Difference, Interval? Ci,
    double? WilcoxonP, double? BootstrapP, double? AdjustedP, bool Significant);
