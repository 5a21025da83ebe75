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

    private readonly HashSet<string> known;
    private readonly Dictionary<string, IReadOnlyList<string>> added = [];
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
        known = File.Exists(path) ? [.. Read().Keys] : [];
    }

    /// <summary>Whether an image has a row.</summary>
    /// <param name="name">Path of the image below the folder, without extension.</param>
    public bool Contains(string name) => known.Contains(name) || added.ContainsKey(name);

    /// <summary>Sets the row of an image.</summary>
    public void Set(string name, IhcLevelPrediction prediction)
    {
        IEnumerable<float> numbers = prediction.Probabilities.Prepend(prediction.Probability);
        added[name] = [name, prediction.Level, .. numbers.Select(p => p.ToString("F4", CultureInfo.InvariantCulture))];
    }

    /// <summary>Adds the new rows to the file, beside those that other processes have added meanwhile.</summary>
    public void Save() => SharedTable.Add(path, header, Read, added);

    private Dictionary<string, IReadOnlyList<string>> Read()
    {
        CsvTable table = CsvFile.Read(path);
        if (!table.Header.SequenceEqual(header))
        {
            throw new TinctorException(path,
                $"its columns are {string.Join(", ", table.Header)}, this model writes {string.Join(", ", header)}",
                "Stain into another folder, or remove the file");
        }
        var rows = new Dictionary<string, IReadOnlyList<string>>();
        foreach (CsvRow row in table.Rows) rows[row.Text("name")] = row.Cells;
        return rows;
    }
}
