using System.Globalization;
using System.Text;

namespace Tinctor.Training.Runs;

/// <summary>
/// metrics.csv of a run: one row per logged step; missing values are empty. <see cref="Write"/> passes each row to the operating system, so
/// it survives the end of the process.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly string[] columns;
    private readonly FileStream file;

    /// <summary>
    /// Opens the log of a new or resumed run; rows after the resumed step are removed. Columns of the file keep their order, others follow.
    /// </summary>
    /// <param name="path">File of the log.</param>
    /// <param name="columns">Columns after step and epoch.</param>
    /// <param name="after">Last step to keep; 0 for a new run.</param>
    public MetricsLog(string path, IReadOnlyList<string> columns, long after)
    {
        string[] lines = after > 0 && File.Exists(path) ? File.ReadAllLines(path) : [];
        string[] before = lines.Length > 0 ? lines[0].Split(',') : ["step", "epoch"];
        this.columns = [.. before.Union(columns)];
        string header = string.Join(',', this.columns), added = new(',', this.columns.Length - before.Length);
        IEnumerable<string> kept = lines.Skip(1).Where(line => StepOf(line, before.Length) <= after).Select(line => line + added);
        AtomicFile.WriteText(path, string.Concat(kept.Prepend(header).Select(line => line + "\n").ToArray()));
        file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Columns of the file.</summary>
    public IReadOnlyList<string> Columns => columns;

    /// <summary>Appends a row.</summary>
    public void Write(long step, int epoch, IReadOnlyDictionary<string, double> values)
    {
        IEnumerable<string> cells = columns.Skip(2)
            .Select(column => values.TryGetValue(column, out double value) ? value.ToString("G7", CultureInfo.InvariantCulture) : "");
        file.Write(Encoding.UTF8.GetBytes($"{step},{epoch},{string.Join(',', cells)}\n"));
        file.Flush(flushToDisk: false);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    // Truncated rows are removed too.
    private static long StepOf(string line, int columns)
    {
        string[] cells = line.Split(',');
        return cells.Length == columns && long.TryParse(cells[0], CultureInfo.InvariantCulture, out long step)
            ? step : long.MaxValue;
    }
}
