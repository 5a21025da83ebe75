namespace Tinctor.Data;

/// <summary>
/// Several data sets as one, for instance one for each stain. A slide that one data set holds out is held out in all: pairs of a test slide
/// are test pairs, and pairs of a validation slide are never training pairs. Slides are recognised by their IDs.
/// </summary>
internal static class DatasetPool
{
    private static readonly string[] Strictest = ["test", "val", "train"];

    /// <summary>Reads data sets.</summary>
    /// <param name="sets">
    /// Each NAME=PATH or PATH. The name is the stain of pairs without one, and identifies the data set; without a name, the path does.
    /// </param>
    /// <param name="slidePattern">Regular expression for the slide ID in file names; see <see cref="PairManifest.Read"/>.</param>
    /// <param name="unpaired">Whether images may lack partners.</param>
    /// <exception cref="TinctorException">A data set cannot be read, or is named twice.</exception>
    public static PairManifest Read(IReadOnlyList<string> sets, string? slidePattern = null, bool unpaired = false)
    {
        (string? Name, string Path)[] named = [.. sets.Select(Parse)];
        if (named.GroupBy(set => set.Name ?? Path.GetFullPath(set.Path)).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new OptionException("Data", $"the data set {twice.Key} is named {twice.Count()} times",
                "Give each data set another name");
        PairManifest[] manifests = [.. named.Select(set => Named(PairManifest.Read(set.Path, slidePattern, unpaired), set.Name))];
        return manifests.Length == 1 ? manifests[0] : Join(manifests);
    }

    /// <summary>Splits NAME=PATH; the name is null if there is none.</summary>
    internal static (string? Name, string Path) Parse(string set)
    {
        int equals = set.IndexOf('=');
        string name = equals < 0 ? "" : set[..equals].Trim();
        bool isPath = name.Length == 0 || name.AsSpan().ContainsAny('/', '\\') || Path.Exists(set);
        return isPath ? (null, set) : (name, set[(equals + 1)..].Trim());
    }

    /// <summary>Replaces the path of NAME=PATH or PATH by the full one.</summary>
    public static string WithFullPath(string set)
    {
        (string? name, string path) = Parse(set);
        return name is null ? Path.GetFullPath(path) : $"{name}={Path.GetFullPath(path)}";
    }

    private static PairManifest Named(PairManifest manifest, string? name) => manifest with
    {
        Pairs = [.. manifest.Pairs.Select(pair => pair with { Stain = pair.Stain ?? name, Dataset = name ?? manifest.Root })],
    };

    private static PairManifest Join(PairManifest[] manifests)
    {
        Pair[] pairs = [.. manifests.SelectMany(manifest => manifest.Pairs)];
        Dictionary<string, string> splits = pairs.Where(pair => pair.SlideId.Length > 0).GroupBy(pair => pair.SlideId)
            .ToDictionary(slide => slide.Key, slide => Strictest.First(split => slide.Any(pair => pair.Split == split)));
        int moved = pairs.Where(pair => pair.SlideId.Length > 0 && splits[pair.SlideId] != pair.Split).Select(pair => pair.SlideId)
            .Distinct().Count();
        return new(CommonFolder([.. manifests.Select(manifest => manifest.Root)]),
            $"{manifests.Length} data sets ({string.Join("; ", manifests.Select(manifest => manifest.Layout).Distinct())})",
            [.. pairs.Select(pair => pair with { Split = splits.GetValueOrDefault(pair.SlideId, pair.Split) })])
        {
            HasOwnSplits = manifests.All(manifest => manifest.HasOwnSplits),
            Roots = [.. manifests.Select(manifest => manifest.Root)],
            MovedSlides = moved,
        };
    }

    private static string CommonFolder(string[] roots)
    {
        string folder = Path.GetDirectoryName(roots[0]) ?? roots[0];
        while (Path.GetDirectoryName(folder) is { } parent
            && !roots.All(root => root.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
            folder = parent;
        return folder;
    }
}
