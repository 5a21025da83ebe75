using System.Text.RegularExpressions;

namespace Tinctor.Data;

/// <summary>
/// Images sorted into a folder for each class, ROOT/CLASS/*.png or ROOT/{train,val,test}/CLASS/*.png; the folder's name is the label.
/// </summary>
internal static class ClassFolders
{
    /// <summary>Reads the folders; null if they have another layout, such as one of image pairs.</summary>
    /// <exception cref="TinctorException">A slide is in two splits.</exception>
    public static PairManifest? Read(string root, string? slidePattern = null)
    {
        root = Path.GetFullPath(root);
        if (!Directory.Exists(root) || Directory.EnumerateFiles(root, "manifest*").Any()) return null;
        Regex? pattern = PairManifest.SlidePattern(slidePattern);
        string[] splits = [.. PairManifest.Splits.Where(split => Classes(Path.Combine(root, split)).Length > 1)];
        Pair[] pairs = splits.Length > 0
            ? [.. splits.SelectMany(split => Images(Path.Combine(root, split), split, pattern))]
            : Classes(root).Length > 1 && !FolderLayouts.HasPairs(root) ? [.. Images(root, "train", pattern)] : [];
        if (pairs.Length == 0) return null;
        var manifest = new PairManifest(root, "class folders", pairs) { HasOwnSplits = splits.Length > 0 };
        manifest.RequireDisjointSplits();
        return manifest;
    }

    private static string[] Classes(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.GetDirectories(folder).Where(inner => FolderLayouts.Images(inner).Count > 0).Order(StringComparer.Ordinal)];

    private static IEnumerable<Pair> Images(string folder, string split, Regex? pattern) =>
        from inner in Classes(folder)
        from file in FolderLayouts.Images(inner)
        select new Pair(file, null, split, Path.GetFileName(inner), FolderLayouts.SlideId(file, pattern), PairLayout.Single);
}
