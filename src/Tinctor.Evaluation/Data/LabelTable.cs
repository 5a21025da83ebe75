using System.Text.RegularExpressions;
using Microsoft.VisualBasic.FileIO;

namespace Tinctor.Evaluation.Data;

/// <summary>Labels and slides of images, from a CSV with a header and the columns name, label and (optional) slide_id.</summary>
/// <param name="Rows">By file name without extension.</param>
internal sealed record LabelTable(IReadOnlyDictionary<string, (string? Label, string? SlideId)> Rows)
{
    public (string? Label, string? SlideId) Find(string name) => Rows.GetValueOrDefault(name);

    /// <exception cref="InvalidDataException">A column is missing, a row is malformed or a name comes twice.</exception>
    public static LabelTable Read(string path)
    {
        var (header, rows) = Csv.Read(path);
        int name = Array.IndexOf(header, "name"), label = Array.IndexOf(header, "label"), slide = Array.IndexOf(header, "slide_id");
        if (name < 0 || (label < 0 && slide < 0))
            throw new InvalidDataException(
                $"{path}: the first line must name the columns name and label (and slide_id where slides are known)");
        var table = new Dictionary<string, (string?, string?)>();
        foreach (string[] row in rows)
        {
            string? Cell(int column) => column < 0 || row[column].Trim() is "" ? null : row[column].Trim();
            string key = FileNameLabels.WithoutImageExtension(row[name].Trim());
            if (!table.TryAdd(key, (Cell(label), Cell(slide))))
                throw new InvalidDataException($"{path}: the name {key} comes twice");
        }
        return new(table);
    }
}

/// <summary>The HER2 level at the end of BCI's file names: 00001_train_2+.png.</summary>
internal static partial class FileNameLabels
{
    public static bool AllHaveOne(IEnumerable<string> names) => names.All(n => Level().IsMatch(n));

    public static (string? Label, string? SlideId) Find(string name) => (Level().Match(name).Groups[1].Value, null);

    public static string WithoutImageExtension(string name) => ImageExtension().Replace(name, "");

    [GeneratedRegex(@"_(0|1\+|2\+|3\+)$")]
    private static partial Regex Level();

    [GeneratedRegex(@"\.(png|jpe?g|tiff?)$", RegexOptions.IgnoreCase)]
    private static partial Regex ImageExtension();
}

/// <summary>Small CSV files with a header (RFC 4180).</summary>
internal static class Csv
{
    /// <exception cref="InvalidDataException">The file is empty, a row is malformed or has not the header's length.</exception>
    public static (string[] Header, List<string[]> Rows) Read(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: no such file", path);
        using var parser = new TextFieldParser(path) { Delimiters = [","], TrimWhiteSpace = false };
        try
        {
            string[] header = parser.ReadFields() ?? throw new InvalidDataException($"{path}: the file is empty");
            header = Array.ConvertAll(header, h => h.Trim());
            var rows = new List<string[]>();
            while (parser.ReadFields() is { } row)
                rows.Add(row.Length == header.Length
                    ? row
                    : throw new InvalidDataException(
                        $"{path}: row {rows.Count + 2} has {row.Length} cells, the header has {header.Length}"));
            return (header, rows);
        }
        catch (MalformedLineException e)
        {
            throw new InvalidDataException($"{path}: line {e.LineNumber} is not valid CSV", e);
        }
    }
}
