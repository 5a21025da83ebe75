using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Staining;
using Tinctor.Training.Classification;

namespace Tinctor.Evaluation.Analyses.Labels;

/// <summary>
/// Compares IHC levels that models predict from the source alone (levels.csv beside their images) with the labels of the real images.
/// </summary>
/// <param name="models">The models; those without levels.csv are ignored.</param>
internal sealed class PredictedLevelAnalysis(IReadOnlyList<StainedFolder> models) : IAnalysis
{
    private static readonly ReportSection Empty = new("predicted_levels", "Levels predicted from the source",
        "IHC level that each model predicts from the source image alone, compared with the label of the real image.");

    /// <summary>Whether any of the models predicted levels.</summary>
    public static bool AreThere(IEnumerable<StainedFolder> models) => models.Any(model => File.Exists(FileOf(model)));

    ReportSection IAnalysis.Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        ImagePair[] pairs = [.. set.Pairs.Where(pair => pair.Label is not null)];
        if (pairs.Length == 0) return Empty with { NotComputed = "the labels of the images are unknown" };
        Predicted[] predicted = [.. models.Where(model => File.Exists(FileOf(model))).Select(model => Read(model, pairs))];
        return Empty with
        {
            Tables =
            [
                new("predicted_levels", $"Levels of {pairs.Length} images, predicted from the source",
                    [
                        new("method", "Model"), new("level_accuracy", "Accuracy", 3, true), new("level_kappa", "Quadratic kappa", 3, true),
                        new("level_probability", "Mean probability of the predicted level"),
                    ],
                    [.. predicted.Select(model => (IReadOnlyList<object?>)
                        [model.Title, model.Confusion.Accuracy, Defined(model.Confusion.QuadraticKappa), model.Probability])]),
            ],
            Charts = [.. predicted.Select(model => new MatrixChart($"levels_{model.Title}", $"Predicted levels: {model.Title}",
                "Number of images of each label by predicted level.", "Label of the real image", "Predicted level",
                model.Confusion.Classes, model.Confusion.Classes,
                [.. model.Confusion.Counts.Select(row => (IReadOnlyList<double>)[.. row.Select(count => (double)count)])]))],
            Definitions =
            [
                new("Accuracy, quadratic kappa",
                    "most probable level against the label; Cohen's kappa with weights (i - j)² (Cohen 1968)."),
                new("Mean probability", "probability that the model assigns to its predicted level. In a calibrated model it equals the "
                    + "accuracy."),
            ],
        };
    }

    private static Predicted Read(StainedFolder model, ImagePair[] pairs)
    {
        CsvTable table = CsvFile.Read(FileOf(model));
        table.Require("name", "level", "probability");
        Dictionary<string, CsvRow> byName = table.Rows.ToDictionary(row => Path.GetFileName(row.Text("name")));
        string[] levels = [.. table.Header
            .Where(column => column.StartsWith("p_", StringComparison.Ordinal)).Select(column => column[2..])];
        int Class(string level) => Array.IndexOf(levels, level) is >= 0 and int index ? index
            : throw new TinctorException(table.Path, $"the level {level} is unknown to the model, which has {string.Join(", ", levels)}",
                "Stain the images again with this model");
        CsvRow[] rows = [.. pairs.Select(pair => byName.GetValueOrDefault(pair.Name)
            ?? throw new TinctorException(table.Path, $"no row of {pair.Name}", "Stain this image again"))];
        return new(model.Title, ConfusionMatrix.Create(levels,
            pairs.Zip(rows, (pair, row) => (Class(pair.Label!), Class(row.Text("level"))))),
            rows.Average(row => row.Number("probability")
                ?? throw new TinctorException(table.Path, $"line {row.Line}: probability is empty")));
    }

    private static string FileOf(StainedFolder model) => Path.Combine(model.Path, IhcLevelTable.FileName);

    private static object? Defined(double value) => double.IsNaN(value) ? null : value;

    private sealed record Predicted(string Title, ConfusionMatrix Confusion, double Probability);
}
