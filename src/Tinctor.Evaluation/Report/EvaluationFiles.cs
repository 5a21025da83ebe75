
namespace Tinctor.Evaluation.Report;

/// <summary>The files of an evaluation: metrics.json, metrics.csv, report.html, tables/.</summary>
/// <param name="Json">Path of metrics.json.</param>
/// <param name="Csv">Path of metrics.csv.</param>
/// <param name="Html">Path of report.html.</param>
public sealed record EvaluationFiles(string Json, string Csv, string Html)
{
    /// <summary>Writes them all, each atomically.</summary>
    /// <param name="result">Result of the evaluation.</param>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="viewer">Address of the viewer that images of the report link to; null for no links.</param>
    public static EvaluationFiles Write(EvaluationResult result, string folder, string? viewer = null)
    {
        Directory.CreateDirectory(folder);
        var files = new EvaluationFiles(
            Path.Combine(folder, "metrics.json"), Path.Combine(folder, "metrics.csv"), Path.Combine(folder, "report.html"));
        AtomicFile.WriteText(files.Json, MetricsJson.Text(result));
        AtomicFile.WriteText(files.Csv, MetricsCsv.Text(result));
        AtomicFile.WriteText(files.Html, HtmlReport.Text(result, viewer));
        TableFiles.Write(result, Path.Combine(folder, "tables"));
        return files;
    }
}
