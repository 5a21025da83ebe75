using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation;

/// <summary>Everything that an evaluation found out.</summary>
/// <param name="Options">What was asked.</param>
/// <param name="Title">The title of the report.</param>
/// <param name="Metrics">The metrics, headline ones first.</param>
/// <param name="Methods">The model and the baselines, the model first.</param>
/// <param name="Images">One result an image, ordered by name.</param>
/// <param name="Groups">All images, then one group a label.</param>
/// <param name="Comparisons">The model against each baseline by each headline metric, over all images.</param>
/// <param name="LabelsFrom">Where the labels came from; null without labels.</param>
/// <param name="Bootstrap">How the intervals were made.</param>
/// <param name="Warnings">What a reader must know before using the numbers.</param>
/// <param name="Run">The training, where a run folder was given.</param>
public sealed record EvaluationResult(
    EvaluationOptions Options, string Title, IReadOnlyList<PairMetric> Metrics, IReadOnlyList<Method> Methods,
    IReadOnlyList<ImageResult> Images, IReadOnlyList<Group> Groups, IReadOnlyList<Comparison> Comparisons,
    string? LabelsFrom, Bootstrap Bootstrap, IReadOnlyList<string> Warnings, TrainingRun? Run)
{
    /// <summary>Whether the model's mean is better than every computed baseline's by PSNR and by SSIM.</summary>
    public bool BeatsBaselines => Comparisons.All(c => c.Beats);
}

/// <summary>What is scored against the real images: the model, or a baseline.</summary>
/// <param name="Key">Its name in files: model, identity, mean_colour.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Definition">What it is.</param>
/// <param name="NotComputed">Why there are no scores of it; null where there are.</param>
public sealed record Method(string Key, string Title, string Definition, string? NotComputed = null)
{
    /// <summary>The key of the model's own scores.</summary>
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
/// <param name="Advantages">How much better the model is, image by image: by the baseline's key, in the order of the metrics.</param>
public sealed record Group(
    string? Label, int N, int? Slides, IReadOnlyDictionary<string, Summary[]> Summaries, IReadOnlyDictionary<string, Summary[]> Advantages);

/// <summary>The model against one baseline by one metric.</summary>
/// <param name="Baseline">The baseline's key.</param>
/// <param name="Metric">The metric's key.</param>
/// <param name="Advantage">Mean difference, positive where the model is better.</param>
/// <param name="Ci">Its confidence interval.</param>
public sealed record Comparison(string Baseline, string Metric, double Advantage, Interval? Ci)
{
    /// <summary>Whether the model's mean is better.</summary>
    public bool Beats => Advantage > 0;

    /// <summary>Whether the interval leaves no doubt about the sign.</summary>
    public bool Clear => Ci is not null && (Ci.Low > 0 || Ci.High < 0);
}
