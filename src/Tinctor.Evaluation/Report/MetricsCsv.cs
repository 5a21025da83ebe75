using System.Globalization;
using System.Text;

namespace Tinctor.Evaluation.Report;

/// <summary>metrics.csv: one row an image; the baselines' columns are named after them (identity_psnr).</summary>
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
                text.Append(',').Append(double.IsInfinity(value) ? "inf" : value.ToString("R", CultureInfo.InvariantCulture));
            text.Append('\n');
        }
        return text.ToString();
    }

    private static string Quote(string? cell) =>
        cell is null ? "" : cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"")}\"" : cell;
}
