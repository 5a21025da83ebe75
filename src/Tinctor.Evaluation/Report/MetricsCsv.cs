using System.Globalization;
using Tinctor.Evaluation.Data;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// Writes metrics.csv: one row per image. Columns are named after their method (identity_psnr), except those of a single model.
/// </summary>
internal static class MetricsCsv
{
    /// <summary>Formats the table. Numbers read back exactly; an infinite PSNR is inf, as in pandas and NumPy.</summary>
    public static string Text(EvaluationResult result)
    {
        ScoredMethod[] methods = [.. result.Methods.Where(m => m.NotComputed is null)];
        IEnumerable<string> columns = from method in methods
                                      from metric in result.Metrics
                                      select (method.Key == ScoredMethod.Model ? "" : method.Key + "_") + metric.Key;
        return CsvFile.ToText(["name", "label", "slide_id", "width", "height", .. columns], result.Images.Select(image => (object?[])
        [
            image.Pair.Name, image.Pair.Label, image.Pair.SlideId, image.Width, image.Height,
            .. methods.SelectMany(m => image.Scores[m.Key]).Select(Cell),
        ]));
    }

    /// <summary>A number that reads back exactly; inf, -inf and nan as NumPy writes them.</summary>
    internal static string Cell(double value) =>
        double.IsNaN(value) ? "nan" : double.IsInfinity(value) ? (value > 0 ? "inf" : "-inf")
            : value.ToString("R", CultureInfo.InvariantCulture);
}
