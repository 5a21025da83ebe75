using System.Text.RegularExpressions;

namespace Tinctor.Data;

/// <summary>
/// Recognises the layout of a data folder by its sub-folders:
/// <code>
/// manifest.csv, manifest.yaml, manifest.yml          a manifest; takes precedence over the other layouts
/// HE/{train,val,test}  IHC/{train,val,test}          BCI; also A and B, source and target; also without the inner folders
/// trainA trainB valA valB testA testB                MIST, CycleGAN; without testA, val is the test set
/// train val test                                     pix2pix, CEFF: side-by-side images
/// *.png                                              side-by-side images without splits, all for training
/// </code>
/// The two images of a pair have the same name; extensions may differ. Names of unpaired data may differ too. BCI file names contain the
/// label and the split (00820_test_2+); inner folders override the split.
/// </summary>
internal static partial class FolderLayouts
{
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".tif", ".tiff"];
    private static readonly (string Source, string Target)[] Partners = [("HE", "IHC"), ("A", "B"), ("source", "target")];

    /// <summary>Lists the PNG, JPEG and TIFF files of a folder, sorted by name; hidden files are excluded.</summary>
    public static IReadOnlyList<string> Images(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder).Where(file => IsImage(Path.GetFileName(file))).OrderBy(file => file, StringComparer.Ordinal)];

    internal static PairManifest ReadTwoFolders(string source, string target, Regex? slidePattern)
    {
        foreach (string folder in (string[])[source, target])
        {
            RequireImages(folder);
        }
        return new(source, $"two folders, {Path.GetFileName(source)} and {Path.GetFileName(target)}",
            [.. Match(source, target, "train", slidePattern)]);
    }

    /// <summary>Checks that a folder contains images.</summary>
    /// <exception cref="TinctorException">It contains none.</exception>
    public static void RequireImages(string folder)
    {
        if (Images(folder).Count == 0)
            throw new TinctorException(folder, "no PNG, JPEG or TIFF images in this folder", "Name the folder with the images");
    }

    internal static PairManifest Read(string root, Regex? slidePattern, bool unpaired)
    {
        DatasetFile.Read(root); // throws for incomplete data sets and those of later versions
        string[] manifests = [.. Directory.EnumerateFiles(root, "manifest*").Where(IsManifest).Order(StringComparer.Ordinal)];
        if (manifests.Length == 1) return ManifestFile.Read(manifests[0], slidePattern, unpaired);
        if (manifests.Length > 1)
        {
            string names = string.Join(", ", manifests.Select(Path.GetFileName));
            throw new TinctorException(root, $"{manifests.Length} manifests in this folder ({names})", "Name one of them");
        }

        foreach ((string source, string target) in Partners)
        {
            string sources = Path.Combine(root, source), targets = Path.Combine(root, target);
            if (Directory.Exists(sources) && Directory.Exists(targets))
            {
                string layout = source == "HE" ? "BCI layout" : $"folders {source} and {target}";
                return new(root, layout, [.. Halves(sources, targets, slidePattern, unpaired)]);
            }
        }
        bool Has(string folder) => Directory.Exists(Path.Combine(root, folder));
        if (PairManifest.Splits.Any(split => Has($"{split}A") && Has($"{split}B")))
        {
            // MIST has no test folder: its papers test on val. Validation slides then come from the training slides.
            bool valIsTest = Has("valA") && !Has("testA");
            return new(root, valIsTest ? "MIST layout, val is the test set" : "MIST layout", [.. PairManifest.Splits.SelectMany(split =>
                Match(Path.Combine(root, $"{split}A"), Path.Combine(root, $"{split}B"), valIsTest && split == "val" ? "test" : split,
                    slidePattern, unpaired))]);
        }
        if (PairManifest.Splits.Any(split => Images(Path.Combine(root, split)).Count > 0))
        {
            return new(root, "side-by-side AB images (pix2pix, CEFF)",
                [.. PairManifest.Splits.SelectMany(split => SideBySide(Path.Combine(root, split), split, slidePattern))]);
        }
        if (Images(root).Count > 0) return new(root, "side-by-side AB images, no splits", [.. SideBySide(root, "train", slidePattern)]);
        throw new TinctorException(root, "no known layout of image pairs",
            "Provide manifest.csv, folders HE and IHC, folders trainA and trainB, or folders train and test with side-by-side images");
    }

    /// <summary>Whether the sub-folders have a layout of image pairs.</summary>
    internal static bool HasPairs(string root)
    {
        bool Has(string folder) => Directory.Exists(Path.Combine(root, folder));
        return Partners.Any(names => Has(names.Source) && Has(names.Target))
            || PairManifest.Splits.Any(split => Has($"{split}A") && Has($"{split}B")) || Has("train") || Has("test");
    }

    /// <summary>Gets the slide ID in a file name: the pattern's first group, or its match without groups; empty without a match.</summary>
    public static string SlideId(string file, Regex? pattern)
    {
        if (pattern?.Match(Path.GetFileNameWithoutExtension(file)) is not { Success: true } match) return "";
        return match.Groups.Count > 1 ? match.Groups[1].Value : match.Value;
    }

    private static IEnumerable<Pair> Halves(string sources, string targets, Regex? slidePattern, bool unpaired)
    {
        IEnumerable<Pair> split = PairManifest.Splits.SelectMany(split =>
            Match(Path.Combine(sources, split), Path.Combine(targets, split), split, slidePattern, unpaired));
        IEnumerable<Pair> flat = Match(sources, targets, "train", slidePattern, unpaired)
            .Select(pair => BciName().Match(pair.Name) is { Success: true } name ? pair with { Split = name.Groups["split"].Value } : pair);
        return split.Concat(flat);
    }

    private static IEnumerable<Pair> Match(string sources, string targets, string split, Regex? slidePattern, bool unpaired = false)
    {
        Dictionary<string, string> a = ByName(sources), b = ByName(targets);
        foreach (string name in a.Keys.Union(b.Keys).Order(StringComparer.Ordinal))
        {
            (string? source, string? target) = (a.GetValueOrDefault(name), b.GetValueOrDefault(name));
            if (unpaired && (source is null || target is null))
            {
                yield return new(source ?? target!, null, split, Label(name), SlideId(source ?? target!, slidePattern),
                    source is null ? PairLayout.TargetOnly : PairLayout.SourceOnly);
                continue;
            }
            // A missing partner gets its expected path, which the verification reports.
            source ??= Path.Combine(sources, Path.GetFileName(target!));
            target ??= Path.Combine(targets, Path.GetFileName(source));
            yield return new(source, target, split, Label(name), SlideId(source, slidePattern), PairLayout.TwoFiles);
        }
    }

    private static IEnumerable<Pair> SideBySide(string folder, string split, Regex? slidePattern)
    {
        foreach (string file in Images(folder))
        {
            string? label = Label(Path.GetFileNameWithoutExtension(file));
            yield return new(file, null, split, label, SlideId(file, slidePattern), PairLayout.SourceLeft);
        }
    }

    private static Dictionary<string, string> ByName(string folder)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string file in Images(folder))
        {
            if (!files.TryAdd(Path.GetFileNameWithoutExtension(file), file))
                throw new TinctorException(file, $"another image of the same name exists, {files[Path.GetFileNameWithoutExtension(file)]}",
                    "Remove one of the two");
        }
        return files;
    }

    private static string? Label(string name) => BciName().Match(name) is { Success: true } match ? match.Groups["level"].Value : null;

    private static bool IsImage(string name) => !name.StartsWith('.') && Extensions.Contains(Path.GetExtension(name).ToLowerInvariant());

    private static bool IsManifest(string path) => Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".yaml" or ".yml";

    [GeneratedRegex(@"_(?<split>train|val|test)_(?<level>0|1\+|2\+|3\+)$", RegexOptions.CultureInvariant)]
    private static partial Regex BciName();
}
