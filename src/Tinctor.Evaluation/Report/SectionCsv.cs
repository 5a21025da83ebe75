using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Report;

/// <summary>Formats a table as CSV. An estimate takes four columns (its mean under the key of the column), an interval two.</summary>
internal static class SectionCsv
{
    public static string Text(SectionTable table)
    {
        string[][] headings = [.. table.Columns.Select((column, i) => Headings(column.Key, table.Rows.Select(row => row[i])))];
        return CsvFile.ToText(headings.SelectMany(h => h),
            table.Rows.Select(row => row.SelectMany((cell, i) => Cells(cell, headings[i].Length)).ToArray()));
    }

    private static string[] Headings(string key, IEnumerable<object?> cells) => cells.FirstOrDefault(c => c is not null) switch
    {
        Summary => [key, $"{key}_std", $"{key}_low", $"{key}_high"],
        Interval => [$"{key}_low", $"{key}_high"],
        _ => [key],
    };

    private static object?[] Cells(object? cell, int count) => cell switch
    {
        null => new object?[count],
        Summary s => [Number(s.Mean), Number(s.Std), Number(s.Ci?.Low), Number(s.Ci?.High)],
        Interval i => [Number(i.Low), Number(i.High)],
        double number => [Number(number)],
        _ => [cell],
    };

    private static string? Number(double? value) => value is double v ? MetricsCsv.Cell(v) : null;
}
