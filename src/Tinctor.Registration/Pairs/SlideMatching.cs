using System.Text.RegularExpressions;
using Tinctor.Data;
using Tinctor.Slides;

namespace Tinctor.Registration.Pairs;

/// <summary>Pairs of slides from lists, from folders matched by name, or from a table.</summary>
internal static class SlideMatching
{
    private const int ShownNames = 10;

    /// <summary>Pairs two lists of slides by their order, or two folders by the names of their slides.</summary>
    /// <param name="sources">Slides, or one folder.</param>
    /// <param name="targets">The same number of slides, or one folder.</param>
    /// <param name="match">
    /// Regular expression of the part of the names that partners share (its first group, or the whole match); null for the whole name.
    /// </param>
    /// <param name="slide">
    /// Regular expression of the slide or patient in a source's name; null if each source is a slide of its own.
    /// </param>
    /// <exception cref="TinctorException">
    /// Slides are missing, have no partner or several, or the slide pattern does not match a name.
    /// </exception>
    public static PairManifest Match(IReadOnlyList<string> sources, IReadOnlyList<string> targets, string? match = null,
        string? slide = null)
    {
        bool folders = sources is [var from] && targets is [var to] && IsFolderOfSlides(from) && IsFolderOfSlides(to);
        if (!folders && sources.Count != targets.Count)
        {
            throw new TinctorException(null, $"there are {sources.Count} sources, but {targets.Count} targets",
                "Give the same number of both in the same order, or one folder of each");
        }
        (string Source, string Target)[] pairs = folders ? MatchFolders(sources[0], targets[0], match) : [.. sources.Zip(targets)];
        foreach (string path in pairs.SelectMany(pair => (string[])[pair.Source, pair.Target]))
            if (!SlideFormats.Exists(path)) throw new TinctorException(path, "no such slide", "Check the path");
        return new(folders ? sources[0] : "the slides", "pairs of slides", [.. pairs.Select(pair => new Pair(Path.GetFullPath(pair.Source),
            Path.GetFullPath(pair.Target), "train", null, SlideOf(pair.Source, slide), PairLayout.TwoFiles))])
        { HasOwnSplits = false };
    }

    /// <summary>Reads a table with the columns source and target, optionally patient or slide_id, split and label.</summary>
    /// <param name="path">CSV or YAML file; slides are relative to it.</param>
    /// <param name="slide">Regular expression of the slide or patient in a source's name, for rows without patient and slide_id.</param>
    /// <exception cref="TinctorException">
    /// The table is missing, malformed or empty, a slide is missing, or a slide is in two splits.
    /// </exception>
    public static PairManifest ReadTable(string path, string? slide = null)
    {
        if (!File.Exists(path)) throw new TinctorException(path, "no such table", "Check the path");
        PairManifest table = ManifestFile.ReadUnsplit(path);
        if (table.Pairs.Count == 0) throw new TinctorException(path, "the table has no rows");
        foreach (Pair pair in table.Pairs)
        {
            if (pair.Target is null) throw new TinctorException(path, $"{Path.GetFileName(pair.Source)} has no target");
            if (pair.Files.FirstOrDefault(file => !SlideFormats.Exists(file)) is string missing)
                throw new TinctorException(path, $"the slide {missing} is missing", "Paths are relative to the table");
        }
        PairManifest named = table with
        {
            Pairs = [.. table.Pairs.Select(pair => pair.SlideId.Length > 0 ? pair : pair with { SlideId = SlideOf(pair.Source, slide) })],
        };
        named.RequireDisjointSplits();
        return named;
    }

    private static bool IsFolderOfSlides(string path) => Directory.Exists(path) && !SlideFormats.IsSlideFolder(path);

    private static (string, string)[] MatchFolders(string sources, string targets, string? match)
    {
        Regex? pattern = PairManifest.SlidePattern(match);
        Dictionary<string, string> a = ByKey(sources, pattern), b = ByKey(targets, pattern);
        string[] alone = [.. a.Keys.Except(b.Keys).Select(key => a[key]), .. b.Keys.Except(a.Keys).Select(key => b[key])];
        return alone.Length == 0 ? [.. a.Keys.Order(StringComparer.Ordinal).Select(key => (a[key], b[key]))]
            : throw new TinctorException(null, $"no partner for {string.Join(", ", alone.Take(ShownNames).Select(Path.GetFileName))}"
                + (alone.Length > ShownNames ? $" and {alone.Length - ShownNames} more" : ""),
                "Give a pattern of the part of the names that partners share, or a table of pairs")
            { Option = "Match" };
    }

    private static Dictionary<string, string> ByKey(string folder, Regex? pattern)
    {
        var slides = new Dictionary<string, string>();
        foreach (string path in SlideFormats.List(folder).Files)
        {
            string key = Found(pattern, path) ?? Slide.NameOf(path);
            if (!slides.TryAdd(key, path))
            {
                throw new TinctorException(null, $"{slides[key]} and {path} both have the key {key}",
                    "Give a pattern that tells their names apart, or a table of pairs")
                { Option = "Match" };
            }
        }
        return slides.Count > 0 ? slides : throw new TinctorException(folder, "no slides found", "Check the folder");
    }

    private static string SlideOf(string path, string? slide)
    {
        if (slide is null) return Slide.NameOf(path);
        return Found(PairManifest.SlidePattern(slide), path) ?? throw new TinctorException(path,
            $"the slide pattern {slide} does not match the name",
            "Correct the pattern")
        { Option = "SlidePattern" };
    }

    private static string? Found(Regex? pattern, string path) => pattern?.Match(Slide.NameOf(path)) is not { Success: true } match ? null
        : match.Groups.Count > 1 ? match.Groups[1].Value : match.Value;
}
