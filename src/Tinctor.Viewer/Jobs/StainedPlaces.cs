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

    /// <summary>Gets slide, model and target by identifiers; null if there is no such slide or model.</summary>
    public WorkKey? Find(string slideId, string modelId) =>
        slides.Current.All.TryGetValue(slideId, out CatalogueSlide? slide) && model(modelId) is { } found
            ? new(slide.Path, found.Path, Path.Combine(folder, $"{found.Name}-{found.Id[..ShortId]}",
                SafeFolders.IdOf(Path.GetDirectoryName(slide.Path)!)[..ShortId], Slide.Stem(slide.Name) + ".ome.tif")) : null;

    /// <summary>Gets the identifier of a finished slide; null if it is not finished.</summary>
    public static string? FinishedId(string target) =>
        File.Exists(target) && SafeFolders.RealPath(target) is { } path ? SafeFolders.IdOf(path) : null;
}
