using System.Collections.Frozen;
using Tinctor.Slides;
using Tinctor.Staining.WholeSlides;

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
/// <param name="Stained">Stained slides and uncertainty slides by their identifiers, also those whose source is elsewhere.</param>
/// <param name="ByName">Slides by name.</param>
internal sealed record SlideList(
    FrozenDictionary<string, CatalogueSlide> All, IReadOnlyList<CatalogueSlide> Sources, ILookup<string, StainedResult> Results,
    FrozenDictionary<string, StainedResult> Stained, ILookup<string, CatalogueSlide> ByName)
{
    /// <summary>Gets the uncertainty of a stained slide; null if there is none.</summary>
    public CatalogueSlide? UncertaintyOf(CatalogueSlide stained) =>
        All.GetValueOrDefault(SafeFolders.IdOf(SlideStainer.UncertaintyPath(stained.Path)));

    /// <summary>Reads the folders; slides that have not changed stay the same objects.</summary>
    public static SlideList Read(SafeFolders folders, SlideList? old)
    {
        var all = new Dictionary<string, CatalogueSlide>(StringComparer.Ordinal);
        foreach (string path in folders.Roots.SelectMany(root => Paths(folders, root)).Order(StringComparer.Ordinal))
        {
            if (CatalogueSlide.Create(path, folders) is not { } slide) continue;
            all[slide.Id] = old?.All.GetValueOrDefault(slide.Id) is { } known && known.IsSameAs(slide) ? known : slide;
        }
        ILookup<string, CatalogueSlide> byName = all.Values.ToLookup(slide => slide.Name, StringComparer.Ordinal);
        StainedResult[] stained = [.. all.Values.Select(slide => StainedReport.Read(slide, folders)).OfType<StainedResult>()];
        (StainedResult Result, CatalogueSlide Source)[] results = [.. stained.Select(result => (Result: result, Source: SourceOf(result)!))
            .Where(pair => pair.Source is not null)];
        HashSet<string> ids = [.. results.Select(pair => pair.Result.Slide.Id)];
        return new(all.ToFrozenDictionary(StringComparer.Ordinal),
            [.. all.Values.Where(slide => !ids.Contains(slide.Id)).OrderBy(slide => slide.Path, StringComparer.Ordinal)],
            results.OrderBy(pair => pair.Result.Slide.Path, StringComparer.Ordinal).ToLookup(pair => pair.Source.Id, pair => pair.Result),
            stained.ToFrozenDictionary(result => result.Slide.Id, StringComparer.Ordinal), byName);

        CatalogueSlide? SourceOf(StainedResult result) =>
            Find(all.GetValueOrDefault, byName, result.Source) is { } found && found != result.Slide ? found : null;
    }

    /// <summary>Finds a slide by its path or, if it was moved, by its name; null if there is none, or several have the name.</summary>
    public CatalogueSlide? Find(string path) => Find(All.GetValueOrDefault, ByName, path);

    private static CatalogueSlide? Find(Func<string, CatalogueSlide?> byId, ILookup<string, CatalogueSlide> byName, string path) =>
        path.Length == 0 ? null : byId(SafeFolders.IdOf(SafeFolders.RealPath(path) ?? ""))
            ?? (byName[Path.GetFileName(Path.TrimEndingDirectorySeparator(path))].Take(2).ToArray() is [var only] ? only : null);

    private static IEnumerable<string> Paths(SafeFolders folders, string root)
    {
        if (!Directory.Exists(root)) return File.Exists(root) ? [root] : [];
        if (SlideFormats.IsSlideFolder(root)) return [root];
        return SlideFormats.List(root, folders.Files(root)).Files;
    }
}
