using System.Globalization;
using System.Text;

namespace Tinctor.Transforms.Landmarks;

/// <summary>Landmark: position that a person marked.</summary>
/// <param name="Id">Number or name that corresponding landmarks share; null if the file has none.</param>
/// <param name="X">Column in pixels of level 0, with whole numbers at pixel centres.</param>
/// <param name="Y">Row in pixels of level 0.</param>
public readonly record struct Landmark(string? Id, double X, double Y);

/// <summary>
/// Landmark files: CSV with columns X and Y, whose first column has numbers or names of the landmarks unless it is X or Y (as in the ANHIR
/// and ACROBAT challenges); and points files of elastix (.pts).
/// </summary>
internal static class LandmarkFile
{
    /// <summary>Reads landmarks.</summary>
    /// <exception cref="TinctorException">
    /// The file is missing or malformed, has no landmarks, or has a number or name twice.
    /// </exception>
    public static IReadOnlyList<Landmark> Read(string path) =>
        Checked(path, IsPoints(path) ? ReadPoints(path) : [.. Landmarks(CsvFile.Read(path), path).Landmarks]);

    /// <summary>Reads landmarks from the text of a CSV file.</summary>
    /// <param name="text">Text of the file.</param>
    /// <param name="name">Name of the file, for messages.</param>
    /// <exception cref="TinctorException">
    /// The text is malformed, has no landmarks, or has a number or name twice.
    /// </exception>
    public static IReadOnlyList<Landmark> Parse(string text, string name) =>
        Checked(name, [.. Landmarks(CsvFile.Parse(new StringReader(text), name), name).Landmarks]);

    /// <summary>Formats landmarks as a CSV file with the columns landmark, X and Y.</summary>
    public static string ToText(IEnumerable<Landmark> landmarks) =>
        CsvFile.ToText(["landmark", "X", "Y"], landmarks.Select(mark => (object?[])[mark.Id, Format(mark.X), Format(mark.Y)]));

    private static IReadOnlyList<Landmark> Checked(string path, IReadOnlyList<Landmark> landmarks)
    {
        if (landmarks.Count == 0) throw new TinctorException(path, "the file has no landmarks");
        if (landmarks.Select(landmark => landmark.Id).OfType<string>().CountBy(id => id)
            .FirstOrDefault(id => id.Value > 1) is { Value: > 1 } twice)
            throw new TinctorException(path, $"the landmark {twice.Key} appears {twice.Value} times", "Number each landmark once");
        return landmarks;
    }

    /// <summary>Maps the landmarks of a file and writes them; other columns of a CSV file are copied.</summary>
    /// <param name="input">File to read.</param>
    /// <param name="output">File to write, in the format of the input.</param>
    /// <param name="map">Map of positions.</param>
    /// <exception cref="TinctorException">The input is missing or malformed, or the output's extension differs.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public static void Map(string input, string output, Func<double, double, (double X, double Y)> map)
    {
        if (IsPoints(input) != IsPoints(output))
            throw new TinctorException(output, $"landmarks are written in the format of their input, {Path.GetExtension(input)}",
                $"Name it {Path.ChangeExtension(Path.GetFileName(output), Path.GetExtension(input))}");
        if (IsPoints(input))
        {
            IReadOnlyList<Landmark> points = ReadPoints(input);
            var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"point\n{points.Count}\n"));
            foreach (Landmark point in points)
            {
                (double u, double v) = map(point.X, point.Y);
                text.Append(Format(u)).Append(' ').Append(Format(v)).Append('\n');
            }
            AtomicFile.WriteText(output, text.ToString());
            return;
        }
        (CsvTable table, int x, int y, Landmark[] landmarks) = Landmarks(CsvFile.Read(input), input);
        CsvFile.Write(output, table.Header, table.Rows.Zip(landmarks, (row, landmark) =>
        {
            object?[] cells = [.. row.Cells];
            (double u, double v) = map(landmark.X, landmark.Y);
            (cells[x], cells[y]) = (Format(u), Format(v));
            return cells;
        }));
    }

    private static bool IsPoints(string path) => Path.GetExtension(path).Equals(".pts", StringComparison.OrdinalIgnoreCase);

    private static (CsvTable Table, int X, int Y, Landmark[] Landmarks) Landmarks(CsvTable table, string path)
    {
        string[] names = [.. table.Header.Select(name => name.ToUpperInvariant())];
        (int x, int y) = (Array.IndexOf(names, "X"), Array.IndexOf(names, "Y"));
        if (x < 0 || y < 0)
            throw new TinctorException(path, $"the header has no columns X and Y; columns found: {string.Join(", ", table.Header)}",
                "Landmarks are a CSV file with the columns X and Y, or a .pts file");
        bool identified = x > 0 && y > 0;
        return (table, x, y, [.. table.Rows.Select(row =>
            new Landmark(identified ? Id(row.Cells[0]) : null, Number(row, x), Number(row, y)))]);

        double Number(CsvRow row, int column) => row.Number(table.Header[column])
            ?? throw new TinctorException(path, $"line {row.Line}: {table.Header[column]} is empty, but a number is expected");
    }

    // 7, 7.0 and 07 are the same landmark.
    private static string? Id(string cell) => cell.Length == 0 ? null
        : double.TryParse(cell, CultureInfo.InvariantCulture, out double number) ? number.ToString(CultureInfo.InvariantCulture) : cell;

    // "point" or "index", the number of points, then a point in each line.
    private static IReadOnlyList<Landmark> ReadPoints(string path)
    {
        if (!File.Exists(path)) throw new TinctorException(path, "no such file");
        string[] lines = [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
        if (lines is not ["point" or "index", string count, .. string[] rows] || count != $"{rows.Length}")
            throw new TinctorException(path,
                "not an elastix points file: its first lines must be \"point\" and the number of the lines that follow");
        return [.. rows.Select((row, i) =>
        {
            string[] cells = row.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return cells.Length >= 2 && double.TryParse(cells[0], CultureInfo.InvariantCulture, out double x)
                && double.TryParse(cells[1], CultureInfo.InvariantCulture, out double y) ? new Landmark(null, x, y)
                : throw new TinctorException(path, $"point {i + 1} is \"{row}\", but two numbers are expected");
        })];
    }

    private static string Format(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
