using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// Tables of an evaluation as CSV and LaTeX files: OUT/tables/NAME.csv and NAME.tex. For each group of metrics (rgb, dab
/// and so on) summary_GROUP, labels_GROUP and comparisons_GROUP; for each table of a section SECTION_TABLE.
/// </summary>
internal static class TableFiles
{
    /// <summary>Writes all tables, each file atomically.</summary>
    /// <param name="result">Result of the evaluation.</param>
    /// <param name="folder">Output folder; created if missing.</param>
    public static void Write(EvaluationResult result, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, table) in All(result))
        {
            AtomicFile.WriteText(Path.Combine(folder, name + ".csv"), SectionCsv.Text(table));
            AtomicFile.WriteText(Path.Combine(folder, name + ".tex"), LatexTable.Text(table, name));
        }
    }

    /// <summary>Writes a study's table to read (table.md, table.tex) and the numbers behind it (table.csv).</summary>
    /// <param name="table">The table.</param>
    /// <param name="numbers">Numbers of the table.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="label">Label of the table in LaTeX.</param>
    internal static void Write(SectionTable table, SectionTable numbers, string folder, string label)
    {
        AtomicFile.WriteText(Path.Combine(folder, "table.csv"), SectionCsv.Text(numbers));
        AtomicFile.WriteText(Path.Combine(folder, "table.md"), StudyTable.Markdown(table));
        AtomicFile.WriteText(Path.Combine(folder, "table.tex"), LatexTable.Text(table, label));
    }

    /// <summary>Writes one table as NAME.csv, NAME.md and NAME.tex.</summary>
    /// <param name="table">The table; its key is the name.</param>
    /// <param name="folder">An existing folder.</param>
    internal static void Write(SectionTable table, string folder)
    {
        string path = Path.Combine(folder, table.Key);
        AtomicFile.WriteText(path + ".csv", SectionCsv.Text(table));
        AtomicFile.WriteText(path + ".md", StudyTable.Markdown(table, boldBest: true));
        AtomicFile.WriteText(path + ".tex", LatexTable.Text(table, table.Key));
    }

    /// <summary>The tables by file name. A cell may also be a <see cref="Statistics.Summary"/> or an <see cref="Interval"/>.</summary>
    internal static IEnumerable<(string Name, SectionTable Table)> All(EvaluationResult result)
    {
        foreach (var group in result.Metrics.Index().GroupBy(m => m.Item.Group))
        {
            var metrics = group.ToArray();
            yield return ($"summary_{group.Key}", Summary(result, metrics));
            if (result.Groups.Count > 1)
                yield return ($"labels_{group.Key}", Labels(result, metrics));
            yield return ($"comparisons_{group.Key}", Comparisons(result, [.. metrics.Select(m => m.Item)]));
        }
        foreach (var section in result.Sections)
            foreach (var table in section.Tables)
                yield return ($"{section.Key}_{table.Key}", table);
    }

    private static SectionTable Summary(EvaluationResult result, (int Index, PairMetric Item)[] metrics) =>
        new("summary", $"Mean over {Count(result)} with {Confidence(result)}. {Definitions(metrics)}",
            [new("method", "Method"), .. metrics.Select(Column)],
            [.. Computed(result).Select(m => Row([m.Title], result.Groups[0], m, metrics))]);

    private static SectionTable Labels(EvaluationResult result, (int Index, PairMetric Item)[] metrics) =>
        new("labels", $"Mean of each label with {Confidence(result)}. Labels from {result.LabelsFrom}. {Definitions(metrics)}",
            [
                new("label", "Label"), new("n", "n", 0), new("method", "Method"),
                .. metrics.Select(m => Column(m) with { HigherIsBetter = null }),
            ],
            [.. result.Groups.Skip(1).SelectMany(g => Computed(result).Select(m => Row([g.Label, g.N, m.Title], g, m, metrics)))]);

    private static SectionTable Comparisons(EvaluationResult result, PairMetric[] metrics)
    {
        var titles = Computed(result).ToDictionary(m => m.Key, m => m.Title);
        return Comparisons($"Paired differences over {Count(result)}, positive where A is better, with {Confidence(result)}; "
            + $"p of Wilcoxon's signed-rank test over {result.Bootstrap.Unit}s and of the paired bootstrap; "
            + "adjusted: Wilcoxon's p after Holm's correction over all comparisons by one metric.", titles,
            [.. metrics.Select(metric => (metric.Title, metric.Digits, result.Comparisons.Where(c => c.Metric == metric.Key)))]);
    }

    /// <summary>Creates the table of paired tests between methods.</summary>
    /// <param name="title">Caption.</param>
    /// <param name="methods">Titles of the methods by key.</param>
    /// <param name="metrics">Title and digits of each metric, and its comparisons.</param>
    internal static SectionTable Comparisons(string title, IReadOnlyDictionary<string, string> methods,
        IReadOnlyList<(string Title, int Digits, IEnumerable<Comparison> Comparisons)> metrics)
    {
        var rows = from metric in metrics
                   from c in metric.Comparisons
                   select (IReadOnlyList<object?>)
                   [
                       metric.Title, methods[c.A], methods[c.B], c.N, Math.Round(c.Difference, metric.Digits + 2), c.Ci,
                       c.WilcoxonP, c.BootstrapP, c.AdjustedP, c.Significant ? "yes" : "no",
                   ];
        return new("comparisons", title,
            [
                new("metric", "Metric"), new("a", "A"), new("b", "B"), new("n", "n", 0), new("difference", "Difference", 4),
                new("ci", "Interval", 4), new("wilcoxon_p", "Wilcoxon p"), new("bootstrap_p", "Bootstrap p"),
                new("p_adjusted", "Adjusted p"), new("significant", "Significant"),
            ], [.. rows]);
    }

    private static IEnumerable<ScoredMethod> Computed(EvaluationResult result) => result.Methods.Where(m => m.NotComputed is null);

    private static SectionColumn Column((int Index, PairMetric Item) metric) =>
        new(metric.Item.Key, metric.Item.Heading, metric.Item.Digits, metric.Item.HigherIsBetter);

    private static IReadOnlyList<object?> Row(object?[] head, ImageGroup group, ScoredMethod method,
        (int Index, PairMetric Item)[] metrics) =>
        [.. head, .. metrics.Select(m => group.Summaries[method.Key][m.Index])];

    private static string Count(EvaluationResult result) =>
        $"n = {result.Images.Count} images{(result.Groups[0].Slides is int slides ? $" of {slides} slides" : "")}";

    private static string Confidence(EvaluationResult result) =>
        $"{result.Bootstrap.Confidence * 100:0.##}% intervals ({result.Bootstrap.Description})";

    private static string Definitions((int Index, PairMetric Item)[] metrics) =>
        string.Join(" ", metrics.Select(m => $"{m.Item.Title}: {m.Item.Definition.TrimEnd('.')}."));
}
