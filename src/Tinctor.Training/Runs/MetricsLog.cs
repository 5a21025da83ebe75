using System.Globalization;
using System.Text;

namespace Tinctor.Training.Runs;

/// <summary>
/// metrics.csv of a run: one line a logged step. Columns are fixed by the first line; a value that a step does not have stays empty.
/// Every line is out of the process when <see cref="Write"/> returns, so that a kill does not take it along.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly string[] columns;
    private readonly FileStream file;

    /// <summary>Opens the log of a new run, or goes on after a step, dropping the lines beyond it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="columns">The columns after step and epoch.</param>
    /// <param name="after">The last step that is kept; 0 starts anew.</param>
    public MetricsLog(string path, IReadOnlyList<string> columns, long after)
    {
        this.columns = ["step", "epoch", .. columns];
        string header = string.Join(',', this.columns);
        IEnumerable<string> kept = after > 0 && File.Exists(path) ? File.ReadLines(path).Skip(1).Where(line => StepOf(line) <= after) : [];
        AtomicFile.WriteText(path, string.Concat(kept.Prepend(header).Select(line => line + "\n").ToArray()));
        file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Adds a line.</summary>
    public void Write(long step, int epoch, IReadOnlyDictionary<string, double> values)
    {
        IEnumerable<string> cells = columns.Skip(2)
            .Select(column => values.TryGetValue(column, out double value) ? value.ToString("G7", CultureInfo.InvariantCulture) : "");
        file.Write(Encoding.UTF8.GetBytes($"{step},{epoch},{string.Join(',', cells)}\n"));
        file.Flush(flushToDisk: false);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    // A line that was cut short has no place in the log either.
    private long StepOf(string line)
    {
        string[] cells = line.Split(',');
        return cells.Length == columns.Length && long.TryParse(cells[0], CultureInfo.InvariantCulture, out long step)
            ? step : long.MaxValue;
    }
}
