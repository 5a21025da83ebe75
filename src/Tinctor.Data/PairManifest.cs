using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Tinctor.Data;

/// <summary>Image pairs of a data set, sorted by name, and their origin.</summary>
/// <param name="Root">Full path of the folder or manifest file.</param>
/// <param name="Layout">Description of the recognised layout.</param>
/// <param name="Pairs">Pairs of all splits, including those with a missing image, which <see cref="PairVerification"/> reports.</param>
public sealed record PairManifest(string Root, string Layout, IReadOnlyList<Pair> Pairs)
{
    /// <summary>Names of the splits.</summary>
    public static IReadOnlyList<string> Splits { get; } = ["train", "val", "test"];

    /// <summary>Whether the data defines the splits; false if they were drawn at random.</summary>
    public bool HasOwnSplits { get; init; } = true;

    /// <summary>Folders and manifest files of the data sets; several for a pool.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [Root];

    /// <summary>Number of slides of a pool that were moved to the test or validation split of another data set.</summary>
    public int MovedSlides { get; init; }

    /// <summary>Different stains of the targets, in the order of their first pairs; empty if they are unknown.</summary>
    public IReadOnlyList<string> Stains => [.. Pairs.Select(pair => pair.Stain).OfType<string>().Distinct()];

    /// <summary>
    /// Reads a data folder of one of the layouts in <see cref="FolderLayouts"/>, or a manifest file (see <see cref="ManifestFile"/>).
    /// </summary>
    /// <param name="path">A folder, or a .csv, .yaml or .yml file.</param>
    /// <param name="slidePattern">
    /// Regular expression for the slide ID in file names: its first group or, without groups, its match. A slide_id column overrides it.
    /// </param>
    /// <param name="unpaired">Whether images may lack a partner; their layout is then SourceOnly or TargetOnly.</param>
    /// <exception cref="TinctorException">
    /// The path does not exist, no layout fits, a manifest is malformed, or a slide is in two splits.
    /// </exception>
    public static PairManifest Read(string path, string? slidePattern = null, bool unpaired = false)
    {
        string root = Path.GetFullPath(path);
        Regex? pattern = SlidePattern(slidePattern);
        PairManifest manifest = Directory.Exists(root) ? FolderLayouts.Read(root, pattern, unpaired)
            : File.Exists(root) ? ManifestFile.Read(root, pattern, unpaired)
            : throw new TinctorException(path, "no such file or folder", "Check the path");
        if (manifest.Pairs.Count == 0)
            throw new TinctorException(path, $"no image pairs (layout: {manifest.Layout})", "Name the folder with the pairs");
        manifest.RequireMatches(slidePattern);
        manifest.RequireDisjointSplits();
        if (unpaired) manifest.RequireDisjointFiles();
        return manifest;
    }

    /// <summary>Reads two folders of images with the same names; all pairs are in the split "train".</summary>
    /// <exception cref="TinctorException">A folder contains no images.</exception>
    public static PairManifest ReadTwoFolders(string source, string target, string? slidePattern = null)
    {
        Regex? pattern = SlidePattern(slidePattern);
        PairManifest manifest = FolderLayouts.ReadTwoFolders(Path.GetFullPath(source), Path.GetFullPath(target), pattern);
        manifest.RequireMatches(slidePattern);
        return manifest;
    }

    /// <summary>Gets the pairs of a split; may be empty.</summary>
    public IReadOnlyList<Pair> InSplit(string split) => [.. Pairs.Where(pair => pair.Split == split)];

    /// <summary>Checks that the names of pairs are distinct.</summary>
    /// <exception cref="TinctorException">Two pairs have the same name.</exception>
    public static void RequireDistinctNames(IEnumerable<Pair> pairs)
    {
        if (pairs.GroupBy(pair => pair.Name).FirstOrDefault(group => group.Count() > 1) is { } same)
            throw new TinctorException(same.First().Source, $"another source has the same name, {same.ElementAt(1).Source}",
                "Rename one of them");
    }

    /// <summary>Gets the pairs in a direction of training: as they are for AtoB, with source and target exchanged for BtoA.</summary>
    internal PairManifest InDirection(string direction) => direction == "BtoA" ? Reverse() : this;

    /// <summary>Exchanges source and target of all pairs.</summary>
    public PairManifest Reverse() => this with { Pairs = [.. Pairs.Select(pair => pair.Reverse())] };

    /// <summary>
    /// Assigns each slide, with all of its pairs, to one split. The assignment depends on the slide IDs and the seed only. Fractions are
    /// rounded to whole slides: at least one for a fraction above 0, and at least one for training.
    /// </summary>
    /// <param name="validation">Fraction of the slides for validation, 0 to 1.</param>
    /// <param name="test">Fraction of the slides for testing, 0 to 1.</param>
    /// <param name="seed">Random seed.</param>
    /// <exception cref="TinctorException">The slide of a pair is unknown, or there are too few slides.</exception>
    public PairManifest SplitBySlide(double validation, double test, ulong seed = 0)
    {
        if (!(validation >= 0 && test >= 0 && validation + test < 1))
            throw new ArgumentException("fractions must be 0 or more, and their sum below 1");
        RequireSlides();
        string[] slides = [.. Pairs.Select(pair => pair.SlideId).Distinct().OrderBy(slide => Rank(slide, seed))];
        int tests = Share(test), validations = Share(validation);
        if (tests + validations >= slides.Length)
        {
            throw new TinctorException(Root, $"{slides.Length} slides are too few for a split by slide",
                "Add a split column to the manifest, or name the test slides");
        }
        return Assign(slide => Array.IndexOf(slides, slide) is int i && i < tests ? "test" : i < tests + validations ? "val" : "train");

        int Share(double share) => share == 0 ? 0 : Math.Max(1, (int)Math.Round(share * slides.Length));
    }

    /// <summary>Assigns the named slides to the validation and test splits and all others to training.</summary>
    /// <exception cref="TinctorException">A slide does not exist, is in both lists, or none is left for training.</exception>
    public PairManifest SplitBySlide(IReadOnlyCollection<string> validation, IReadOnlyCollection<string> test)
    {
        RequireSlides();
        var known = Pairs.Select(pair => pair.SlideId).ToHashSet();
        if (validation.Concat(test).FirstOrDefault(slide => !known.Contains(slide)) is { } missing)
        {
            string there = string.Join(", ", known.Order(StringComparer.Ordinal));
            throw new TinctorException(Root, $"no slide is named {missing}", $"The slides are {there}");
        }
        if (validation.FirstOrDefault(test.Contains) is { } twice)
            throw new TinctorException(Root, $"slide {twice} is named for both validation and testing", "Name it once");
        if (known.Count == validation.Distinct().Count() + test.Distinct().Count())
            throw new TinctorException(Root, "all slides are named for validation or testing", "Leave some for training");
        return Assign(slide => test.Contains(slide) ? "test" : validation.Contains(slide) ? "val" : "train");
    }

    /// <summary>Describes layout, pairs, splits, slides and labels in one line.</summary>
    public string Describe()
    {
        var text = new StringBuilder($"{Layout}: {Count()} (");
        text.AppendJoin(", ", Splits.Where(split => InSplit(split).Count > 0).Select(split => $"{split} {InSplit(split).Count}"));
        int slides = Pairs.Select(pair => pair.SlideId).Where(slide => slide.Length > 0).Distinct().Count();
        text.Append(slides > 0 ? $") of {slides} slides" : "), slides unknown");
        if (Pairs.Any(pair => pair.Label is not null))
        {
            var labels = Pairs.GroupBy(pair => pair.Label ?? "none").OrderBy(group => group.Key, StringComparer.Ordinal);
            text.Append(", labels ").AppendJoin(", ", labels.Select(label => $"{label.Key}: {label.Count()}"));
        }
        if (Stains.Count > 0)
            text.Append(", stains ").AppendJoin(", ", Stains.Select(stain => $"{stain}: {Pairs.Count(pair => pair.Stain == stain)}"));
        if (MovedSlides > 0)
            text.Append($", {MovedSlides} {(MovedSlides == 1 ? "slide" : "slides")} held out in all data sets because of one");
        return text.ToString();
    }

    // Such as "12 pairs", or "12 pairs, 3 sources and 5 targets without partner".
    private string Count()
    {
        (int sources, int targets) = (Pairs.Count(pair => !pair.HasTarget), Pairs.Count(pair => !pair.HasSource));
        return $"{Pairs.Count - sources - targets} pairs" + (sources + targets == 0 ? ""
            : $", {sources} sources and {targets} targets without partner");
    }

    // Without slide IDs a split is by image, and test data could leak into training.
    private void RequireMatches(string? slidePattern)
    {
        if (slidePattern is null || Pairs.FirstOrDefault(pair => pair.SlideId.Length == 0) is not { } unknown) return;
        int count = Pairs.Count(pair => pair.SlideId.Length == 0);
        throw new TinctorException(Root, $"the slide pattern {slidePattern} does not match {count} of {Pairs.Count} file names, such as "
            + Path.GetFileName(unknown.Source), "Correct the pattern")
        { Option = "SlidePattern" };
    }

    private PairManifest Assign(Func<string, string> split) =>
        this with { Pairs = [.. Pairs.Select(pair => pair with { Split = split(pair.SlideId) })] };

    private void RequireSlides()
    {
        if (Pairs.FirstOrDefault(pair => pair.SlideId.Length == 0) is { } pair)
        {
            throw new TinctorException(pair.Source, "the slide is unknown, and a split by tile would leak test data into training",
                "Add a slide_id column to the manifest, or give a pattern of the slide ID in file names")
            { Option = "SlidePattern" };
        }
    }

    /// <summary>Checks that no slide is in two splits.</summary>
    /// <exception cref="TinctorException">A slide is in two splits; the message names up to twenty of them.</exception>
    public void RequireDisjointSplits()
    {
        var leaks = Pairs.Where(pair => pair.SlideId.Length > 0).GroupBy(pair => pair.SlideId)
            .Select(slide => (slide.Key, Splits: slide.Select(pair => pair.Split).Distinct().ToArray()))
            .Where(slide => slide.Splits.Length > 1).ToArray();
        if (leaks.Length > 0)
        {
            string names = ProblemList.Join([.. leaks.Select(leak => $"slide {leak.Key} is in {string.Join(" and ", leak.Splits)}")]);
            throw new TinctorException(Root, $"test data would leak into training: {names}", "Assign each slide to one split");
        }
    }

    // Unpaired rows may name a file more than once.
    private void RequireDisjointFiles()
    {
        var first = new Dictionary<string, string>();
        foreach ((string file, string split) in Pairs.SelectMany(pair => pair.Files, (pair, file) => (file, pair.Split)))
        {
            if (first.TryAdd(file, split) || first[file] == split) continue;
            throw new TinctorException(file, $"the image is in {first[file]} and {split}, so test data would leak into training",
                "Assign each image to one split");
        }
    }

    private static ulong Rank(string slide, ulong seed) =>
        BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}:{slide}")));

    /// <summary>Compiles a slide pattern; null for null.</summary>
    /// <exception cref="TinctorException">The pattern is not a regular expression.</exception>
    public static Regex? SlidePattern(string? pattern)
    {
        try
        {
            return pattern is null ? null : new Regex(pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (ArgumentException error)
        {
            throw new TinctorException(null, $"the slide pattern is {pattern}, expected a regular expression",
                "Use a pattern such as ^[0-9]+", error)
            { Option = "SlidePattern" };
        }
    }
}
