namespace Tinctor.Staining;

/// <summary>CSV tables of an output folder, to which several processes add rows.</summary>
internal static class SharedTable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Adds rows to a table, beside those that other processes have added meanwhile.</summary>
    /// <param name="path">The table; it need not exist yet.</param>
    /// <param name="header">Columns of the table.</param>
    /// <param name="read">Reads the rows of the file by their key; called under the lock.</param>
    /// <param name="added">New rows by their key; they replace rows of the same key.</param>
    public static void Add(string path, IReadOnlyList<string> header, Func<Dictionary<string, IReadOnlyList<string>>> read,
        Dictionary<string, IReadOnlyList<string>> added)
    {
        string lockFile = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.lock");
        using FileLock access = FileLock.Acquire(lockFile, path, Patience);
        var rows = new SortedDictionary<string, IReadOnlyList<string>>(File.Exists(path) ? read() : [], StringComparer.Ordinal);
        foreach ((string key, IReadOnlyList<string> row) in added) rows[key] = row;
        CsvFile.Write(path, header, rows.Values);
    }
}
