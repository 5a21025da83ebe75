using System.Globalization;
using System.Text;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Report;

/// <summary>A table as RFC 4180 text. An estimate takes four columns (its mean under the column's own name), an interval two.</summary>
internal static class SectionCsv
{
    public static string Text(SectionTable table)
    {
        var text = new StringBuilder();
        string[][] headings = [.. table.Columns.Select((column, i) => Headings(column.Key, table.Rows.Select(row => row[i])))];
        text.AppendJoin(',', headings.SelectMany(h => h).Select(MetricsCsv.Quote)).Append('\n');
        foreach (var row in table.Rows)
            text.AppendJoin(',', row.SelectMany((cell, i) => Cells(cell, headings[i].Length))).Append('\n');
        return text.ToString();
    }

    private static string[] Headings(string key, IEnumerable<object?> cells) => cells.FirstOrDefault(c => c is not null) switch
    {
        Summary => [key, $"{key}_std", $"{key}_low", $"{key}_high"],
        Interval => [$"{key}_low", $"{key}_high"],
        _ => [key],
    };

    private static string[] Cells(object? cell, int count) => cell switch
    {
        null => [.. Enumerable.Repeat("", count)],
        Summary s => [Number(s.Mean), Number(s.Std), Number(s.Ci?.Low), Number(s.Ci?.High)],
        Interval i => [Number(i.Low), Number(i.High)],
        double number => [Number(number)],
        string words => [MetricsCsv.Quote(words)],
        _ => [Convert.ToString(cell, CultureInfo.InvariantCulture)!],
    };

    private static string Number(double? value) => value is double v ? MetricsCsv.Cell(v) : "";
}
