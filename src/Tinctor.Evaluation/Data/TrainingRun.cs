using System.Globalization;

namespace Tinctor.Evaluation.Data;

/// <summary>Training curves and configuration of a run folder.</summary>
/// <param name="Name">Name of the folder.</param>
/// <param name="Steps">Training step of each point of the curves.</param>
/// <param name="Curves">Columns of metrics.csv by name; null where a cell is empty or not finite.</param>
/// <param name="Documents">Content of config.yaml and environment.json by file name.</param>
internal sealed record TrainingRun(
    string Name, IReadOnlyList<double> Steps, IReadOnlyDictionary<string, double?[]> Curves, IReadOnlyDictionary<string, string> Documents)
{
    // Longer curves are averaged in groups: a screen shows no more points.
    private const int MaxPoints = 600;

    /// <summary>Reads metrics.csv (columns: step, epoch, then one per curve) and the documents of a run.</summary>
    /// <exception cref="TinctorException">metrics.csv is missing, has no column step, or a step is not a number.</exception>
    public static TrainingRun Read(string folder)
    {
        CsvTable table = CsvFile.Read(Path.Combine(folder, "metrics.csv"));
        table.Require("step");
        int group = Math.Max(1, (table.Rows.Count + MaxPoints - 1) / MaxPoints);
        CsvRow[][] groups = [.. table.Rows.Chunk(group)];
        double[] steps = [.. groups.Select(rows => rows.Average(row =>
            row.Number("step") ?? throw new TinctorException(table.Path, $"line {row.Line}: step is empty")))];
        Dictionary<string, double?[]> curves = table.Header.Where(column => column is not ("step" or "epoch" or "time"))
            .ToDictionary(column => column, column => groups.Select(rows => rows.Average(row => Number(row[column]))).ToArray());
        var documents = new[] { "config.yaml", "environment.json" }.Where(f => File.Exists(Path.Combine(folder, f)))
            .ToDictionary(f => f, f => InputFile.ReadText(Path.Combine(folder, f)));
        return new(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), steps, curves, documents);
    }

    // Losses of a run that diverged are NaN or infinite: a gap in the curve.
    private static double? Number(string? cell) =>
        double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) ? value : null;
}
