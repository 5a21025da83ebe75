using System.Globalization;

namespace Tinctor.Evaluation.Data;

/// <summary>What a run folder tells about the training: its curves and its configuration.</summary>
/// <param name="Name">The folder's name.</param>
/// <param name="Steps">The x axis of the curves.</param>
/// <param name="Curves">Columns of metrics.csv by name; null where a cell is empty or not finite.</param>
/// <param name="Documents">config.yaml and environment.json by file name, as they are.</param>
public sealed record TrainingRun(
    string Name, IReadOnlyList<double> Steps, IReadOnlyDictionary<string, double?[]> Curves, IReadOnlyDictionary<string, string> Documents)
{
    /// <summary>More points than this are averaged in groups: a screen shows no more.</summary>
    private const int MaxPoints = 600;

    /// <summary>Reads RUN/metrics.csv (columns: step, epoch, then one a curve) and the run's documents.</summary>
    /// <exception cref="FileNotFoundException">There is no metrics.csv.</exception>
    /// <exception cref="TinctorException">metrics.csv has no column step, or a step is not a number.</exception>
    public static TrainingRun Read(string folder)
    {
        string path = Path.Combine(folder, "metrics.csv");
        var (header, rows) = Csv.Read(path);
        int step = Array.IndexOf(header, "step");
        if (step < 0)
            throw new TinctorException($"{path}: no column named step");
        int group = Math.Max(1, (rows.Count + MaxPoints - 1) / MaxPoints);
        var groups = rows.Chunk(group).ToArray();
        double?[] Column(int column) => [.. groups.Select(g => Mean(g.Select(row => Number(row[column]))))];
        double[] steps = [.. Column(step).Select(s => s ?? throw new TinctorException($"{path}: a step is not a number"))];
        var curves = header.Index().Where(h => h.Item is not ("step" or "epoch" or "time"))
            .ToDictionary(h => h.Item, h => Column(h.Index));
        var documents = new[] { "config.yaml", "environment.json" }.Where(f => File.Exists(Path.Combine(folder, f)))
            .ToDictionary(f => f, f => File.ReadAllText(Path.Combine(folder, f)));
        return new(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), steps, curves, documents);
    }

    private static double? Number(string cell) =>
        double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) ? value : null;

    private static double? Mean(IEnumerable<double?> values) => values.Average();
}
