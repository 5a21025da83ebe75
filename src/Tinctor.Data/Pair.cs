using Tinctor.Slides;

namespace Tinctor.Data;

/// <summary>Location of the two images of a pair.</summary>
public enum PairLayout
{
    /// <summary>Source and target are separate files.</summary>
    TwoFiles,

    /// <summary>One file: the left half is the source, the right half the target (pix2pix AtoB).</summary>
    SourceLeft,

    /// <summary>One file: the right half is the source, the left half the target (pix2pix BtoA).</summary>
    SourceRight,

    /// <summary>A single image, for example a labelled one: source and target are the same image.</summary>
    Single,

    /// <summary>A source without a target, in unpaired data.</summary>
    SourceOnly,

    /// <summary>A target without a source, in unpaired data.</summary>
    TargetOnly,
}

/// <summary>One pair of images of the same field, or an image without a partner in unpaired data.</summary>
/// <param name="Source">Full path of the source image, of the file with both images, or of a target without a source.</param>
/// <param name="Target">Full path of the target image; null for layouts with one file.</param>
/// <param name="Split">"train", "val" or "test".</param>
/// <param name="Label">Label of the field, such as the HER2 level "2+"; null for none.</param>
/// <param name="SlideId">ID of the slide; empty if it is unknown.</param>
/// <param name="Layout">Location of source and target.</param>
public sealed record Pair(string Source, string? Target, string Split, string? Label, string SlideId, PairLayout Layout)
{
    /// <summary>Micrometres per pixel of the source; null if unknown.</summary>
    public double? Mpp { get; init; }

    /// <summary>Stain of the target, such as "HER2"; null if unknown.</summary>
    public string? Stain { get; init; }

    /// <summary>Name of the data set in a pool; empty for a single data set.</summary>
    public string Dataset { get; init; } = "";

    /// <summary>File name of the source, without extension.</summary>
    public string Name => Path.GetFileNameWithoutExtension(Source);

    /// <summary>Files of the pair, one or two.</summary>
    public IEnumerable<string> Files => Target is null ? [Source] : [Source, Target];

    /// <summary>Whether there is a source image.</summary>
    public bool HasSource => Layout != PairLayout.TargetOnly;

    /// <summary>Whether there is a target image.</summary>
    public bool HasTarget => Layout != PairLayout.SourceOnly;

    /// <summary>Reads both images; side-by-side images are split in the middle. Source and target may differ in size.</summary>
    /// <exception cref="TinctorException">
    /// A file cannot be read, a side-by-side image has an odd width, or the image has no partner.
    /// </exception>
    public (Image Source, Image Target) ReadImages()
    {
        if (Layout is PairLayout.SourceOnly or PairLayout.TargetOnly)
            throw new TinctorException(Source, $"the image has no {(HasSource ? "target" : "source")}", "Use paired data");
        Image source = Image.Read(Source);
        if (Layout == PairLayout.Single) return (source, source);
        if (Layout == PairLayout.TwoFiles) return (source, Image.Read(Target!));
        if (source.Width % 2 != 0)
            throw new TinctorException(Source, $"the image is {source.Width} pixels wide, but two images side by side have an even width");
        int half = source.Width / 2;
        (Image left, Image right) = (source.Crop(0, 0, half, source.Height), source.Crop(half, 0, half, source.Height));
        return Layout == PairLayout.SourceLeft ? (left, right) : (right, left);
    }

    /// <summary>Reads the source image.</summary>
    /// <exception cref="TinctorException">A file cannot be read, or a side-by-side image has an odd width.</exception>
    public Image ReadSource() => Layout is PairLayout.TwoFiles or PairLayout.SourceOnly ? Image.Read(Source) : ReadImages().Source;

    /// <summary>Reads the target image.</summary>
    /// <exception cref="TinctorException">A file cannot be read, or a side-by-side image has an odd width.</exception>
    public Image ReadTarget() => Layout switch
    {
        PairLayout.TwoFiles => Image.Read(Target!),
        PairLayout.TargetOnly => Image.Read(Source),
        _ => ReadImages().Target,
    };

    /// <summary>Combines the source with the target of another pair, which may lack a source.</summary>
    internal Pair WithTargetOf(Pair other)
    {
        if (this == other) return this;
        string target = other.Layout == PairLayout.TargetOnly ? other.Source
            : other.Target ?? throw new ArgumentException($"{other.Source}: no file of a target alone");
        return this with { Target = target, Layout = PairLayout.TwoFiles };
    }

    /// <summary>Exchanges source and target.</summary>
    public Pair Reverse() => Layout switch
    {
        PairLayout.SourceLeft => this with { Layout = PairLayout.SourceRight },
        PairLayout.SourceRight => this with { Layout = PairLayout.SourceLeft },
        PairLayout.Single => this,
        PairLayout.SourceOnly => this with { Layout = PairLayout.TargetOnly },
        PairLayout.TargetOnly => this with { Layout = PairLayout.SourceOnly },
        _ => this with { Source = Target!, Target = Source },
    };
}
