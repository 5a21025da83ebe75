using Tinctor.Data;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides.Masks;
using Tinctor.Training.Segmentation;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>Masks on disk, for the real images or for those of methods; another segmentation where there are none.</summary>
internal sealed class MaskSegmentation : ISegmentation
{
    private const string Real = "";
    private readonly Dictionary<string, (Dictionary<string, string> Files, MaskFormat Format)> folders = [];
    private readonly ISegmentation? others;

    /// <summary>Looks at the folders.</summary>
    /// <param name="real">Folder of masks with the names of the real images; null for none.</param>
    /// <param name="stained">Masks of the images of methods, by the method's key.</param>
    /// <param name="others">Segmentation of images without masks; null leaves them out.</param>
    /// <exception cref="TinctorException">A folder holds no masks.</exception>
    public MaskSegmentation(string? real, IEnumerable<StainedFolder> stained, ISegmentation? others)
    {
        this.others = others;
        if (real is not null) folders[Real] = Open(real);
        foreach (StainedFolder method in stained) folders[method.Name] = Open(method.Path);
    }

    IReadOnlyList<Definition> ISegmentation.Provenance =>
    [
        .. folders.Select(folder => new Definition(folder.Key == Real ? "Masks of the real images" : $"Masks of {folder.Key}",
            $"{folder.Value.Files.Count} files, {folder.Value.Format.Describe()}")),
        .. ((ISegmentation?)others)?.Provenance ?? [],
    ];

    /// <inheritdoc/>
    public bool HasInstances => others?.HasInstances ?? true;

    /// <inheritdoc/>
    public bool Covers(string? method) => others is not null || folders.ContainsKey(method ?? Real);

    LabelMap ISegmentation.Segment(ImagePair pair, string? method, ScoredImage image)
    {
        if (!folders.TryGetValue(method ?? Real, out var folder)) return others!.Segment(pair, method, image);
        if (!folder.Files.TryGetValue(pair.Name, out string? path))
            throw new TinctorException(method is null ? pair.Real : pair.PathOf(method), $"no mask of the name {pair.Name}",
                "Add its mask to the folder of masks");
        LabelMap map = folder.Format.Read(path);
        return (map.Width, map.Height) == (image.Width, image.Height) ? map
            : throw new TinctorException(path, $"{map.Width}x{map.Height} pixels, but the image has {image.Width}x{image.Height}",
                "Use masks of the size of the images");
    }

    private static (Dictionary<string, string> Files, MaskFormat Format) Open(string folder)
    {
        IReadOnlyList<string> files = FolderLayouts.Images(folder);
        if (files.Count == 0) throw new TinctorException(folder, "holds no PNG or TIFF masks", "Choose the folder that holds the masks");
        return (files.ToDictionary(file => Path.GetFileNameWithoutExtension(file)), MaskFormat.Detect(files));
    }
}
