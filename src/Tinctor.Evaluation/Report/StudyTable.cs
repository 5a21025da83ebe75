using System.Globalization;
using System.Text.Json.Nodes;
using Tinctor.Evaluation.Analyses.Ihc;
using Tinctor.Evaluation.Analyses.Labels;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;
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
    // Inception Score, scores that tolerate misalignment, agreement of IHC quantities, and scores of the protocol centre-256 and of
    // detected nuclei. Columns that were not computed are left out.
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
        new("lpips", "LPIPS", 3, false), new("dists", "DISTS", 3, false), new("delta_e76", "ΔE76", 2, false),
        new("delta_e2000", "ΔE2000", 2, false), new("dab_od_mae", "DAB OD MAE", 4, false),
        new("dab_correlation", "DAB correlation", 3, true),
        new("wasserstein_h", "Wasserstein H", 4, false), new("wasserstein_e", "Wasserstein E", 4, false),
        new("wasserstein_dab", "Wasserstein DAB", 4, false), new("features_cosine", "Cosine of features", 3, true),
        new("dice", "F1 of segmentation", 3, true), new("detection_f1", "F1 of detected nuclei", 3, true),
        new("count_error", "Error of the number of nuclei", 1, false),
        new("macro_f1", "Macro F1 of tissue", 3, true), new("fid", "FID", 2, false), new("is", "Inception Score", 3, true),
    ];

    // Columns of Table 1 of DeReStainer and of CEFF.
    private static readonly string[] PaperKeys = ["ssim", "psnr", "top1", "top3", "top5", "knn10", "fid"];

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

    /// <summary>
    /// Writes table.csv (one row per variant and seed), table.md and table.tex (one row per variant), and as .csv, .md and .tex: table1, in
    /// the layout of the papers; labels, the means of each label; comparisons, paired tests between variants over all seeds.
    /// </summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="caption">Caption of the table.</param>
    public void Write(string folder, string caption)
    {
        TableFiles.Write(Table(caption), BySeed(caption), folder, "study");
        TableFiles.Write(PaperTable(caption), folder);
        TableFiles.Write(Labels(caption), folder);
        TableFiles.Write(Comparisons(), folder);
    }

    /// <summary>Creates the table of the papers: methods in rows; SSIM, PSNR, retrieval of the label and FID; means over seeds.</summary>
    internal SectionTable PaperTable(string caption)
    {
        SectionColumn[] shown = [.. PaperKeys.SelectMany(key => columns.Where(column => column.Key == key))];
        return new("table1", caption, [new("variant", "Methods"), .. shown],
            [.. variants.Where(variant => variant.Key != LabelAnalysis.BoundTitle).Select(variant =>
                (IReadOnlyList<object?>)[variant.Title, .. shown.Select(column => (object?)Mean(Values(variant.Key, column)))])]);
    }

    /// <summary>Creates the table of the means of each label over all seeds.</summary>
    internal SectionTable Labels(string caption)
    {
        string?[] labels = [.. Groups(evaluations[0].Metrics).Select(group => (string?)group["label"]).Where(label => label is not null)];
        SectionColumn[] shown = [.. columns.Where(IsImageMetric)];
        return new("labels", $"{caption}, by label",
            [new("label", "Label"), new("variant", "Method"), .. shown.Select(column => column with { HigherIsBetter = null })],
            [.. from label in labels
                from variant in variants
                select (IReadOnlyList<object?>)[label, variant.Title, .. shown.Select(column =>
                    (object?)Mean(evaluations.Select(e => OfLabel(e.Metrics, label, variant.Key, column.Key))))]]);
    }

    private static double? OfLabel(JsonNode metrics, string? label, string variant, string column)
    {
        JsonNode? group = Groups(metrics).FirstOrDefault(group => (string?)group["label"] == label);
        return group?["summary"]?[variant]?[column]?["mean"] is JsonValue mean ? Number(mean) : null;
    }

    /// <summary>Creates the table of paired tests between variants: differences of each image are averaged over the seeds.</summary>
    internal SectionTable Comparisons()
    {
        JsonNode[] images = [.. evaluations[0].Metrics["images"]!.AsArray().OfType<JsonNode>()];
        string[] names = [.. images.Select(image => (string)image["name"]!)];
        var bootstrap = new Bootstrap([.. images.Select(image => (string?)image["slide_id"])]);
        string[] keys = [.. variants.Select(variant => variant.Key).Where(key => key != LabelAnalysis.BoundTitle)];
        (string A, string B)[] couples = [.. keys.SelectMany((a, i) => keys[(i + 1)..].Select(b => (a, b)))];
        return TableFiles.Comparisons($"Paired differences over {names.Length} images and {evaluations.Count} seeds, positive where A is "
            + $"better; p of Wilcoxon's signed-rank test over {bootstrap.Unit}s and of the paired bootstrap, {bootstrap.Description}; "
            + "adjusted: Wilcoxon's p after Holm's correction over all comparisons by one metric",
            variants.ToDictionary(variant => variant.Key, variant => variant.Title),
            [.. columns.Where(IsImageMetric).Select(column => (column.Title, column.Digits, PairedTests.Run(column.Key,
                [.. couples.Select(couple => (couple.A, couple.B, Differences(column, couple.A, couple.B, names)))], bootstrap)))]);
    }

    // Advantage of A for each image: mean over the seeds in which both variants have a score.
    private double[] Differences(SectionColumn column, string a, string b, string[] names)
    {
        ILookup<string, double> differences = evaluations.SelectMany(e => e.Metrics["images"]!.AsArray().OfType<JsonNode>())
            .Select(image => (Name: (string)image["name"]!, A: Score(image, a), B: Score(image, b)))
            .Where(image => image is { A: not null, B: not null })
            .ToLookup(image => image.Name, image => (image.A!.Value - image.B!.Value) * (column.HigherIsBetter == true ? 1 : -1));
        return Array.ConvertAll(names, name => differences[name].DefaultIfEmpty(double.NaN).Average());

        double? Score(JsonNode image, string variant) =>
            image["scores"]?[variant]?[column.Key] is JsonValue score ? Number(score) : null;
    }

    private bool IsImageMetric(SectionColumn column) => evaluations.Any(e => variants.Any(variant =>
        Groups(e.Metrics).First()["summary"]?[variant.Key]?[column.Key] is not null));

    private static IEnumerable<JsonNode> Groups(JsonNode metrics) => metrics["groups"]!.AsArray().OfType<JsonNode>();

    private IEnumerable<double?> Values(string variant, SectionColumn column) =>
        evaluations.Select(e => Value(e.Metrics, variant, column.Key));

    private static double? Mean(IEnumerable<double?> values) =>
        values.OfType<double>().ToArray() is { Length: > 0 } known ? known.Average() : null;

    /// <summary>Creates a table with one row per variant: mean over seeds, with the standard deviation if there are several.</summary>
    internal SectionTable Table(string caption) => new("study", caption, [new("variant", "Method"), .. columns],
        [.. variants.Select(variant => (IReadOnlyList<object?>)[variant.Title, .. columns.Select(column => Cell(variant.Key, column))])]);

    private object? Cell(string variant, SectionColumn column)
    {
        double[] values = [.. Values(variant, column).OfType<double>()];
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
    /// <param name="table">The table.</param>
    /// <param name="boldBest">Whether the best number of each column is bold.</param>
    internal static string Markdown(SectionTable table, bool boldBest = false)
    {
        double?[] best = [.. table.Columns.Select((column, i) =>
            boldBest ? LatexTable.BestValue(column, table.Rows.Select(row => row[i])) : null)];
        string Number(double value, SectionColumn column) => value.ToString($"F{column.Digits}", CultureInfo.InvariantCulture);
        string Cell(object? cell, int i) => cell switch
        {
            null => "-",
            double value when best[i] is double most && Number(value, table.Columns[i]) == Number(most, table.Columns[i]) =>
                $"**{Number(value, table.Columns[i])}**",
            double value => Number(value, table.Columns[i]),
            Interval interval => $"[{Number(interval.Low, table.Columns[i])}, {Number(interval.High, table.Columns[i])}]",
            _ => $"{cell}",
        };
        IEnumerable<IEnumerable<string>> lines =
        [
            table.Columns.Select(column => column.Title),
            table.Columns.Select((_, i) => i == 0 ? "---" : "---:"),
            .. table.Rows.Select(row => row.Select(Cell)),
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
