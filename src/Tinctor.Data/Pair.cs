using Tinctor.Slides;

namespace Tinctor.Data;

/// <summary>Where the two images of a pair are.</summary>
public enum PairLayout
{
    /// <summary>Source and target are files of their own.</summary>
    TwoFiles,

    /// <summary>One file: the left half is the source, the right half the target (pix2pix AtoB).</summary>
    SourceLeft,

    /// <summary>One file: the right half is the source, the left half the target (pix2pix BtoA).</summary>
    SourceRight,

    /// <summary>One file without a partner, as a labelled image has none: it is its own target.</summary>
    Single,
}

/// <summary>One pair of images of the same field.</summary>
/// <param name="Source">Full path of the source image, or of the file that holds both.</param>
/// <param name="Target">Full path of the target image; null where <paramref name="Source"/> holds both, or is single.</param>
/// <param name="Split">"train", "val" or "test".</param>
/// <param name="Label">The field's label (a HER2 level as in "2+"), or null.</param>
/// <param name="SlideId">The slide that the field was cut from; empty where it is not known.</param>
/// <param name="Layout">How source and target are cut from the files.</param>
public sealed record Pair(string Source, string? Target, string Split, string? Label, string SlideId, PairLayout Layout)
{
    /// <summary>Micrometres per pixel of the source; null where nothing tells.</summary>
    public double? Mpp { get; init; }

    /// <summary>The source's file name without extension.</summary>
    public string Name => Path.GetFileNameWithoutExtension(Source);

    /// <summary>The one or two files of the pair.</summary>
    public IEnumerable<string> Files => Target is null ? [Source] : [Source, Target];

    /// <summary>Reads both images; images side by side are cut in the middle. Source and target may differ in size.</summary>
    /// <exception cref="TinctorException">A file cannot be read, or its width is odd although it holds two images.</exception>
    public (Image Source, Image Target) ReadImages()
    {
        Image source = Image.Read(Source);
        if (Layout == PairLayout.Single) return (source, source);
        if (Layout == PairLayout.TwoFiles) return (source, Image.Read(Target!));
        if (source.Width % 2 != 0) throw new TinctorException(Source, $"the image is {source.Width} pixels wide, so it is not two images side by side");
        int half = source.Width / 2;
        (Image left, Image right) = (source.Crop(0, 0, half, source.Height), source.Crop(half, 0, half, source.Height));
        return Layout == PairLayout.SourceLeft ? (left, right) : (right, left);
    }

    /// <summary>The pair with source and target exchanged.</summary>
    public Pair Reverse() => Layout switch
    {
        PairLayout.SourceLeft => this with { Layout = PairLayout.SourceRight },
        PairLayout.SourceRight => this with { Layout = PairLayout.SourceLeft },
        PairLayout.Single => this,
        _ => this with { Source = Target!, Target = Source },
    };
}
