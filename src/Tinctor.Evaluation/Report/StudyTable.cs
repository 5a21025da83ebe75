using System.Globalization;
using System.Text.Json.Nodes;
using Tinctor.Evaluation.Analyses.Ihc;
using Tinctor.Evaluation.Analyses.Labels;
using Tinctor.Evaluation.Sections;
using Tinctor.Measurement.Ihc;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// Table of a study: methods or variants in rows, metrics in columns, means over seeds in cells. Read from one metrics.json per seed, in
/// which each variant is a model.
/// </summary>
internal sealed class StudyTable
{
    // Agreement of an IHC quantity with the real images, as key of a column; a quantity's key follows.
    private const string Agreement = "concordance:";

    // Columns of Table 1 of DeReStainer, accuracy of the classifier and of predicted IHC levels, I2SB's F1 of segmented tissue, FID and
    // Inception Score, scores that tolerate misalignment, and agreement of IHC quantities. Columns that were not computed are left out.
    private static readonly SectionColumn[] Columns =
    [
        new("ssim", "SSIM", 3, true), new("psnr", "PSNR (dB)", 2, true), new("ms_ssim", "MS-SSIM", 3, true),
        new("psnr_shift", "PSNR at the best shift (dB)", 2, true), new("ssim_shift", "SSIM at the best shift", 3, true),
        new("mae_dab", "MAE of DAB (OD)", 4, false), new("top1", "Top-1", 3, true), new("top3", "Top-3", 3, true),
        new("top5", "Top-5", 3, true), new("knn10", "kNN (k = 10)", 3, true), new("accuracy", "Accuracy", 3, true),
        new("kappa", "Kappa", 3, true), new("feature_similarity", "Similarity of features", 3, true),
        new("level_accuracy", "Level accuracy", 3, true),
        new(Agreement + "dab_density", "Concordance of DAB density", 3, true),
        new(Agreement + "dab_area", "Concordance of DAB area", 3, true),
        new(Agreement + "h_score_membrane", "Concordance of the H-score of membranes", 3, true),
        new("lpips", "LPIPS", 3, false), new("dice", "F1 of segmentation", 3, true),
        new("macro_f1", "Macro F1 of tissue", 3, true), new("fid", "FID", 2, false), new("is", "Inception Score", 3, true),
    ];

    private readonly IReadOnlyList<(string Key, string Title)> variants;
    private readonly IReadOnlyList<(ulong Seed, JsonNode Metrics)> evaluations;
    private readonly SectionColumn[] columns;

    /// <summary>Reads the evaluations.</summary>
    /// <param name="variants">Key of each variant in the evaluations, and its title in the table.</param>
    /// <param name="metrics">Path of metrics.json for each seed.</param>
    public StudyTable(IReadOnlyList<(string Key, string Title)> variants, IReadOnlyList<(ulong Seed, string Path)> metrics)
    {
        evaluations = [.. metrics.Select(file => (file.Seed, MetricsJson.Read(file.Path)))];
        // The evaluator's scores of the real images bound those of the models.
        bool bounded = Columns.Any(column => evaluations.Any(e => Value(e.Metrics, LabelAnalysis.BoundTitle, column.Key) is not null));
        this.variants = bounded ? [.. variants, (LabelAnalysis.BoundTitle, LabelAnalysis.BoundTitle)] : variants;
        columns = [.. Columns.Where(column =>
            evaluations.Any(e => this.variants.Any(v => Value(e.Metrics, v.Key, column.Key) is not null)))];
    }

    /// <summary>Writes table.csv (one row per variant and seed), table.md and table.tex (one row per variant).</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="caption">Caption of the table.</param>
    public void Write(string folder, string caption) => TableFiles.Write(Table(caption), BySeed(caption), folder, "study");

    /// <summary>Creates a table with one row per variant: mean over seeds, with the standard deviation if there are several.</summary>
    internal SectionTable Table(string caption) => new("study", caption, [new("variant", "Method"), .. columns],
        [.. variants.Select(variant => (IReadOnlyList<object?>)[variant.Title, .. columns.Select(column => Cell(variant.Key, column))])]);

    private object? Cell(string variant, SectionColumn column)
    {
        double[] values = [.. evaluations.Select(e => Value(e.Metrics, variant, column.Key)).OfType<double>()];
        if (values.Length < 2) return values.Length == 0 ? null : values[0];
        double mean = values.Average(), deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
        string Number(double value) => value.ToString($"F{column.Digits}", CultureInfo.InvariantCulture);
        return $"{Number(mean)} ± {Number(deviation)}";
    }

    private SectionTable BySeed(string caption) => new("study", caption, [new("variant", "Method"), new("seed", "Seed", 0), .. columns],
        [.. from variant in variants
            from evaluation in evaluations
            select (IReadOnlyList<object?>)[variant.Key, (double)evaluation.Seed,
                .. columns.Select(column => (object?)Value(evaluation.Metrics, variant.Key, column.Key))]]);

    /// <summary>Formats a table as Markdown.</summary>
    internal static string Markdown(SectionTable table)
    {
        string Cell(object? cell, SectionColumn column) => cell switch
        {
            null => "-",
            double value => value.ToString($"F{column.Digits}", CultureInfo.InvariantCulture),
            _ => $"{cell}",
        };
        IEnumerable<IEnumerable<string>> lines =
        [
            table.Columns.Select(column => column.Title),
            table.Columns.Select((_, i) => i == 0 ? "---" : "---:"),
            .. table.Rows.Select(row => row.Select((cell, i) => Cell(cell, table.Columns[i]))),
        ];
        return string.Concat(lines.Select(cells => $"| {string.Join(" | ", cells)} |\n"));
    }

    // Mean over all images, cell of a section's table, whose first column has the keys of models, or agreement of a quantity.
    private static double? Value(JsonNode metrics, string variant, string column)
    {
        if (column.StartsWith(Agreement, StringComparison.Ordinal)) return Concordance(metrics, variant, column[Agreement.Length..]);
        if (metrics["groups"]![0]!["summary"]?[variant]?[column]?["mean"] is JsonValue mean) return Number(mean);
        foreach (JsonNode table in Tables(metrics))
        {
            int index = IndexOf(table, column);
            JsonNode? row = table["rows"]!.AsArray().FirstOrDefault(cells => (string?)cells![0] == variant);
            if (index >= 0 && row?[index] is JsonValue cell) return Number(cell);
        }
        return null;
    }

    // Per slide where there are several, else per image.
    private static double? Concordance(JsonNode metrics, string variant, string quantity)
    {
        if (Tables(metrics).FirstOrDefault(table => (string?)table["key"] == IhcAnalysis.AgreementKey) is not { } table) return null;
        string heading = IhcCounts.Quantities(new IhcSettings()).Single(each => each.Quantity.Key == quantity).Quantity.Heading;
        JsonNode? row = table["rows"]!.AsArray().OfType<JsonNode>().LastOrDefault(cells =>
            (string?)cells[IndexOf(table, "quantity")] == heading && (string?)cells[IndexOf(table, "method")] == variant);
        return row?[IndexOf(table, "concordance")] is JsonValue cell ? Number(cell) : null;
    }

    private static IEnumerable<JsonNode> Tables(JsonNode metrics) =>
        metrics["sections"]!.AsArray().SelectMany(section => section!["tables"]!.AsArray()).OfType<JsonNode>();

    private static int IndexOf(JsonNode table, string column) =>
        table["columns"]!.AsArray().Select(each => (string?)each!["key"]).ToList().IndexOf(column);

    // An infinite PSNR is a string.
    private static double? Number(JsonValue value) => value.TryGetValue(out double number) ? number : null;
}
