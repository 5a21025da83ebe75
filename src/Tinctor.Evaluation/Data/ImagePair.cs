using Tinctor.Slides;

namespace Tinctor.Evaluation.Data;

/// <summary>Versions of one image of the test set.</summary>
/// <param name="Name">File name shared by the versions, without extension.</param>
/// <param name="Stained">Path of the output of each model, by key.</param>
/// <param name="Real">Path of the real image.</param>
/// <param name="Source">Path of the input of the model; null if unknown.</param>
/// <param name="Label">Label of the real image; null if unknown.</param>
/// <param name="SlideId">Slide of the image; null if unknown.</param>
public sealed record ImagePair(
    string Name, IReadOnlyDictionary<string, string> Stained, string Real, string? Source, string? Label, string? SlideId)
{
    /// <summary>Path of the image of a method: the output of a model, or the source for <see cref="ScoredMethod.Identity"/>.</summary>
    public string PathOf(string method) => method == ScoredMethod.Identity ? Source! : Stained[method];

    /// <summary>Data set or stain of the image, if several are evaluated together; null if unknown.</summary>
    internal string? Dataset { get; init; }

    /// <summary>Side of the square at the centre that is scored, in pixels; 0 for the whole image.</summary>
    internal int Crop { get; init; }

    /// <summary>Reads a version of the image as 8-bit RGB: the part that is scored.</summary>
    internal Image ReadRgb(string path) => CropCentre(RgbReader.Read(path));

    /// <summary>Cuts out the part of a version that is scored.</summary>
    internal Image CropCentre(Image image) => Crop == 0 || Math.Min(image.Width, image.Height) <= Crop ? image
        : image.Crop((image.Width - Crop) / 2, (image.Height - Crop) / 2, Crop, Crop);
}

/// <summary>Real image of the training set.</summary>
/// <param name="Path">The file.</param>
/// <param name="Label">Its label; null if unknown.</param>
/// <param name="SlideId">Its slide; null if unknown.</param>
internal sealed record LabelledImage(string Path, string? Label, string? SlideId);

/// <summary>Image of the test set that was not scored.</summary>
/// <param name="Name">File name without extension.</param>
/// <param name="Reason">The reason.</param>
public sealed record SkippedImage(string Name, string Reason);

/// <summary>Input of an analysis.</summary>
/// <param name="Pairs">The images, ordered by name; <see cref="ImagePair.PathOf"/> returns the file of a method.</param>
/// <param name="Methods">
/// The models in the order given, then the identity baseline if it is computed; never the mean-colour baseline.
/// </param>
/// <param name="TrainingTargets">Real images of the training set; empty if unknown.</param>
/// <param name="Seed">Random seed.</param>
internal sealed record TestSet(
    IReadOnlyList<ImagePair> Pairs, IReadOnlyList<ScoredMethod> Methods, IReadOnlyList<LabelledImage> TrainingTargets, int Seed);
