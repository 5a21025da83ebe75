using Tinctor.Slides;
using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Jobs;

/// <summary>
/// Places of stained slides: a folder for each model and folder of sources, in which slides have the names that the command line gives
/// them.
/// </summary>
/// <param name="folder">Folder of all results.</param>
/// <param name="slides">Slides of the folders.</param>
/// <param name="model">Gets a model by its identifier; null if there is none.</param>
internal sealed class StainedPlaces(string folder, SlideCatalogue slides, Func<string, CatalogueModel?> model)
{
    private const int ShortId = 8;

    /// <summary>Gets slide, model, target and stain by identifiers; null if there is no such slide or model.</summary>
    public WorkKey? Find(string slideId, string modelId)
    {
        if (!slides.Current.All.TryGetValue(slideId, out CatalogueSlide? slide) || model(modelId) is not { } found) return null;
        string target = Path.Combine(folder, $"{found.FolderName}-{SafeFolders.IdOf(found.Path)[..ShortId]}",
            SafeFolders.IdOf(Path.GetDirectoryName(slide.Path)!)[..ShortId], found.Stain ?? "", Slide.Stem(slide.Name) + ".ome.tif");
        return new(slide.Path, found.Path, target, found.Stain);
    }

    /// <summary>Gets the identifier of a finished slide; null if it is not finished.</summary>
    public static string? FinishedId(string target) =>
        File.Exists(target) && SafeFolders.RealPath(target) is { } path ? SafeFolders.IdOf(path) : null;
}
