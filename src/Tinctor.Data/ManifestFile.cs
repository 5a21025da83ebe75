using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Tinctor.Data;

/// <summary>
/// Manifest files: a CSV table with a header line, or a YAML list of mappings (at the top level or under "pairs"), with the fields
/// <list type="bullet">
/// <item>source: path relative to the manifest, required; in unpaired data it may be empty;</item>
/// <item>target: path likewise; empty or missing for side-by-side images with the source on the left. In unpaired data an empty target
/// means a source alone if another row has a target;</item>
/// <item>split: train, val or test. Without this column the slides are split 70 : 15 : 15;</item>
/// <item>label, slide_id: optional (slide_id is required without a split; patient takes precedence over it, slide is a synonym);</item>
/// <item>mpp: micrometres per pixel of the source, optional;</item>
/// <item>stain: stain of the target, optional;</item>
/// <item>kept: rows with 0 or false are skipped; earlier versions mark rejected tiles by it.</item>
/// </list>
/// Other columns are ignored.
/// </summary>
internal static class ManifestFile
{
    private const double ValidationShare = 0.15, TestShare = 0.15;
    private static readonly string[] SlideColumns = ["patient", "slide_id", "slide"];

    /// <summary>Reads a .csv, .yaml or .yml manifest.</summary>
    /// <exception cref="TinctorException">The file is malformed; the message names all wrong rows.</exception>
    public static PairManifest Read(string path, Regex? slidePattern = null, bool unpaired = false)
    {
        PairManifest manifest = ReadUnsplit(path, slidePattern, unpaired);
        return manifest.HasOwnSplits || manifest.Pairs.Count == 0 ? manifest
            : manifest.SplitBySlide(ValidationShare, TestShare) with { HasOwnSplits = false };
    }

    /// <summary>
    /// Reads a manifest without drawing splits: without a split column all pairs are in "train", and
    /// <see cref="PairManifest.HasOwnSplits"/> is false.
    /// </summary>
    /// <exception cref="TinctorException">The file is malformed; the message names all wrong rows.</exception>
    public static PairManifest ReadUnsplit(string path, Regex? slidePattern = null, bool unpaired = false)
    {
        bool csv = Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase);
        List<Row> rows = csv ? ReadCsv(path) : ReadYaml(path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        bool splits = rows.Any(row => row["split"].Length > 0), singles = unpaired && rows.Any(row => row["target"].Length > 0);
        var pairs = new List<Pair>();
        var problems = new List<string>();
        foreach (Row row in rows.Where(row => row["kept"].ToLowerInvariant() is not ("0" or "false" or "no")))
        {
            string? split = splits ? SplitName(row["split"]) : "train";
            if (row["source"].Length == 0 && !(singles && row["target"].Length > 0)) problems.Add($"{row.Place}: no source");
            else if (split is null) problems.Add($"{row.Place}: split \"{row["split"]}\"");
            else if ((row["source"] + row["target"]).Contains('\0')) problems.Add($"{row.Place}: a path with a NUL character");
            else if (row["mpp"].Length > 0 && MppOf(row) is null) problems.Add($"{row.Place}: mpp \"{row["mpp"]}\"");
            else pairs.Add(ToPair(row, folder, split, slidePattern, singles));
        }
        if (problems.Count > 0)
            throw new TinctorException(path, $"wrong rows: {ProblemList.Join(problems, separator: "; ")}",
                "Rows need a source; the split is train, val or test, and mpp a number above 0");
        return new(Path.GetFullPath(path), $"manifest {Path.GetFileName(path)}", pairs) { HasOwnSplits = splits };
    }

    /// <summary>
    /// Writes a CSV manifest; paths are relative to it, with forward slashes.
    /// </summary>
    /// <param name="path">File to write.</param>
    /// <param name="pairs">Rows of the manifest.</param>
    /// <param name="extra">Additional columns, each with one value per pair.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<Pair> pairs,
        params IReadOnlyList<(string Name, IReadOnlyList<string> Values)> extra)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (pairs.Any(pair => pair.Mpp is not null))
            extra = [("mpp", [.. pairs.Select(pair => pair.Mpp?.ToString("R", CultureInfo.InvariantCulture) ?? "")]), .. extra];
        if (pairs.Any(pair => pair.Stain is not null)) extra = [("stain", [.. pairs.Select(pair => pair.Stain ?? "")]), .. extra];
        CsvFile.Write(path, ["source", "target", "split", "label", "slide_id", .. extra.Select(column => column.Name)],
            pairs.Select((pair, i) => Cells(pair, i).ToArray()));

        IEnumerable<object?> Cells(Pair pair, int i)
        {
            if (pair.Layout is not (PairLayout.TwoFiles or PairLayout.SourceLeft))
                throw new ArgumentException($"{pair.Source}: manifests have no layout {pair.Layout}");
            string? target = pair.Target is null ? null : Relative(pair.Target);
            return [Relative(pair.Source), target, pair.Split, pair.Label, pair.SlideId, .. extra.Select(column => column.Values[i])];
        }

        string Relative(string file) => Path.GetRelativePath(folder, file).Replace('\\', '/');
    }

    private static Pair ToPair(Row row, string folder, string split, Regex? slidePattern, bool singles)
    {
        PairLayout layout = row["source"].Length == 0 ? PairLayout.TargetOnly
            : row["target"].Length > 0 ? PairLayout.TwoFiles : singles ? PairLayout.SourceOnly : PairLayout.SourceLeft;
        string source = Path.GetFullPath(row[layout == PairLayout.TargetOnly ? "target" : "source"], folder);
        string? target = layout == PairLayout.TwoFiles ? Path.GetFullPath(row["target"], folder) : null;
        string slide = SlideColumns.Select(column => row[column]).FirstOrDefault(value => value.Length > 0)
            ?? FolderLayouts.SlideId(source, slidePattern);
        string? label = row["label"].Length > 0 ? row["label"] : null;
        return new(source, target, split, label, slide, layout)
        {
            Mpp = MppOf(row),
            Stain = row["stain"].Length > 0 ? row["stain"] : null,
        };
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
        CsvTable table = CsvFile.Read(path);
        table.Require("source");
        if (table.Rows.FirstOrDefault(row => row.Cells.Count < table.Header.Count) is { } cut)
        {
            throw new TinctorException(path,
                $"line {cut.Line}: {cut.Cells.Count} cells, but the header has {table.Header.Count} columns", "Complete the row");
        }
        return [.. table.Rows.Select(row => new Row($"line {row.Line}", column => row[column]))];
    }

    private static List<Row> ReadYaml(string path)
    {
        try
        {
            using var reader = new StreamReader(InputFile.Open(path));
            object? document = new DeserializerBuilder().Build().Deserialize<object?>(reader);
            if (document is Dictionary<object, object> mapping && mapping.TryGetValue("pairs", out object? list)) document = list;
            if (document is not List<object> items)
            {
                throw new TinctorException(path, "no list of pairs found, but one is expected at the top level or under \"pairs\"",
                    "Write a list of mappings with source, target, split, label, slide_id");
            }
            return [.. items.Select((item, i) => new Row($"pair {i + 1}", item is Dictionary<object, object> fields
                ? column => Convert.ToString(fields.GetValueOrDefault(column), CultureInfo.InvariantCulture)
                : throw new TinctorException(path, $"pair {i + 1} is not a mapping",
                    "Write a mapping with source, target, split, label, slide_id")))];
        }
        catch (YamlException error)
        {
            throw new TinctorException(path, $"line {error.Start.Line} is not valid YAML",
                "Correct the syntax, or use a CSV manifest", error);
        }
    }

    private sealed record Row(string Place, Func<string, string?> Field)
    {
        public string this[string column] => Field(column)?.Trim() ?? "";
    }
}
