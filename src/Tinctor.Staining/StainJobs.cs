namespace Tinctor.Staining;

/// <summary>Result that a command was asked to make.</summary>
/// <param name="File">Stained image or slide, relative to the output folder.</param>
/// <param name="Uncertainty">Its uncertainty map, relative to the output folder; null for none.</param>
/// <param name="Source">The image or slide.</param>
internal sealed record StainJob(string File, string? Uncertainty, string Source);

/// <summary>
/// Table .jobs.csv of an output folder: all results that commands were asked to make. <see cref="WholeSlides.StainStatus"/> reports those
/// that are missing.
/// </summary>
internal static class StainJobs
{
    private const string FileName = ".jobs.csv";
    private static readonly string[] Header = ["file", "uncertainty", "source"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Adds jobs. Many processes may add the same ones at the same time; one of them writes.</summary>
    public static void Add(string folder, IReadOnlyCollection<StainJob> jobs)
    {
        string path = Path.Combine(folder, FileName);
        if (Merge(path, jobs) is null) return;
        using FileLock access = FileLock.Acquire(path + ".lock", path, Patience);
        if (Merge(path, jobs) is { } merged) Write(path, merged);
    }

    /// <summary>Reads the jobs, in the order of their files.</summary>
    /// <exception cref="TinctorException">The folder is missing, has no such table, or the table is damaged.</exception>
    public static IReadOnlyList<StainJob> Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        return File.Exists(path) ? [.. ReadRows(path).Values]
            : throw new TinctorException(folder, Directory.Exists(folder) ? "no results of staining were asked for in this folder"
                : "there is no such folder", "Name the output folder of a staining.");
    }

    // The table with the jobs; null if it has them all.
    private static SortedDictionary<string, StainJob>? Merge(string path, IReadOnlyCollection<StainJob> jobs)
    {
        SortedDictionary<string, StainJob> rows = File.Exists(path) ? ReadRows(path) : new(StringComparer.Ordinal);
        bool isNew = false;
        foreach (StainJob job in jobs)
        {
            if (rows.TryGetValue(job.File, out StainJob? row) && row.Uncertainty == job.Uncertainty) continue;
            rows[job.File] = job;
            isNew = true;
        }
        return isNew ? rows : null;
    }

    private static SortedDictionary<string, StainJob> ReadRows(string path)
    {
        CsvTable table = CsvFile.Read(path);
        table.Require(Header);
        var rows = new SortedDictionary<string, StainJob>(StringComparer.Ordinal);
        foreach (CsvRow row in table.Rows) rows[row.Text("file")] = new(row.Text("file"), row["uncertainty"], row["source"] ?? "");
        return rows;
    }

    private static void Write(string path, SortedDictionary<string, StainJob> rows) =>
        CsvFile.Write(path, Header, rows.Values.Select(job => new object?[] { job.File, job.Uncertainty, job.Source }));
}
