namespace Tinctor.Staining;

/// <summary>
/// Table stained.csv beside stained images: result, source, model and SHA-256 of its weights. Staining more images into the folder adds to
/// it.
/// </summary>
internal sealed class StainedTable
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "stained.csv";

    private static readonly string[] Header = ["file", "source", "model", "model_sha256"];

    private readonly SortedDictionary<string, string[]> rows = new(StringComparer.Ordinal);
    private readonly string folder;

    /// <summary>Opens the table of a folder; it need not exist yet.</summary>
    /// <exception cref="TinctorException">The file is no such table.</exception>
    public StainedTable(string folder)
    {
        this.folder = folder;
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return;
        CsvTable table = CsvFile.Read(path);
        table.Require(Header);
        foreach (CsvRow row in table.Rows) rows[row.Text("file")] = [.. Header.Select(column => row[column] ?? "")];
    }

    /// <summary>Gets the model that made a result; null if the table has no row for it.</summary>
    /// <param name="result">Path of the stained image or slide.</param>
    public (string Model, string Sha256)? ModelOf(string result) => rows.TryGetValue(Key(result), out string[]? row) ? (row[2], row[3])
        : null;

    /// <summary>Sets the row of a result.</summary>
    /// <param name="result">Path of the stained image or slide.</param>
    /// <param name="source">Path of its source.</param>
    /// <param name="model">Folder of the model.</param>
    /// <param name="sha256">SHA-256 of the model's weights.</param>
    public void Set(string result, string source, string model, string sha256) =>
        rows[Key(result)] = [Key(result), Path.GetFullPath(source), Path.GetFullPath(model), sha256];

    /// <summary>Writes the table, unless it is empty.</summary>
    public void Save()
    {
        if (rows.Count > 0) CsvFile.Write(Path.Combine(folder, FileName), Header, rows.Values);
    }

    private string Key(string result) => Path.GetRelativePath(folder, result).Replace('\\', '/');
}
