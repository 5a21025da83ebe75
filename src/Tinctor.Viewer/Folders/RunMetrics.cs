using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Tinctor.Viewer.Folders;

/// <summary>Row of metrics.csv: the values that were logged at a step. Values that are not finite are left out.</summary>
internal sealed record MetricsRow(long Step, IReadOnlyDictionary<string, double> Values);

/// <summary>metrics.csv of a run, which a training may be writing: rows that are not complete yet are left out.</summary>
/// <param name="path">The file.</param>
/// <param name="folders">Folders that the file must be in.</param>
internal sealed class RunMetrics(string path, SafeFolders folders)
{
    private const string StepColumn = "step";
    private const int LargestFile = 1 << 26, LastBytes = 1 << 14;

    // These columns number the rows or are no results.
    private static readonly HashSet<string> Unplotted = [StepColumn, "epoch"];

    /// <summary>Step of the last row; 0 if there is none.</summary>
    public long LastStep()
    {
        string[] lines = ReadText(int.MinValue).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length > 0 && long.TryParse(lines[^1].Split(',')[0], CultureInfo.InvariantCulture, out long step) ? step : 0;
    }

    /// <summary>Reads the curves, each with at most a number of points; the last point is always there.</summary>
    /// <exception cref="TinctorException">The file is damaged.</exception>
    public IReadOnlyList<(string Name, IReadOnlyList<double[]> Points)> Curves(int mostPoints)
    {
        string text = ReadText(0).Text;
        if (text.Length == 0) return [];
        CsvTable table = CsvFile.Parse(new StringReader(text), path);
        table.Require(StepColumn);
        var curves = new List<(string, IReadOnlyList<double[]>)>();
        foreach (string column in table.Header.Where(column => column.Length > 0 && !Unplotted.Contains(column)))
        {
            double[][] points = [.. table.Rows.Select(row => new[] { Number(row[StepColumn]), Number(row[column]) })
                .Where(point => point.All(double.IsFinite))];
            if (points.Length > 0) curves.Add((column, Thin(points, mostPoints)));
        }
        return curves;
    }

    /// <summary>Follows the file: rows after a step and, as they are appended, further rows.</summary>
    /// <param name="after">Step after which rows count; null for those that are appended from now on.</param>
    /// <param name="interval">Pause between looks at the file.</param>
    /// <param name="cancel">Ends the sequence.</param>
    /// <returns>Rows; null after each look at the file without a new row.</returns>
    public async IAsyncEnumerable<MetricsRow?> FollowAsync(
        long? after, TimeSpan interval, [EnumeratorCancellation] CancellationToken cancel)
    {
        long position = 0;
        string[] columns = [];
        bool isFirst = true;
        while (!cancel.IsCancellationRequested)
        {
            (string text, long end, long length) = ReadText(position);
            // A resumed training writes the file anew.
            bool isReplaced = length < position;
            if (isReplaced)
            {
                (position, columns) = (0, []);
                (text, end, _) = ReadText(0);
            }
            bool any = false;
            foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                string[] cells = line.TrimEnd('\r').Split(',');
                if (columns.Length == 0) columns = cells;
                else if (!isReplaced && !(isFirst && after is null) && Row(columns, cells) is { } row
                    && (after is null || row.Step > after))
                {
                    any = true;
                    yield return row;
                }
            }
            (position, isFirst) = (end, false);
            if (any) continue;
            yield return null;
            await Task.Delay(interval, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static MetricsRow? Row(string[] columns, string[] cells)
    {
        if (cells.Length != columns.Length || Array.IndexOf(columns, StepColumn) is not (>= 0 and int at)) return null;
        if (!long.TryParse(cells[at], CultureInfo.InvariantCulture, out long step)) return null;
        return new(step, columns.Zip(cells).Where(cell => !Unplotted.Contains(cell.First) && double.IsFinite(Number(cell.Second)))
            .GroupBy(cell => cell.First).ToDictionary(cell => cell.Key, cell => Number(cell.First().Second)));
    }

    private static double Number(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : double.NaN;

    private static IReadOnlyList<double[]> Thin(double[][] points, int most) => points.Length <= most ? points
        : [.. Enumerable.Range(0, most).Select(i => points[(int)((long)i * (points.Length - 1) / (most - 1))])];

    // Whole lines from a position on; a negative position is the end of the file.
    private (string Text, long End, long Length) ReadText(long position)
    {
        if (!File.Exists(path) || !folders.Contains(path)) return ("", 0, 0);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            long length = file.Length, start = position < 0 ? Math.Max(0, length - LastBytes) : Math.Min(position, length);
            byte[] bytes = new byte[Math.Min(length - start, LargestFile)];
            file.Position = start;
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            int end = bytes.AsSpan(0, read).LastIndexOf((byte)'\n') + 1;
            return (Encoding.UTF8.GetString(bytes, 0, end), start + end, length);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            return ("", position, long.MaxValue);
        }
    }
}
