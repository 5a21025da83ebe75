using System.Text.RegularExpressions;
using Tinctor.Data;
using Tinctor.Slides;

namespace Tinctor.Cli.Commands;

/// <summary>Which slides belong together: lists, folders matched by name, or a table.</summary>
internal static class SlidePairing
{
    /// <summary>A slide's name without its folder and extension, .ome included.</summary>
    public static string NameOf(string path) => Slide.Stem(Path.GetFileName(path));

    /// <summary>The pairs of two lists of slides, in their order; or of two folders, by what their names share.</summary>
    /// <param name="sources">Slides, or one folder.</param>
    /// <param name="targets">As many slides, or one folder.</param>
    /// <param name="match">Regular expression of what partners' names share; null for the whole name.</param>
    /// <param name="slide">Regular expression of the slide or patient in a source's name; null if each is one of its own.</param>
    /// <exception cref="TinctorException">Slides have no partner, or more than one.</exception>
    public static PairManifest Of(string[] sources, string[] targets, string? match, string? slide)
    {
        bool folders = sources is [var from] && targets is [var to] && Directory.Exists(from) && Directory.Exists(to);
        if (!folders && sources.Length != targets.Length)
            throw new TinctorException($"{sources.Length} sources and {targets.Length} targets; give as many, in the same order, or two folders");
        (string Source, string Target)[] pairs = folders ? Matched(sources[0], targets[0], match) : [.. sources.Zip(targets)];
        foreach (string path in pairs.SelectMany(pair => (string[])[pair.Source, pair.Target]))
            if (!File.Exists(path)) throw new TinctorException($"{path}: there is no such slide");
        Regex? pattern = PairManifest.SlidePattern(slide);
        return new(folders ? sources[0] : "the slides", "pairs of slides", [.. pairs.Select(pair => new Pair(Path.GetFullPath(pair.Source),
            Path.GetFullPath(pair.Target), "train", null, Found(pattern, pair.Source), PairLayout.TwoFiles))])
        { HasOwnSplits = false };
    }

    /// <summary>The pairs of a table with source and target, and patient or slide_id, split and label if it has them.</summary>
    /// <exception cref="TinctorException">It is malformed, names files that are not there, or puts a slide into two splits.</exception>
    public static PairManifest OfTable(string path, string? slide)
    {
        if (!File.Exists(path)) throw new TinctorException($"{path}: there is no such table");
        PairManifest table = ManifestFile.ReadUnsplit(path);
        if (table.Pairs.Count == 0) throw new TinctorException($"{path}: has no rows");
        foreach (Pair pair in table.Pairs)
        {
            if (pair.Target is null) throw new TinctorException($"{path}: {Path.GetFileName(pair.Source)} has no target");
            if (pair.Files.FirstOrDefault(file => !File.Exists(file)) is string missing)
                throw new TinctorException($"{path}: there is no slide {missing}; paths are relative to the table");
        }
        Regex? pattern = PairManifest.SlidePattern(slide);
        PairManifest named = table with
        {
            Pairs = [.. table.Pairs.Select(pair => pair.SlideId.Length > 0 ? pair : pair with { SlideId = Found(pattern, pair.Source) })],
        };
        named.RefuseLeaks();
        return named;
    }

    private static (string, string)[] Matched(string sources, string targets, string? match)
    {
        Regex? pattern = PairManifest.SlidePattern(match);
        Dictionary<string, string> a = ByKey(sources, pattern), b = ByKey(targets, pattern);
        string[] alone = [.. a.Keys.Except(b.Keys).Select(key => a[key]), .. b.Keys.Except(a.Keys).Select(key => b[key])];
        return alone.Length == 0 ? [.. a.Keys.Order(StringComparer.Ordinal).Select(key => (a[key], b[key]))]
            : throw new TinctorException($"no partner for {string.Join(", ", alone.Take(10).Select(Path.GetFileName))}"
                + (alone.Length > 10 ? $" and {alone.Length - 10} more" : "") + "; --match says what the names of partners share, a --table names them");
    }

    private static Dictionary<string, string> ByKey(string folder, Regex? pattern)
    {
        var slides = new Dictionary<string, string>();
        foreach (ImageJob job in ImageJobs.Find(folder, slides: true))
        {
            string key = Found(pattern, job.Input);
            if (!slides.TryAdd(key, job.Input))
                throw new TinctorException($"{slides[key]} and {job.Input}: both are {key}; --match says what tells them apart, "
                    + "a --table names partners");
        }
        return slides.Count > 0 ? slides : throw new TinctorException($"{folder}: no slides found");
    }

    private static string Found(Regex? pattern, string path) => pattern?.Match(NameOf(path)) is not { Success: true } match ? NameOf(path)
        : match.Groups.Count > 1 ? match.Groups[1].Value : match.Value;
}
