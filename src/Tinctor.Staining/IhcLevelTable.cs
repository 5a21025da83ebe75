using System.Globalization;

namespace Tinctor.Staining;

/// <summary>
/// Table levels.csv beside stained images: name, level, probability, and the probability of each IHC level. Staining more images into the
/// folder adds to it.
/// </summary>
internal sealed class IhcLevelTable
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "levels.csv";

    private readonly SortedDictionary<string, IReadOnlyList<string>> rows = new(StringComparer.Ordinal);
    private readonly string path;
    private readonly string[] header;

    /// <summary>Opens the table of a folder; it need not exist yet.</summary>
    /// <param name="folder">Folder of the stained images.</param>
    /// <param name="levels">IHC levels of the model.</param>
    /// <exception cref="TinctorException">The folder holds the table of a model with other levels.</exception>
    public IhcLevelTable(string folder, IReadOnlyList<string> levels)
    {
        path = Path.Combine(folder, FileName);
        header = ["name", "level", "probability", .. levels.Select(level => $"p_{level}")];
        if (!File.Exists(path)) return;
        CsvTable table = CsvFile.Read(path);
        if (!table.Header.SequenceEqual(header))
            throw new TinctorException(path,
                $"its columns are {string.Join(", ", table.Header)}, this model writes {string.Join(", ", header)}",
                "Stain into another folder, or remove the file");
        foreach (CsvRow row in table.Rows) rows[row.Text("name")] = row.Cells;
    }

    /// <summary>Whether an image has a row.</summary>
    /// <param name="name">Path of the image below the folder, without extension.</param>
    public bool Contains(string name) => rows.ContainsKey(name);

    /// <summary>Sets the row of an image.</summary>
    public void Set(string name, IhcLevelPrediction prediction)
    {
        IEnumerable<float> numbers = prediction.Probabilities.Prepend(prediction.Probability);
        rows[name] = [name, prediction.Level, .. numbers.Select(p => p.ToString("F4", CultureInfo.InvariantCulture))];
    }

    /// <summary>Writes the table.</summary>
    public void Save() => CsvFile.Write(path, header, rows.Values);
}
