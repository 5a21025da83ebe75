using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace Tinctor.Core;

/// <summary>Reads and writes CSV files with a header row (RFC 4180, UTF-8).</summary>
internal static class CsvFile
{
    private static readonly CsvConfiguration Input = new(CultureInfo.InvariantCulture) { TrimOptions = TrimOptions.Trim };
    private static readonly CsvConfiguration Output = new(CultureInfo.InvariantCulture) { NewLine = "\n" };

    /// <summary>Reads a file.</summary>
    /// <exception cref="TinctorException">The file cannot be opened, or is no table; see <see cref="Parse"/>.</exception>
    public static CsvTable Read(string path)
    {
        using var reader = new StreamReader(InputFile.Open(path), Encoding.UTF8);
        return Parse(reader, path);
    }

    /// <summary>Reads a table from text.</summary>
    /// <param name="reader">The text.</param>
    /// <param name="path">File named in errors.</param>
    /// <exception cref="TinctorException">
    /// The text is empty, names a column twice, has a row with more cells than columns, a misplaced quotation mark or a character that no
    /// text has.
    /// </exception>
    public static CsvTable Parse(TextReader reader, string path)
    {
        using var parser = new CsvParser(reader, Input);
        try
        {
            if (!parser.Read()) throw new TinctorException(path, "the file is empty, but a row of column names is expected");
            string[] header = [.. parser.Record!];
            // Spreadsheets leave columns without a name at the right.
            (int Index, string Name)[] named = [.. header.Index().Where(column => column.Item.Length > 0)];
            if (named.GroupBy(column => column.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
                throw new TinctorException(path, $"the column {twice.Key} appears {twice.Count()} times", "Rename or remove one of them.");
            var columns = named.ToDictionary(column => column.Name, column => column.Index);
            var rows = new List<CsvRow>();
            while (parser.Read()) rows.Add(new CsvRow(path, parser.RawRow, columns, CheckedCells(path, parser, header.Length)));
            return new CsvTable(path, header, rows);
        }
        catch (CsvHelperException e)
        {
            throw new TinctorException(path, $"line {parser.RawRow}: a quotation mark is misplaced or not closed",
                "Put cells with quotation marks in quotation marks and double those inside.", e);
        }
    }

    /// <summary>
    /// Replaces a file by a table. Cells with commas, quotation marks, line breaks or outer spaces are quoted; numbers are written in their
    /// shortest invariant form, null as an empty cell.
    /// </summary>
    /// <exception cref="TinctorException">The file cannot be written; an earlier version of it is unchanged.</exception>
    public static void Write(string path, IEnumerable<string> header, IEnumerable<IReadOnlyList<object?>> rows) =>
        AtomicFile.WriteText(path, ToText(header, rows));

    /// <summary>Formats a table; see <see cref="Write"/>.</summary>
    public static string ToText(IEnumerable<string> header, IEnumerable<IReadOnlyList<object?>> rows)
    {
        using var text = new StringWriter();
        using (var writer = new CsvWriter(text, Output))
        {
            WriteRow(writer, header);
            foreach (IReadOnlyList<object?> row in rows) WriteRow(writer, row.Select(Cell));
        }
        return text.ToString();
    }

    private static string[] CheckedCells(string path, CsvParser parser, int columns)
    {
        string[] cells = [.. parser.Record!];
        if (cells.Any(cell => cell.Contains('\0')))
            throw new TinctorException(path, $"line {parser.RawRow}: a NUL character, which no text has", "Save the table as UTF-8.");
        return cells.Skip(columns).All(cell => cell.Length == 0) ? cells : throw new TinctorException(path,
            $"line {parser.RawRow}: {cells.Length} cells, but the header has {columns} columns",
                "Put cells with commas in quotation marks.");
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
