using System.Globalization;
using System.Text;

namespace Tinctor.Staining.Inference;

/// <summary>
/// levels.csv beside stained images: name, level, probability, and the probability of each level. It is taken up again when more images
/// are stained into the folder.
/// </summary>
public sealed class LevelTable
{
    /// <summary>The file's name.</summary>
    public const string FileName = "levels.csv";

    private readonly SortedDictionary<string, string> rows = new(StringComparer.Ordinal);
    private readonly string path;
    private readonly string heading;

    /// <summary>Opens the table of a folder, which need not be there yet.</summary>
    /// <param name="folder">Of the stained images.</param>
    /// <param name="levels">The model's levels.</param>
    /// <exception cref="TinctorException">The folder holds the levels of another kind of model.</exception>
    public LevelTable(string folder, IReadOnlyList<string> levels)
    {
        path = Path.Combine(folder, FileName);
        heading = string.Join(',', ["name", "level", "probability", .. levels.Select(level => $"p_{level}")]);
        if (!File.Exists(path)) return;
        string[] lines = File.ReadAllLines(path);
        if (lines.FirstOrDefault() != heading)
            throw new TinctorException($"{path}: its columns are not {heading}; stain into another folder, or remove it");
        foreach (string line in lines.Skip(1).Where(line => line.Length > 0)) rows[line[..EndOfName(line)]] = line;
    }

    /// <summary>Whether an image has a row.</summary>
    /// <param name="name">Its path below the folder, without extension.</param>
    public bool Contains(string name) => rows.ContainsKey(Quoted(name));

    /// <summary>Sets the row of an image.</summary>
    public void Set(string name, LevelPrediction prediction)
    {
        IEnumerable<float> numbers = prediction.Probabilities.Prepend(prediction.Probability);
        rows[Quoted(name)] = string.Join(',',
            [Quoted(name), prediction.Level, .. numbers.Select(p => p.ToString("F4", CultureInfo.InvariantCulture))]);
    }

    /// <summary>Writes the table.</summary>
    public void Save() =>
        AtomicFile.WriteText(path, rows.Values.Prepend(heading).Aggregate(new StringBuilder(), (text, line) => text.AppendLine(line)).ToString());

    private static string Quoted(string name) => name.AsSpan().ContainsAny(',', '"') ? $"\"{name.Replace("\"", "\"\"")}\"" : name;

    private static int EndOfName(string line) => line[0] == '"' ? line.LastIndexOf('"') + 1 : line.IndexOf(',');
}
