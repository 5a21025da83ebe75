using System.Globalization;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Staining;
using Tinctor.Training.Classification;

namespace Tinctor.Evaluation.Labels;

/// <summary>
/// The levels that models tell from the source alone (levels.csv beside their images, as 'tinctor stain' writes it), against the labels of
/// the real images.
/// </summary>
/// <param name="models">The models; those without levels.csv are left out.</param>
public sealed class ToldLevels(IReadOnlyList<StainedFolder> models) : IAnalysis
{
    private static readonly Section Empty = new("told_levels", "Levels told from the source",
        "What each model itself says of the level, looking at the source alone, against the label of the real image.");

    /// <summary>Whether any of the models told levels.</summary>
    public static bool AreThere(IEnumerable<StainedFolder> models) => models.Any(model => File.Exists(FileOf(model)));

    /// <inheritdoc/>
    public Section Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        ImagePair[] pairs = [.. set.Pairs.Where(pair => pair.Label is not null)];
        if (pairs.Length == 0) return Empty with { NotComputed = "not computed: the labels are not known; give --labels CSV" };
        Told[] told = [.. models.Where(model => File.Exists(FileOf(model))).Select(model => Read(model, pairs))];
        return Empty with
        {
            Tables =
            [
                new("told_levels", $"Levels of {pairs.Length} images, told from the source",
                    [
                        new("method", "Model"), new("told_accuracy", "Accuracy", 3, true), new("told_kappa", "Quadratic kappa", 3, true),
                        new("told_probability", "Mean probability of the level told"),
                    ],
                    [.. told.Select(model => (IReadOnlyList<object?>)
                        [model.Title, model.Confusion.Accuracy, Defined(model.Confusion.QuadraticKappa), model.Probability])]),
            ],
            Charts = [.. told.Select(model => new MatrixChart($"told_{model.Title}", $"Told: {model.Title}",
                "How often images of each label were told to be of which level.", "Label of the real image", "Level told from the source",
                model.Confusion.Classes, model.Confusion.Classes,
                [.. model.Confusion.Counts.Select(row => (IReadOnlyList<double>)[.. row.Select(count => (double)count)])]))],
            Definitions =
            [
                new("Accuracy, quadratic kappa", "the most probable level against the label; Cohen's kappa with weights (i - j)² (Cohen 1968)."),
                new("Mean probability", "what the model gave the level that it told. Well calibrated, it equals the accuracy."),
            ],
        };
    }

    private static Told Read(StainedFolder model, ImagePair[] pairs)
    {
        string path = FileOf(model);
        var (header, rows) = Csv.Read(path);
        if (header is not ["name", "level", "probability", ..])
            throw new TinctorException($"{path}: the first line must begin with name,level,probability; 'tinctor stain' writes it anew");
        Dictionary<string, string[]> byName = rows.ToDictionary(row => Path.GetFileName(row[0]));
        string[] levels = [.. header.Skip(3).Select(column => column["p_".Length..])];
        int Class(string level) => Array.IndexOf(levels, level) is >= 0 and int index ? index
            : throw new TinctorException($"{path}: the model knows no level {level}, only {string.Join(", ", levels)}");
        string[][] cases = [.. pairs.Select(pair => byName.GetValueOrDefault(pair.Name)
            ?? throw new TinctorException($"{path}: no row of {pair.Name}; stain it again"))];
        return new(model.Name == Method.Model ? "Stained" : model.Name,
            ConfusionMatrix.Of(levels, pairs.Zip(cases, (pair, row) => (Class(pair.Label!), Class(row[1])))),
            cases.Average(row => double.Parse(row[2], CultureInfo.InvariantCulture)));
    }

    private static string FileOf(StainedFolder model) => Path.Combine(model.Path, IhcLevelTable.FileName);

    private static object? Defined(double value) => double.IsNaN(value) ? null : value;

    private sealed record Told(string Title, ConfusionMatrix Confusion, double Probability);
}
