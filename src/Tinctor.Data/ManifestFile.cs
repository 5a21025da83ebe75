using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.VisualBasic.FileIO;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Tinctor.Data;

/// <summary>
/// Manifest files: a CSV table with a header line, or a YAML list of mappings (by itself or under "pairs"), with
/// <list type="bullet">
/// <item>source: path relative to the manifest, required;</item>
/// <item>target: likewise; empty or missing for side-by-side images with the source on the left;</item>
/// <item>split: train, val or test. Without this column the slides are split 70 : 15 : 15, never tile by tile;</item>
/// <item>label, slide_id: optional (slide_id is required without a split; a column patient comes before it, slide is the same);</item>
/// <item>mpp: micrometres per pixel of the source, optional;</item>
/// <item>kept: rows with 0 or false are left out, as earlier versions mark rejected tiles.</item>
/// </list>
/// Other columns are ignored.
/// </summary>
public static class ManifestFile
{
    private const double ValidationShare = 0.15, TestShare = 0.15;
    private static readonly string[] SlideColumns = ["patient", "slide_id", "slide"];

    /// <summary>Reads a .csv, .yaml or .yml manifest.</summary>
    /// <exception cref="TinctorException">The file is malformed; all rows that are wrong are named.</exception>
    public static PairManifest Read(string path, Regex? slidePattern = null)
    {
        PairManifest manifest = ReadUnsplit(path, slidePattern);
        return manifest.HasOwnSplits || manifest.Pairs.Count == 0 ? manifest
            : manifest.SplitBySlide(ValidationShare, TestShare) with { HasOwnSplits = false };
    }

    /// <summary>
    /// As <see cref="Read"/>, but without a column for the split all pairs are for training (<see cref="PairManifest.HasOwnSplits"/> is false).
    /// </summary>
    /// <exception cref="TinctorException">The file is malformed; all rows that are wrong are named.</exception>
    public static PairManifest ReadUnsplit(string path, Regex? slidePattern = null)
    {
        bool csv = Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase);
        List<Row> rows = csv ? ReadCsv(path) : ReadYaml(path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        bool splits = rows.Any(row => row["split"].Length > 0);
        var pairs = new List<Pair>();
        var problems = new List<string>();
        foreach (Row row in rows.Where(row => row["kept"].ToLowerInvariant() is not ("0" or "false" or "no")))
        {
            string? split = splits ? SplitName(row["split"]) : "train";
            if (row["source"].Length == 0) problems.Add($"{row.Place} has no source");
            else if (split is null) problems.Add($"{row.Place} has the split \"{row["split"]}\"");
            else if (row["mpp"].Length > 0 && MppOf(row) is null) problems.Add($"{row.Place} has the mpp \"{row["mpp"]}\"");
            else pairs.Add(ToPair(row, folder, split, slidePattern));
        }
        if (problems.Count > 0)
            throw new TinctorException($"{path}: {Problems.List(problems)}; rows need a source, train, val or test as their split, "
                + "and a number above 0 as their mpp, if any");
        return new(Path.GetFullPath(path), $"manifest {Path.GetFileName(path)}", pairs) { HasOwnSplits = splits };
    }

    /// <summary>
    /// Writes a CSV manifest with paths relative to it and forward slashes. <paramref name="extra"/> adds columns, of which each pair has
    /// a value.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<Pair> pairs,
        params IReadOnlyList<(string Name, IReadOnlyList<string> Values)> extra)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var text = new StringBuilder();
        if (pairs.Any(pair => pair.Mpp is not null))
            extra = [("mpp", [.. pairs.Select(pair => pair.Mpp?.ToString("R", CultureInfo.InvariantCulture) ?? "")]), .. extra];
        AppendRow(text, ["source", "target", "split", "label", "slide_id", .. extra.Select(column => column.Name)]);
        for (int i = 0; i < pairs.Count; i++)
        {
            Pair pair = pairs[i];
            if (pair.Layout is PairLayout.SourceRight or PairLayout.Single)
                throw new ArgumentException($"{pair.Source}: a manifest cannot say that an image is single, or its source on the right");
            string target = pair.Target is null ? "" : Relative(pair.Target);
            AppendRow(text, [Relative(pair.Source), target, pair.Split, pair.Label ?? "", pair.SlideId,
                .. extra.Select(column => column.Values[i])]);
        }
        AtomicFile.WriteText(path, text.ToString());

        string Relative(string file) => Path.GetRelativePath(folder, file).Replace('\\', '/');
    }

    private static Pair ToPair(Row row, string folder, string split, Regex? slidePattern)
    {
        string source = Path.GetFullPath(row["source"], folder);
        string? target = row["target"].Length == 0 ? null : Path.GetFullPath(row["target"], folder);
        string slide = SlideColumns.Select(column => row[column]).FirstOrDefault(value => value.Length > 0)
            ?? FolderLayouts.Slide(source, slidePattern);
        string? label = row["label"].Length > 0 ? row["label"] : null;
        return new(source, target, split, label, slide, target is null ? PairLayout.SourceLeft : PairLayout.TwoFiles) { Mpp = MppOf(row) };
    }

    private static double? MppOf(Row row) =>
        double.TryParse(row["mpp"], CultureInfo.InvariantCulture, out double mpp) && mpp > 0 && double.IsFinite(mpp) ? mpp : null;

    private static string? SplitName(string text) => text.ToLowerInvariant() switch
    {
        "train" or "training" => "train",
        "val" or "valid" or "validation" => "val",
        "test" or "testing" => "test",
        _ => null,
    };

    private static List<Row> ReadCsv(string path)
    {
        try
        {
            using var parser = new TextFieldParser(path, Encoding.UTF8) { Delimiters = [","], HasFieldsEnclosedInQuotes = true };
            string[] header = parser.ReadFields()
                ?? throw new TinctorException($"{path}: is empty; expected a header line with source, target, split, label, slide_id");
            if (!header.Contains("source"))
                throw new TinctorException($"{path}: has no source column; its header is {string.Join(",", header)}");
            var rows = new List<Row>();
            while (!parser.EndOfData)
            {
                long line = parser.LineNumber;
                string[] fields = parser.ReadFields()!;
                if (fields.Length != header.Length)
                {
                    throw new TinctorException($"{path}: line {line} has {fields.Length} fields, the header {header.Length}; "
                        + "quote fields that contain commas");
                }
                rows.Add(new($"line {line}", header.Zip(fields).DistinctBy(field => field.First).ToDictionary()));
            }
            return rows;
        }
        catch (MalformedLineException error)
        {
            throw new TinctorException($"{path}: line {error.LineNumber} is not CSV; check its quotes", error);
        }
    }

    private static List<Row> ReadYaml(string path)
    {
        try
        {
            object? document = new DeserializerBuilder().Build().Deserialize<object?>(File.ReadAllText(path));
            if (document is Dictionary<object, object> mapping && mapping.TryGetValue("pairs", out object? list)) document = list;
            if (document is not List<object> items)
                throw new TinctorException($"{path}: expected a list of pairs, by itself or under \"pairs\"");
            return [.. items.Select((item, i) => new Row($"pair {i + 1}", item is Dictionary<object, object> fields
                ? fields.ToDictionary(field => $"{field.Key}", field => Convert.ToString(field.Value, CultureInfo.InvariantCulture) ?? "")
                : throw new TinctorException($"{path}: pair {i + 1} is not a mapping with source, target, split, label, slide_id")))];
        }
        catch (YamlException error)
        {
            throw new TinctorException($"{path}: is not YAML ({error.Message})", error);
        }
    }

    private static void AppendRow(StringBuilder text, IEnumerable<string> fields) =>
        text.AppendJoin(',', fields.Select(Quoted)).Append('\n');

    private static string Quoted(string field) => field.AsSpan().ContainsAny(",\"\n\r") ? $"\"{field.Replace("\"", "\"\"")}\"" : field;

    private sealed record Row(string Place, Dictionary<string, string> Fields)
    {
        public string this[string column] => Fields.TryGetValue(column, out string? value) ? value.Trim() : "";
    }
}
