using System.Text.RegularExpressions;
using Microsoft.VisualBasic.FileIO;

namespace Tinctor.Evaluation.Data;

/// <summary>
/// Labels, slides and splits of images, from a CSV with a header: name (or target, as in a data set's manifest), label, slide_id, split.
/// </summary>
/// <param name="Rows">By file name without extension.</param>
/// <param name="HasSplits">Whether the table says which images are for testing.</param>
internal sealed record LabelTable(IReadOnlyDictionary<string, LabelRow> Rows, bool HasSplits)
{
    public bool IsIn(string split, string name) => Rows.TryGetValue(name, out var row) && row.Split == split;

    /// <exception cref="TinctorException">A column is missing, a row is malformed or a name comes twice.</exception>
    public static LabelTable Read(string path)
    {
        var (header, rows) = Csv.Read(path);
        int Column(string title) => Array.IndexOf(header, title);
        int name = Math.Max(Column("name"), Column("target")), label = Column("label"), slide = Column("slide_id"), split = Column("split");
        if (name < 0 || Math.Max(label, slide) < 0)
            throw new TinctorException(
                $"{path}: the first line must name the columns name and label (and slide_id where slides are known), or be a manifest's");
        var table = new Dictionary<string, LabelRow>();
        foreach (string[] row in rows)
        {
            string? Cell(int column) => column < 0 || row[column].Trim() is "" ? null : row[column].Trim();
            string key = FileNameLabels.WithoutImageExtension(Path.GetFileName(row[name].Trim()));
            if (!table.TryAdd(key, new(Cell(label), Cell(slide), Cell(split))))
                throw new TinctorException($"{path}: the name {key} comes twice");
        }
        return new(table, split >= 0);
    }
}

/// <summary>What a table says about an image; null where it says nothing.</summary>
internal readonly record struct LabelRow(string? Label, string? SlideId, string? Split);

/// <summary>The HER2 level at the end of BCI's file names: 00001_train_2+.png.</summary>
internal static partial class FileNameLabels
{
    public static bool AllHaveOne(IEnumerable<string> names) => names.All(n => Level().IsMatch(n));

    public static LabelRow Find(string name) => new(Level().Match(name).Groups[1].Value, null, null);

    public static string WithoutImageExtension(string name) => ImageExtension().Replace(name, "");

    [GeneratedRegex(@"_(0|1\+|2\+|3\+)$")]
    private static partial Regex Level();

    [GeneratedRegex(@"\.(png|jpe?g|tiff?)$", RegexOptions.IgnoreCase)]
    private static partial Regex ImageExtension();
}

/// <summary>Small CSV files with a header (RFC 4180).</summary>
internal static class Csv
{
    /// <exception cref="TinctorException">The file is empty, a row is malformed or has not the header's length.</exception>
    public static (string[] Header, List<string[]> Rows) Read(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: no such file", path);
        using var parser = new TextFieldParser(path) { Delimiters = [","], TrimWhiteSpace = false };
        try
        {
            string[] header = parser.ReadFields() ?? throw new TinctorException($"{path}: the file is empty");
            header = Array.ConvertAll(header, h => h.Trim());
            var rows = new List<string[]>();
            while (parser.ReadFields() is { } row)
                rows.Add(row.Length == header.Length
                    ? row
                    : throw new TinctorException(
                        $"{path}: row {rows.Count + 2} has {row.Length} cells, the header has {header.Length}"));
            return (header, rows);
        }
        catch (MalformedLineException e)
        {
            throw new TinctorException($"{path}: line {e.LineNumber} is not valid CSV", e);
        }
    }
}
