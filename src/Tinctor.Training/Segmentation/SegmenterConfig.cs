using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Training.Loading;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Segmentation;

/// <summary>Object of a segmenter.</summary>
public enum SegmentationTarget
{
    /// <summary>Individual nuclei; classes are background, interior and boundary.</summary>
    Nuclei,

    /// <summary>Tissue, or other regions without individual objects; classes are background and those of the masks.</summary>
    Tissue,
}

/// <summary>Configuration of the training of a segmenter; config.yaml of the run.</summary>
public sealed record SegmenterConfig : SupervisedConfig
{
    /// <summary>Name of the task.</summary>
    [AllowedValues("segmenter")]
    public string Task { get; init; } = "segmenter";

    /// <summary>Folder of the masks; each mask has the name of its image in data.path.</summary>
    public string Masks { get; init; } = "";

    /// <summary>Suffix of mask names after the image name, such as "_labels".</summary>
    public string MaskSuffix { get; init; } = "";

    /// <summary>Object of the segmentation.</summary>
    public SegmentationTarget Target { get; init; } = SegmentationTarget.Nuclei;

    /// <summary>Meaning of the mask values; auto detects it.</summary>
    public MaskKind MasksAre { get; init; } = MaskKind.Auto;

    /// <summary>Foreground values or colours of the masks, such as 1 or #ff0000; empty for all except black.</summary>
    public List<string> Foreground { get; init; } = [];

    /// <summary>
    /// Classes of tissue that are told apart, as in 1=tumour; for target tissue with class labels, found in the masks at the start of a
    /// training. Empty for a single class, the foreground.
    /// </summary>
    public List<string> Classes { get; init; } = [];

    /// <summary>Channels of the network at full resolution (64 in Ronneberger et al. 2015).</summary>
    [Range(2, 256)]
    public int Width { get; init; } = 32;

    /// <summary>Number of downsampling steps of the network.</summary>
    [Range(1, 6)]
    public int Depth { get; init; } = 4;

    /// <inheritdoc/>
    public override PairManifest ReadData()
    {
        if (Masks.Length == 0) throw new OptionException("Masks", "no folder of masks is named", "Name the folder");
        string images = Path.GetFullPath(Data.Path), masks = Path.GetFullPath(Masks);
        foreach (string folder in new[] { images, masks }) FolderLayouts.RequireImages(folder);
        Dictionary<string, string> byName = FolderLayouts.Images(masks).GroupBy(file => Path.GetFileNameWithoutExtension(file))
            .ToDictionary(file => file.Key, file => file.First());
        Regex? slide = PairManifest.SlidePattern(Data.SlidePattern);
        var pairs = FolderLayouts.Images(images).Select(image =>
        {
            string name = Path.GetFileNameWithoutExtension(image) + MaskSuffix;
            // A missing mask gets its expected path, which the verification reports.
            return new Pair(image, byName.GetValueOrDefault(name, Path.Combine(masks, name + ".png")), "train", null,
                FolderLayouts.SlideId(image, slide), PairLayout.TwoFiles);
        });
        return new(images, "images and masks", [.. pairs]) { HasOwnSplits = false };
    }

    /// <summary>Detects the format of the masks of pairs.</summary>
    /// <exception cref="TinctorException">The files are not masks.</exception>
    internal MaskFormat DetectFormat(IReadOnlyList<Pair> pairs)
    {
        if (Data.ImageSize > 0)
        {
            throw new TinctorException(null, $"data.image_size is {Data.ImageSize}, but resizing would blur masks",
                "Use data.image_size=0 and data.crop_size")
            { Option = "data.image_size" };
        }
        string[] masks = [.. pairs.Select(pair => pair.Target!).Where(File.Exists)];
        if (masks.Length == 0)
        {
            throw new TinctorException(Masks, $"no mask has the name of an image, such as {Path.GetFileName(pairs[0].Target)}",
                "Rename the masks, or set mask_suffix");
        }
        return MaskFormat.Detect(masks, MasksAre, Foreground);
    }

    /// <summary>Completes the settings of a new training with the format of the masks and, for tissue, their classes.</summary>
    /// <exception cref="TinctorException">The files are not masks, or have too many classes.</exception>
    internal SegmenterConfig WithDetectedMasks(out MaskFormat format)
    {
        IReadOnlyList<Pair> pairs = ReadData().Pairs;
        format = DetectFormat(pairs);
        bool several = Target == SegmentationTarget.Tissue && format.Kind == MaskKind.Classes && Classes.Count == 0;
        IReadOnlyList<MaskClass> classes = several
            ? MaskClasses.Read(format, [.. pairs.Select(pair => pair.Target!).Where(File.Exists)])
                ?? throw new TinctorException(Masks, $"the masks have more than {MaskClasses.Most} classes",
                    "Use masks_are=instances if each value is an object, or masks_are=binary to merge the classes")
                { Option = nameof(MasksAre) }
            : [];
        return this with
        {
            MasksAre = format.Kind,
            Classes = classes.Count > 1 ? [.. classes.Select(each => $"{each.Value}={each.Name}")] : Classes,
        };
    }

    /// <summary>Classes of tissue; empty for a single one.</summary>
    /// <exception cref="TinctorException">A class is malformed.</exception>
    internal IReadOnlyList<MaskClass> TissueClasses => Target != SegmentationTarget.Tissue ? [] : [.. Classes.Select(text =>
    {
        int equals = text.IndexOf('=');
        return equals > 0 ? new MaskClass(text[..equals].Trim(), text[(equals + 1)..].Trim())
            : throw new OptionException(nameof(Classes), $"the class is {text}, expected the form value=name",
                "Write classes as in 1=tumour");
    })];

    /// <inheritdoc/>
    internal override SupervisedTask Create(Device device, TrainingData data) =>
        new SegmenterTask(this, DetectFormat(data.Train), Image.ReadInfo(data.Train[0].Source).Channels, device);
}
