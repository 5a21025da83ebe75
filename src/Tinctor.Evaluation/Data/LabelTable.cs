using System.Text.RegularExpressions;

namespace Tinctor.Evaluation.Data;

/// <summary>
/// Labels, slides and splits of images, read from a CSV file with the columns name (or target, as in the manifest of a data set), label,
/// slide_id, split, and dataset or stain.
/// </summary>
/// <param name="Rows">Rows by file name without extension.</param>
/// <param name="HasSplits">Whether the table assigns images to splits.</param>
internal sealed record LabelTable(IReadOnlyDictionary<string, LabelRow> Rows, bool HasSplits)
{
    /// <summary>Whether an image belongs to a split.</summary>
    public bool IsIn(string split, string name) => Rows.TryGetValue(name, out var row) && row.Split == split;

    /// <summary>Reads a table.</summary>
    /// <exception cref="TinctorException">The file is missing, a column is missing, a row is malformed or a name appears twice.</exception>
    public static LabelTable Read(string path)
    {
        CsvTable table = CsvFile.Read(path);
        bool Has(string column) => table.Header.Contains(column);
        string? name = Has("target") ? "target" : Has("name") ? "name" : null;
        if (name is null || !(Has("label") || Has("slide_id")))
        {
            throw new TinctorException(path, $"the columns name and label, or target and slide_id, are missing; columns found: "
                + string.Join(", ", table.Header), "Give a manifest, or a table with the columns name, label and, if known, slide_id");
        }
        var rows = new Dictionary<string, LabelRow>();
        foreach (CsvRow row in table.Rows)
        {
            if (row.Cells.Count != table.Header.Count)
                throw new TinctorException(path, $"line {row.Line} has {row.Cells.Count} cells, but the header has {table.Header.Count}");
            string key = FileNameLabels.WithoutImageExtension(Path.GetFileName(row.Text(name)));
            if (!rows.TryAdd(key, new(row["label"], row["slide_id"], row["split"], row["dataset"] ?? row["stain"])))
                throw new TinctorException(path, $"the name {key} appears twice", "Keep one row per name");
        }
        return new(rows, Has("split"));
    }
}

/// <summary>Row of a <see cref="LabelTable"/>; null where a cell is empty.</summary>
internal readonly record struct LabelRow(string? Label, string? SlideId, string? Split, string? Dataset);

/// <summary>HER2 level at the end of the file names of BCI: 00001_train_2+.png.</summary>
internal static partial class FileNameLabels
{
    public static bool AllHaveOne(IEnumerable<string> names) => names.All(n => Level().IsMatch(n));

    public static LabelRow Find(string name) => new(Level().Match(name).Groups[1].Value, null, null, null);

    public static string WithoutImageExtension(string name) => ImageExtension().Replace(name, "");

    [GeneratedRegex(@"_(0|1\+|2\+|3\+)$")]
    private static partial Regex Level();

    [GeneratedRegex(@"\.(png|jpe?g|tiff?)$", RegexOptions.IgnoreCase)]
    private static partial Regex ImageExtension();
}
