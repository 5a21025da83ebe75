using System.Text.RegularExpressions;

namespace Tinctor.Staining;

/// <summary>
/// Table stained.csv beside stained images: result, source, model and SHA-256 of its weights. Staining more images into the folder adds to
/// it. Processes that stain a part of the images each have tables of their own, stained.2-of-8.csv; all tables of a folder count together.
/// </summary>
internal sealed partial class StainedTable
{
    private static readonly string[] Header = ["file", "source", "model", "model_sha256"];

    private readonly Dictionary<string, IReadOnlyList<string>> known = [];
    private readonly Dictionary<string, IReadOnlyList<string>> added = [];
    private readonly string folder;
    private readonly string path;

    /// <summary>Opens the table of a folder; it need not exist yet.</summary>
    /// <param name="folder">Folder of the results.</param>
    /// <param name="shard">Part of the images that this process stains; null for all.</param>
    /// <exception cref="TinctorException">The file is no such table.</exception>
    public StainedTable(string folder, Shard? shard = null)
    {
        this.folder = folder;
        path = Path.Combine(folder, shard is { } part ? $"stained.{part.FileName}.csv" : "stained.csv");
        if (!Directory.Exists(folder)) return;
        foreach (string table in Directory.EnumerateFiles(folder, "stained*.csv").Where(file => Name().IsMatch(Path.GetFileName(file))))
            foreach ((string file, IReadOnlyList<string> row) in Read(table)) known[file] = row;
    }

    /// <summary>Gets the model that made a result; null if the table has no row for it.</summary>
    /// <param name="result">Path of the stained image or slide.</param>
    public (string Model, string Sha256)? ModelOf(string result) =>
        known.TryGetValue(Key(result), out IReadOnlyList<string>? row) ? (row[2], row[3]) : null;

    /// <summary>Sets the row of a result.</summary>
    /// <param name="result">Path of the stained image or slide.</param>
    /// <param name="source">Path of its source.</param>
    /// <param name="model">Folder of the model.</param>
    /// <param name="sha256">SHA-256 of the model's weights.</param>
    public void Set(string result, string source, string model, string sha256) =>
        added[Key(result)] = [Key(result), Path.GetFullPath(source), Path.GetFullPath(model), sha256];

    /// <summary>Adds the new rows to the file, beside those that other processes have added meanwhile.</summary>
    public void Save()
    {
        if (added.Count > 0) SharedTable.Add(path, Header, () => Read(path), added);
    }

    private static Dictionary<string, IReadOnlyList<string>> Read(string path)
    {
        CsvTable table = CsvFile.Read(path);
        table.Require(Header);
        var rows = new Dictionary<string, IReadOnlyList<string>>();
        foreach (CsvRow row in table.Rows) rows[row.Text("file")] = [.. Header.Select(column => row[column] ?? "")];
        return rows;
    }

    private string Key(string result) => Path.GetRelativePath(folder, result).Replace('\\', '/');

    [GeneratedRegex(@"^stained(\.\d+-of-\d+)?\.csv$")]
    private static partial Regex Name();
}
