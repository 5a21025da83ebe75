using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Tinctor.Data;

/// <summary>The pairs of a data set, in the order of their names, and where they came from.</summary>
/// <param name="Root">The folder or manifest file that was read, as a full path.</param>
/// <param name="Layout">The layout that was recognised, in words.</param>
/// <param name="Pairs">All pairs of all splits, those without a partner too: <see cref="PairVerification"/> reports them.</param>
public sealed record PairManifest(string Root, string Layout, IReadOnlyList<Pair> Pairs)
{
    /// <summary>The names of the splits.</summary>
    public static IReadOnlyList<string> Splits { get; } = ["train", "val", "test"];

    /// <summary>False if the splits were drawn here, as the data has none of its own.</summary>
    public bool HasOwnSplits { get; init; } = true;

    /// <summary>
    /// Reads a data folder, whose layout is recognised (see <see cref="FolderLayouts"/>), or a manifest file (see
    /// <see cref="ManifestFile"/>).
    /// </summary>
    /// <param name="path">A folder, or a .csv, .yaml or .yml file.</param>
    /// <param name="slidePattern">
    /// A regular expression that finds the slide's name in a file name: its first group, or all that it matches.
    /// Used where no slide_id column tells.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file or folder.</exception>
    /// <exception cref="TinctorException">No layout fits, a manifest is malformed, or a slide is in two splits.</exception>
    public static PairManifest Read(string path, string? slidePattern = null)
    {
        string root = Path.GetFullPath(path);
        Regex? pattern = SlidePattern(slidePattern);
        PairManifest manifest = Directory.Exists(root) ? FolderLayouts.Read(root, pattern)
            : File.Exists(root) ? ManifestFile.Read(root, pattern)
            : throw new FileNotFoundException($"{path}: no such file or folder; check the path", path);
        if (manifest.Pairs.Count == 0) throw new TinctorException($"{path}: holds no pairs ({manifest.Layout})");
        manifest.RequireMatches(slidePattern);
        manifest.RefuseLeaks();
        return manifest;
    }

    /// <summary>Reads two folders of images with the same names; all pairs are for training until they are split.</summary>
    /// <exception cref="TinctorException">One of the folders holds no images.</exception>
    public static PairManifest ReadTwoFolders(string source, string target, string? slidePattern = null)
    {
        PairManifest manifest = FolderLayouts.ReadTwoFolders(Path.GetFullPath(source), Path.GetFullPath(target), SlidePattern(slidePattern));
        manifest.RequireMatches(slidePattern);
        return manifest;
    }

    /// <summary>The pairs of one split; may be empty.</summary>
    public IReadOnlyList<Pair> OfSplit(string split) => [.. Pairs.Where(pair => pair.Split == split)];

    /// <summary>Refuses pairs whose files would have the same name.</summary>
    /// <exception cref="TinctorException">Two pairs have the same name.</exception>
    public static void RequireDistinctNames(IEnumerable<Pair> pairs)
    {
        if (pairs.GroupBy(pair => pair.Name).FirstOrDefault(group => group.Count() > 1) is { } same)
            throw new TinctorException($"{string.Join(" and ", same.Select(pair => pair.Source))}: have the same name; rename them");
    }

    /// <summary>The manifest with source and target exchanged.</summary>
    public PairManifest Reverse() => this with { Pairs = [.. Pairs.Select(pair => pair.Reverse())] };

    /// <summary>
    /// Gives each slide, with all of its pairs, to one split. Which slides is a function of their names and the seed alone.
    /// Shares are rounded to whole slides: at least one for a share above 0, and at least one left for training.
    /// </summary>
    /// <param name="validation">Share of slides for validation, 0 to 1.</param>
    /// <param name="test">Share of slides for testing, 0 to 1.</param>
    /// <param name="seed">Another seed, another choice.</param>
    /// <exception cref="TinctorException">A pair's slide is not known, or there are too few slides.</exception>
    public PairManifest SplitBySlide(double validation, double test, ulong seed = 0)
    {
        if (!(validation >= 0 && test >= 0 && validation + test < 1))
            throw new ArgumentException("shares must not be below 0, and together below 1");
        RequireSlides();
        string[] slides = [.. Pairs.Select(pair => pair.SlideId).Distinct().OrderBy(slide => Rank(slide, seed))];
        int tests = Share(test), validations = Share(validation);
        if (tests + validations >= slides.Length)
        {
            throw new TinctorException($"{Root}: {slides.Length} slides are too few to be split; "
                + "add a split column to the manifest, or name the test slides");
        }
        return Assign(slide => Array.IndexOf(slides, slide) is int i && i < tests ? "test" : i < tests + validations ? "val" : "train");

        int Share(double share) => share == 0 ? 0 : Math.Max(1, (int)Math.Round(share * slides.Length));
    }

    /// <summary>Gives the named slides to the test or validation split and all others to training.</summary>
    /// <exception cref="TinctorException">A slide is not there, is in both lists, or none is left for training.</exception>
    public PairManifest SplitBySlide(IReadOnlyCollection<string> validation, IReadOnlyCollection<string> test)
    {
        RequireSlides();
        var known = Pairs.Select(pair => pair.SlideId).ToHashSet();
        if (validation.Concat(test).FirstOrDefault(slide => !known.Contains(slide)) is { } missing)
        {
            string there = string.Join(", ", known.Order(StringComparer.Ordinal));
            throw new TinctorException($"{Root}: has no slide {missing}; it has {there}");
        }
        if (validation.FirstOrDefault(test.Contains) is { } twice)
            throw new TinctorException($"slide {twice} cannot be both for validation and for testing");
        if (known.Count == validation.Distinct().Count() + test.Distinct().Count())
            throw new TinctorException($"{Root}: all slides are for validation or testing; leave some for training");
        return Assign(slide => test.Contains(slide) ? "test" : validation.Contains(slide) ? "val" : "train");
    }

    /// <summary>One line: the layout, how many pairs, splits, slides and labels.</summary>
    public string Describe()
    {
        var text = new StringBuilder($"{Layout}: {Pairs.Count} pairs (");
        text.AppendJoin(", ", Splits.Where(split => OfSplit(split).Count > 0).Select(split => $"{split} {OfSplit(split).Count}"));
        int slides = Pairs.Select(pair => pair.SlideId).Where(slide => slide.Length > 0).Distinct().Count();
        text.Append(slides > 0 ? $") of {slides} slides" : "), slides not known");
        if (Pairs.Any(pair => pair.Label is not null))
        {
            var labels = Pairs.GroupBy(pair => pair.Label ?? "none").OrderBy(group => group.Key, StringComparer.Ordinal);
            text.Append(", labels ").AppendJoin(", ", labels.Select(label => $"{label.Key}: {label.Count()}"));
        }
        return text.ToString();
    }

    // A pattern that finds no slide would leave a split by slide without effect, and test data could leak.
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
            throw new TinctorException($"{pair.Source}: its slide is not known, and splitting tile by tile would leak; "
                + "add a slide_id column to the manifest, or say where the slide is in the file names");
        }
    }

    /// <summary>Refuses a slide in two splits.</summary>
    /// <exception cref="TinctorException">Names each such slide.</exception>
    public void RefuseLeaks()
    {
        var leaks = Pairs.Where(pair => pair.SlideId.Length > 0).GroupBy(pair => pair.SlideId)
            .Select(slide => (slide.Key, Splits: slide.Select(pair => pair.Split).Distinct().ToArray()))
            .Where(slide => slide.Splits.Length > 1).ToArray();
        if (leaks.Length > 0)
        {
            throw new TinctorException($"{Root}: test data would leak into training: "
                + string.Join(", ", leaks.Take(20).Select(leak => $"slide {leak.Key} is in {string.Join(" and ", leak.Splits)}"))
                + (leaks.Length > 20 ? $" and {leaks.Length - 20} more" : "") + "; give each slide to one split");
        }
    }

    private static ulong Rank(string slide, ulong seed) =>
        BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}:{slide}")));

    /// <summary>A regular expression of a user's; null stays null.</summary>
    /// <exception cref="TinctorException">It is none.</exception>
    public static Regex? SlidePattern(string? pattern)
    {
        try
        {
            return pattern is null ? null : new Regex(pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (ArgumentException error)
        {
            throw new TinctorException($"slide pattern {pattern}: is not a regular expression ({error.Message})", error);
        }
    }
}
