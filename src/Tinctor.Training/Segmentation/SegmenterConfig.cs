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
    /// <summary>Single nuclei: background, inside of a nucleus, boundary of a nucleus.</summary>
    Nuclei,

    /// <summary>Tissue, or anything else that has no single objects: background and foreground.</summary>
    Tissue,
}

/// <summary>Configuration of a segmenter's training; config.yaml of the run.</summary>
public sealed record SegmenterConfig : SupervisedConfig
{
    /// <summary>Tells this configuration from others.</summary>
    [AllowedValues("segmenter")]
    public string Task { get; init; } = "segmenter";

    /// <summary>The folder of the masks, one for each image of data.path, of the same name.</summary>
    public string Masks { get; init; } = "";

    /// <summary>Suffix of a mask's name after that of its image, such as "_labels".</summary>
    public string MaskSuffix { get; init; } = "";

    /// <summary>Object of the segmentation.</summary>
    public SegmentationTarget Target { get; init; } = SegmentationTarget.Nuclei;

    /// <summary>Format of the masks; auto recognises it.</summary>
    public MaskKind MasksAre { get; init; } = MaskKind.Auto;

    /// <summary>The numbers or colours of the masks that count, as 1 or #ff0000; empty for all but black.</summary>
    public List<string> Foreground { get; init; } = [];

    /// <summary>Channels of the network at full resolution (64 in Ronneberger et al. 2015).</summary>
    [Range(2, 256)]
    public int Width { get; init; } = 32;

    /// <summary>How often the network halves the image.</summary>
    [Range(1, 6)]
    public int Depth { get; init; } = 4;

    /// <inheritdoc/>
    public override PairManifest ReadData()
    {
        if (Masks.Length == 0) throw new OptionException("Masks", "no folder of masks is named");
        string images = Path.GetFullPath(Data.Path), masks = Path.GetFullPath(Masks);
        foreach (string folder in new[] { images, masks })
        {
            if (FolderLayouts.Images(folder).Count == 0) throw new TinctorException($"{folder}: holds no PNG, JPEG or TIFF images");
        }
        Dictionary<string, string> byName = FolderLayouts.Images(masks).GroupBy(file => Path.GetFileNameWithoutExtension(file))
            .ToDictionary(file => file.Key, file => file.First());
        Regex? slide = PairManifest.SlidePattern(Data.SlidePattern);
        var pairs = FolderLayouts.Images(images).Select(image =>
        {
            string name = Path.GetFileNameWithoutExtension(image) + MaskSuffix;
            // A mask that is not there gets the path where it was looked for.
            return new Pair(image, byName.GetValueOrDefault(name, Path.Combine(masks, name + ".png")), "train", null,
                FolderLayouts.SlideId(image, slide), PairLayout.TwoFiles);
        });
        return new(images, "images and masks", [.. pairs]) { HasOwnSplits = false };
    }

    /// <summary>How the masks of these pairs are stored.</summary>
    /// <exception cref="TinctorException">They are no masks.</exception>
    public MaskFormat Format(IReadOnlyList<Pair> pairs)
    {
        if (Data.ImageSize > 0) throw new TinctorException("data.image_size would blur masks; use data.crop_size");
        string[] masks = [.. pairs.Select(pair => pair.Target!).Where(File.Exists)];
        if (masks.Length == 0) throw new TinctorException($"{Masks}: no mask has the name of an image, as {pairs[0].Target}");
        return MaskFormat.Recognise(masks, MasksAre, Foreground);
    }

    /// <inheritdoc/>
    public override SupervisedTask Create(Device device, TrainingData data) =>
        new SegmenterTask(this, Format(data.Train), Image.ReadInfo(data.Train[0].Source).Channels, device);
}
