using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation;

/// <summary>Everything that an evaluation found out.</summary>
/// <param name="Options">What was asked.</param>
/// <param name="Title">The title of the report.</param>
/// <param name="Metrics">The metrics, headline ones first.</param>
/// <param name="NotComputed">Metrics that lack something, with what to give.</param>
/// <param name="Methods">The models, then the baselines.</param>
/// <param name="Images">One result an image, ordered by name.</param>
/// <param name="Groups">All images, then one group a label.</param>
/// <param name="Comparisons">Each model against each baseline and each later model, by each metric, over all images.</param>
/// <param name="LabelsFrom">Where the labels came from; null without labels.</param>
/// <param name="Bootstrap">How the intervals were made.</param>
/// <param name="Warnings">What a reader must know before using the numbers.</param>
/// <param name="Run">The training, where a run folder was given.</param>
/// <param name="Sections">What the analyses found.</param>
public sealed record EvaluationResult(
    EvaluationOptions Options, string Title, IReadOnlyList<PairMetric> Metrics, IReadOnlyList<PairMetric> NotComputed,
    IReadOnlyList<Method> Methods,
    IReadOnlyList<ImageResult> Images, IReadOnlyList<Group> Groups, IReadOnlyList<Comparison> Comparisons,
    string? LabelsFrom, Bootstrap Bootstrap, IReadOnlyList<string> Warnings, TrainingRun? Run,
    IReadOnlyList<Section> Sections)
{
    /// <summary>The models.</summary>
    public IEnumerable<Method> Models => Methods.Where(method => method.IsModel);

    /// <summary>Whether a model's mean is better than every computed baseline's by PSNR and by SSIM.</summary>
    public bool BeatsBaselines(Method model) => Comparisons
        .Where(c => c.A == model.Key && c.Metric is "psnr" or "ssim" && Methods.Any(m => m.Key == c.B && !m.IsModel))
        .All(c => c.Difference > 0);
}

/// <summary>What is scored against the real images: the model, or a baseline.</summary>
/// <param name="Key">Its name in files: the model's name, or model, identity, mean_colour.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Definition">What it is.</param>
/// <param name="NotComputed">Why there are no scores of it; null where there are.</param>
public sealed record Method(string Key, string Title, string Definition, string? NotComputed = null)
{
    /// <summary>Whether this is a model, else a baseline.</summary>
    public bool IsModel => Key is not (Identity or MeanColour);

    /// <summary>The key of a lone model without a name.</summary>
    public const string Model = "model";

    /// <summary>The key of the baseline that hands the source back.</summary>
    public const string Identity = "identity";

    /// <summary>The key of the baseline that hands one colour back.</summary>
    public const string MeanColour = "mean_colour";
}

/// <summary>The scores of one image.</summary>
/// <param name="Pair">Its name, files, label and slide.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Scores">By method's key, in the order of the metrics.</param>
public sealed record ImageResult(ImagePair Pair, int Width, int Height, IReadOnlyDictionary<string, double[]> Scores);

/// <summary>The statistics of a set of images.</summary>
/// <param name="Label">The label that they share; null for all images.</param>
/// <param name="N">How many images.</param>
/// <param name="Slides">How many slides; null where a slide is not known.</param>
/// <param name="Summaries">By method's key, in the order of the metrics.</param>
public sealed record Group(string? Label, int N, int? Slides, IReadOnlyDictionary<string, Summary[]> Summaries);

/// <summary>One method against another by one metric, image by image.</summary>
/// <param name="A">The key of a model.</param>
/// <param name="B">The key of a baseline or of another model.</param>
/// <param name="Metric">The metric's key.</param>
/// <param name="N">How many images have both scores.</param>
/// <param name="Difference">Mean difference, turned so that it is positive where A is better.</param>
/// <param name="Ci">Its bootstrap confidence interval.</param>
/// <param name="WilcoxonP">Two-sided p of Wilcoxon's signed-rank test over the bootstrap's units; null where all are equal.</param>
/// <param name="BootstrapP">Two-sided p of the paired bootstrap; null where there is no interval.</param>
/// <param name="AdjustedP">Wilcoxon's p after Holm's correction over all comparisons by this metric.</param>
/// <param name="Significant">Whether the adjusted p is below 1 - confidence.</param>
public sealed record Comparison(string A, string B, string Metric, int N, double Difference, Interval? Ci,
    double? WilcoxonP, double? BootstrapP, double? AdjustedP, bool Significant);
