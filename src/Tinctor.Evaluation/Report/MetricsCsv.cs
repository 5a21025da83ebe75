using System.Globalization;
using System.Text;

namespace Tinctor.Evaluation.Report;

/// <summary>metrics.csv: one row an image; columns are named after their method (identity_psnr), those of a lone model are not.</summary>
public static class MetricsCsv
{
    /// <summary>RFC 4180 text; numbers read back exactly, and an infinite PSNR is inf, as pandas and NumPy write it.</summary>
    public static string Text(EvaluationResult result)
    {
        var methods = result.Methods.Where(m => m.NotComputed is null).ToArray();
        var text = new StringBuilder("name,label,slide_id,width,height");
        foreach (var method in methods)
            foreach (var metric in result.Metrics)
                text.Append(CultureInfo.InvariantCulture, $",{(method.Key == Method.Model ? "" : method.Key + "_")}{metric.Key}");
        text.Append('\n');
        foreach (var image in result.Images)
        {
            text.AppendJoin(',', Quote(image.Pair.Name), Quote(image.Pair.Label), Quote(image.Pair.SlideId), image.Width, image.Height);
            foreach (double value in methods.SelectMany(m => image.Scores[m.Key]))
                text.Append(',').Append(Cell(value));
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>A number that reads back exactly; inf and nan as NumPy writes them, minus included.</summary>
    internal static string Cell(double value) =>
        double.IsNaN(value) ? "nan" : double.IsInfinity(value) ? (value > 0 ? "inf" : "-inf") : value.ToString("R", CultureInfo.InvariantCulture);

    internal static string Quote(string? cell) =>
        cell is null ? "" : cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"")}\"" : cell;
}
