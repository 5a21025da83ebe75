using System.Globalization;

namespace Tinctor.Core;

/// <summary>Table read from a CSV file.</summary>
internal sealed class CsvTable
{
    internal CsvTable(string path, IReadOnlyList<string> header, IReadOnlyList<CsvRow> rows) => (Path, Header, Rows) = (path, header, rows);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Names of the columns; empty for columns without a name.</summary>
    public IReadOnlyList<string> Header { get; }

    /// <summary>Rows below the header; blank lines are left out.</summary>
    public IReadOnlyList<CsvRow> Rows { get; }

    /// <summary>Checks that the table has some columns.</summary>
    /// <exception cref="TinctorException">A column is missing; the message lists the columns found.</exception>
    public void Require(params ReadOnlySpan<string> columns)
    {
        foreach (string column in columns)
        {
            if (!Header.Contains(column))
                throw new TinctorException(Path, $"the column {column} is missing; the columns are {string.Join(", ", Header)}",
                    "Add the column.");
        }
    }
}

/// <summary>Row of a <see cref="CsvTable"/>.</summary>
internal sealed class CsvRow
{
    private readonly string path;
    private readonly IReadOnlyDictionary<string, int> columns;
    private readonly string[] cells;

    internal CsvRow(string path, int line, IReadOnlyDictionary<string, int> columns, string[] cells) =>
        (this.path, Line, this.columns, this.cells) = (path, line, columns, cells);

    /// <summary>Number of the row's last line in the file, from 1.</summary>
    public int Line { get; }

    /// <summary>All cells in their order.</summary>
    public IReadOnlyList<string> Cells => cells;

    /// <summary>Gets a cell by its column; null if the column or the cell is missing, or the cell is empty.</summary>
    public string? this[string column] =>
        columns.TryGetValue(column, out int index) && index < cells.Length && cells[index].Length > 0 ? cells[index] : null;

    /// <summary>Gets a cell that must not be empty.</summary>
    /// <exception cref="TinctorException">The cell is empty.</exception>
    public string Text(string column) => this[column] ?? throw new TinctorException(path, $"line {Line}: {column} is empty");

    /// <summary>Gets a finite number; null if the cell is empty.</summary>
    /// <exception cref="TinctorException">The cell is not a finite number.</exception>
    public double? Number(string column) => this[column] is not { } text ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number
        : throw new TinctorException(path, $"line {Line}: {column} is \"{text}\", but a number is expected",
            "Use a point as the decimal separator.");
}
