using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace Tinctor.Core;

/// <summary>Reads and writes CSV files with a header row (RFC 4180: commas, quotes, UTF-8).</summary>
public static class CsvFile
{
    private static readonly CsvConfiguration Format = new(CultureInfo.InvariantCulture)
    {
        NewLine = "\n",
        TrimOptions = TrimOptions.Trim,
        AllowComments = false,
        IgnoreBlankLines = true,
    };

    /// <summary>Reads a file.</summary>
    /// <exception cref="TinctorException">The file is missing or empty, has a quote that is not closed, or a column name twice.</exception>
    public static CsvTable Read(string path)
    {
        if (!File.Exists(path)) throw new TinctorException(path, "no such file");
        using var reader = new StreamReader(path, Encoding.UTF8);
        return Parse(reader, path);
    }

    /// <summary>Reads a table from text.</summary>
    /// <param name="reader">The text.</param>
    /// <param name="path">File named in errors.</param>
    /// <exception cref="TinctorException">The text is empty, has a quote that is not closed, or a column name twice.</exception>
    public static CsvTable Parse(TextReader reader, string path)
    {
        using var parser = new CsvParser(reader, Format);
        try
        {
            if (!parser.Read()) throw new TinctorException(path, "the file is empty; a header row is expected");
            string[] header = [.. parser.Record!];
            if (header.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
                throw new TinctorException(path, $"the column {twice.Key} appears {twice.Count()} times");
            var rows = new List<CsvRow>();
            var columns = header.Index().ToDictionary(column => column.Item, column => column.Index);
            while (parser.Read()) rows.Add(new CsvRow(path, parser.RawRow, columns, [.. parser.Record!]));
            return new CsvTable(path, header, rows);
        }
        catch (CsvHelperException e)
        {
            throw new TinctorException(path, $"line {parser.RawRow} is no CSV: a quote is not closed or misplaced", innerException: e);
        }
    }

    /// <summary>Replaces a file by a table; cells with commas, quotes or line breaks are quoted. Numbers are written in their invariant, shortest form, null as an empty cell.</summary>
    /// <exception cref="IOException">The file cannot be written; an earlier version of it is untouched.</exception>
    public static void Write(string path, IEnumerable<string> header, IEnumerable<IReadOnlyList<object?>> rows) =>
        AtomicFile.WriteText(path, ToText(header, rows));

    /// <summary>Formats a table; see <see cref="Write"/>.</summary>
    public static string ToText(IEnumerable<string> header, IEnumerable<IReadOnlyList<object?>> rows)
    {
        using var text = new StringWriter();
        using (var writer = new CsvWriter(text, Format))
        {
            WriteRow(writer, header);
            foreach (IReadOnlyList<object?> row in rows) WriteRow(writer, row.Select(Cell));
        }
        return text.ToString();
    }

    private static void WriteRow(CsvWriter writer, IEnumerable<string> cells)
    {
        foreach (string cell in cells) writer.WriteField(cell);
        writer.NextRecord();
    }

    private static string Cell(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
