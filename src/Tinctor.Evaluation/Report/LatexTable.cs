using System.Globalization;
using System.Text;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// LaTeX table with booktabs rules: the best value of each column in bold, intervals below estimates. Needs the packages booktabs and
/// adjustbox, which shrinks wide tables to the page; ASCII only, for all engines.
/// </summary>
internal static class LatexTable
{
    public static string Text(SectionTable table, string label)
    {
        var text = new StringBuilder();
        text.Append("% \\usepackage{booktabs,adjustbox}\n\\begin{table}[tbp]\n\\centering\n\\small\n");
        text.Append(CultureInfo.InvariantCulture, $"\\caption{{{Escape(Sentence(table.Title))}}}\n");
        text.Append(CultureInfo.InvariantCulture, $"\\label{{tab:{label.Replace('_', '-')}}}\n");
        text.Append("\\begin{adjustbox}{max width=\\textwidth}\n\\begin{tabular}{");
        bool[] words = [.. table.Columns.Select((_, i) => table.Rows.Any(row => row[i] is string))];
        text.Append(string.Concat(words.Select(w => w ? 'l' : 'r'))).Append("}\n\\toprule\n");
        text.AppendJoin(" & ", table.Columns.Select(c => Escape(c.Title))).Append(" \\\\\n\\midrule\n");
        string?[] bests = [.. table.Columns.Select((column, i) => Best(column, [.. table.Rows.Select(row => row[i])]))];
        foreach (var row in table.Rows)
        {
            text.AppendJoin(" & ", row.Select((cell, i) => Bold(Cell(cell, table.Columns[i].Digits), bests[i]))).Append(" \\\\\n");
            if (row.Any(cell => cell is Summary { Ci: not null }))
                text.AppendJoin(" & ", row.Select((cell, i) => Below(cell, table.Columns[i].Digits))).Append(" \\\\\n");
        }
        return text.Append("\\bottomrule\n\\end{tabular}\n\\end{adjustbox}\n\\end{table}\n").ToString();
    }

    /// <summary>The best cell as it is printed: cells that read the same are equally good. Null where there is nothing to choose.</summary>
    private static string? Best(SectionColumn column, object?[] cells) =>
        BestValue(column, cells) is double best ? Number(best, column.Digits) : null;

    /// <summary>Gets the best number of a column; null where there is nothing to choose.</summary>
    internal static double? BestValue(SectionColumn column, IEnumerable<object?> cells)
    {
        if (column.HigherIsBetter is not bool higher) return null;
        double[] values = [.. cells.Select(Value).Where(v => !double.IsNaN(v))];
        return values.Distinct().Count() < 2 ? null : higher ? values.Max() : values.Min();
    }

    private static string Bold(string cell, string? best) => cell == best ? $"\\textbf{{{cell}}}" : cell;

    private static double Value(object? cell) => cell switch { double v => v, int v => v, Summary s => s.Mean, _ => double.NaN };

    private static string Cell(object? cell, int digits) => cell switch
    {
        null => "--",
        string words => Escape(words),
        int number => number.ToString(CultureInfo.InvariantCulture),
        Interval i => Of(i, digits),
        _ => Number(Value(cell), digits),
    };

    private static string Below(object? cell, int digits) =>
        cell is Summary { Ci: { } ci } ? $"\\scriptsize {Of(ci, digits)}" : "";

    private static string Of(Interval interval, int digits) => $"[{Number(interval.Low, digits)}, {Number(interval.High, digits)}]";

    private static string Number(double value, int digits) =>
        double.IsNaN(value) ? "--"
        : double.IsInfinity(value) ? value > 0 ? "$\\infty$" : "$-\\infty$"
        : value.ToString($"F{digits}", CultureInfo.InvariantCulture) is var text && text.StartsWith('-') ? $"$-${text[1..]}" : text;

    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";

    /// <summary>Escapes special characters of LaTeX and replaces the non-ASCII characters that reports contain.</summary>
    internal static string Escape(string words)
    {
        var text = new StringBuilder();
        foreach (var rune in words.EnumerateRunes())
            text.Append(rune.Value switch
            {
                '\\' => "\\textbackslash{}",
                '&' or '%' or '$' or '#' or '_' or '{' or '}' => "\\" + rune,
                '~' => "\\textasciitilde{}",
                '^' => "\\textasciicircum{}",
                '<' => "$<$",
                '>' => "$>$",
                '|' => "$|$",
                '"' => "''",
                '²' => "$^2$",
                '³' => "$^3$",
                '±' => "$\\pm$",
                '×' => "$\\times$",
                '−' => "$-$",
                '–' => "--",
                '—' => "---",
                '≥' => "$\\geq$",
                '≤' => "$\\leq$",
                '∞' => "$\\infty$",
                'Δ' => "$\\Delta$",
                'κ' => "$\\kappa$",
                'σ' => "$\\sigma$",
                'µ' or 'μ' => "$\\mu$",
                '’' => "'",
                'ä' => "\\\"a",
                'ö' => "\\\"o",
                'ü' => "\\\"u",
                'é' => "\\'e",
                < 32 => " ",
                > 126 => "?",
                _ => rune.ToString(),
            });
        return text.ToString();
    }
}
