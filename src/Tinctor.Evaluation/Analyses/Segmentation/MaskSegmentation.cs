using Tinctor.Data;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Slides.Masks;
using Tinctor.Training.Segmentation;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>Masks on disk, for the real images or for those of methods; another segmentation where there are none.</summary>
internal sealed class MaskSegmentation : ISegmentation
{
    private const string Real = "";
    private readonly Dictionary<string, MaskFolder> folders = [];
    private readonly ISegmentation? others;
    private readonly IReadOnlyList<string> classes;

    /// <summary>Looks at the folders.</summary>
    /// <param name="real">Folder of masks with the names of the real images; null for none.</param>
    /// <param name="stained">Masks of the images of methods, by the method's key.</param>
    /// <param name="others">Segmentation of images without masks; null leaves them out.</param>
    /// <exception cref="TinctorException">A folder holds no masks.</exception>
    public MaskSegmentation(string? real, IEnumerable<StainedFolder> stained, ISegmentation? others)
    {
        this.others = others;
        if (real is not null) folders[Real] = MaskFolder.Open(real);
        foreach (StainedFolder method in stained) folders[method.Name] = MaskFolder.Open(method.Path);
        classes = Common([.. folders.Values]);
    }

    IReadOnlyList<Definition> ISegmentation.Provenance =>
    [
        .. folders.Select(folder => new Definition(folder.Key == Real ? "Masks of the real images" : $"Masks of {folder.Key}",
            $"{folder.Value.Files.Count} files, {folder.Value.Format?.Describe() ?? "outlines or arrays of objects"}")),
        .. ((ISegmentation?)others)?.Provenance ?? [],
    ];

    /// <inheritdoc/>
    public bool HasInstances => others?.HasInstances ?? true;

    /// <inheritdoc/>
    public bool Covers(string? method) => others is not null || folders.ContainsKey(method ?? Real);

    IReadOnlyList<string> ISegmentation.Classes => classes;

    byte[] ISegmentation.Classify(ImagePair pair, string? method, ScoredImage image)
    {
        if (!folders.TryGetValue(method ?? Real, out MaskFolder? folder)) return others!.Classify(pair, method, image);
        string path = FileOf(folder, pair, method);
        (int[] all, int width, int height) = folder.Format!.ReadCodes(path);
        int[] codes = Fitting(path, all, width, height, pair, image);
        string[] names = [.. classes];
        var numbers = folder.Classes.ToDictionary(each => MaskFormat.Code(each.Value), each => (byte)(Array.IndexOf(names, each.Name) + 1));
        return Array.ConvertAll(codes, code => code == 0 ? (byte)0 : numbers[code]);
    }

    LabelMap ISegmentation.Segment(ImagePair pair, string? method, ScoredImage image)
    {
        if (!folders.TryGetValue(method ?? Real, out MaskFolder? folder)) return others!.Segment(pair, method, image);
        string path = FileOf(folder, pair, method);
        ImageInfo whole = Image.ReadInfo(method is null ? pair.Real : pair.PathOf(method));
        LabelMap map = folder.Format?.Read(path) ?? ObjectFiles.Read(path, whole.Width, whole.Height);
        return LabelMap.Create(image.Width, image.Height, Fitting(path, map.Labels, map.Width, map.Height, pair, image));
    }

    // Those of the other segmentation, or all of class masks; empty if the masks have a single class or are objects.
    private IReadOnlyList<string> Common(MaskFolder[] masks)
    {
        if (masks.Any(folder => folder.Format?.Kind != MaskKind.Classes) || others is { Classes.Count: 0 }) return [];
        string[] names = [.. masks.SelectMany(folder => folder.Classes).OrderBy(each => MaskFormat.Code(each.Value))
            .Select(each => each.Name).Distinct()];
        if (others is null) return names.Length > 1 ? names : [];
        if (names.Except(others.Classes).FirstOrDefault() is string unknown)
        {
            throw new TinctorException(masks.First(folder => folder.Classes.Any(each => each.Name == unknown)).Path,
                $"the class {unknown} of the masks is none of the segmenter's ({string.Join(", ", others.Classes)})",
                $"Name the classes of the masks in {MaskClasses.FileName} as those of the segmenter");
        }
        return others.Classes;
    }

    private static string FileOf(MaskFolder folder, ImagePair pair, string? method) =>
        folder.Files.TryGetValue(pair.Name, out string? path) ? path
            : throw new TinctorException(method is null ? pair.Real : pair.PathOf(method), $"no mask of the name {pair.Name}",
                "Add its mask to the folder of masks");

    // A mask of the whole image is cut as the image was.
    private static int[] Fitting(string path, int[] labels, int width, int height, ImagePair pair, ScoredImage image)
    {
        if ((width, height) == (image.Width, image.Height)) return labels;
        if (pair.Crop == 0 || width < image.Width || height < image.Height)
        {
            throw new TinctorException(path, $"{width}x{height} pixels, but the image has {image.Width}x{image.Height}",
                "Use masks of the size of the images");
        }
        (int left, int top) = ((width - image.Width) / 2, (height - image.Height) / 2);
        var part = new int[image.Width * image.Height];
        for (int y = 0; y < image.Height; y++)
            labels.AsSpan(((top + y) * width) + left, image.Width).CopyTo(part.AsSpan(y * image.Width));
        return part;
    }

    // Label images have a format; other files are read by ObjectFiles.
    private sealed record MaskFolder(string Path, Dictionary<string, string> Files, MaskFormat? Format, IReadOnlyList<MaskClass> Classes)
    {
        public static MaskFolder Open(string folder)
        {
            IReadOnlyList<string> files = FolderLayouts.Images(folder);
            if (files.Count == 0) return OpenObjects(folder);
            MaskFormat format = MaskFormat.Detect(files);
            return new(folder, ByName(folder, files), format,
                format.Kind == MaskKind.Classes ? MaskClasses.Read(format, files) ?? [] : []);
        }

        private static MaskFolder OpenObjects(string folder)
        {
            IReadOnlyList<string> files = ObjectFiles.Files(folder);
            return files.Count > 0 ? new(folder, ByName(folder, files), null, [])
                : throw new TinctorException(folder, $"holds no masks: no PNG, TIFF, {string.Join(", ", ObjectFiles.Extensions)}",
                    "Choose the folder that holds the masks");
        }

        private static Dictionary<string, string> ByName(string folder, IReadOnlyList<string> files)
        {
            var byName = new Dictionary<string, string>();
            foreach (string file in files)
            {
                if (!byName.TryAdd(ObjectFiles.ImageName(file), file))
                    throw new TinctorException(folder, $"several files of masks for the image {ObjectFiles.ImageName(file)}",
                        "Keep one of them");
            }
            return byName;
        }
    }
}
