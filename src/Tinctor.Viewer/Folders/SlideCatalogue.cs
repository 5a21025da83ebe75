using System.Collections.Frozen;
using Tinctor.Slides;

namespace Tinctor.Viewer.Folders;

/// <summary>Slides of the folders, with stained results linked to their sources; read again when it is older than an interval.</summary>
/// <param name="folders">Folders of slides, or slides.</param>
/// <param name="interval">Age from which on the folders are read again.</param>
internal sealed class SlideCatalogue(SafeFolders folders, TimeSpan interval)
{
    private readonly Refreshed<SlideList> list = new(old => SlideList.Read(folders, old), interval);

    /// <summary>Folders of the catalogue.</summary>
    public SafeFolders Folders => folders;

    /// <summary>Slides at present.</summary>
    public SlideList Current => list.Value;
}

/// <summary>Slides of the folders at one time.</summary>
/// <param name="All">Slides by identifier.</param>
/// <param name="Sources">Slides that are no results of others, in the order of their paths.</param>
/// <param name="Results">Results by the identifier of their source.</param>
internal sealed record SlideList(
    FrozenDictionary<string, CatalogueSlide> All, IReadOnlyList<CatalogueSlide> Sources, ILookup<string, StainedResult> Results)
{
    /// <summary>Reads the folders; slides that have not changed stay the same objects.</summary>
    public static SlideList Read(SafeFolders folders, SlideList? old)
    {
        var all = new Dictionary<string, CatalogueSlide>(StringComparer.Ordinal);
        foreach (string path in folders.Roots.SelectMany(root => Paths(folders, root)).Order(StringComparer.Ordinal))
        {
            if (CatalogueSlide.Create(path, folders) is not { } slide) continue;
            all[slide.Id] = old?.All.GetValueOrDefault(slide.Id) is { } known && known.IsSameAs(slide) ? known : slide;
        }
        Dictionary<string, CatalogueSlide> byPath = all.Values.ToDictionary(slide => slide.Path, StringComparer.Ordinal);
        ILookup<string, CatalogueSlide> byName = all.Values.ToLookup(slide => slide.Name, StringComparer.Ordinal);
        (StainedResult Result, CatalogueSlide Source)[] results = [.. all.Values.Select(slide => StainedReport.Read(slide, folders))
            .OfType<StainedResult>().Select(result => (Result: result, Source: SourceOf(result)!)).Where(pair => pair.Source is not null)];
        HashSet<string> ids = [.. results.Select(pair => pair.Result.Slide.Id)];
        return new(all.ToFrozenDictionary(StringComparer.Ordinal),
            [.. all.Values.Where(slide => !ids.Contains(slide.Id)).OrderBy(slide => slide.Path, StringComparer.Ordinal)],
            results.OrderBy(pair => pair.Result.Slide.Path, StringComparer.Ordinal).ToLookup(pair => pair.Source.Id, pair => pair.Result));

        // A source that was moved is found by its name, if that is unique.
        CatalogueSlide? SourceOf(StainedResult result)
        {
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(result.Source));
            CatalogueSlide? found = byPath.GetValueOrDefault(SafeFolders.RealPath(result.Source) ?? "")
                ?? (byName[name].Take(2).ToArray() is [var only] ? only : null);
            return found == result.Slide ? null : found;
        }
    }

    private static IEnumerable<string> Paths(SafeFolders folders, string root)
    {
        if (!Directory.Exists(root)) return File.Exists(root) ? [root] : [];
        if (SlideFormats.IsSlideFolder(root)) return [root];
        return SlideFormats.List(root, folders.Files(root)).Files;
    }
}
