using Tinctor.Data;

namespace Tinctor.Training.Supervised;

/// <summary>Record of a model's training in its card, for audits and for identifying models of one run.</summary>
/// <param name="TrainingId">ID of the run, common to all of its models.</param>
/// <param name="Seed">Random seed of the run.</param>
/// <param name="Fold">Held-out fold, from 0.</param>
/// <param name="Folds">Number of folds.</param>
/// <param name="Steps">Number of completed steps.</param>
/// <param name="BestStep">Step of these weights.</param>
/// <param name="ScoreName">Name of the validation score.</param>
/// <param name="Score">Validation score of these weights on the held-out fold; null without one.</param>
/// <param name="DataSha256">SHA-256 of the data, as in environment.json.</param>
/// <param name="TrainImages">Number of training images.</param>
/// <param name="ValidationImages">Number of validation images.</param>
/// <param name="TrainSlides">Training slides; empty if slides are unknown.</param>
/// <param name="ValidationSlides">Validation slides.</param>
/// <param name="TestSlides">Slides of the test split, which were not used.</param>
/// <param name="MadeBy">Name and version of the program.</param>
internal sealed record TrainingRecord(string TrainingId, ulong Seed, int Fold, int Folds, int Steps, int BestStep, string ScoreName,
    double? Score, string DataSha256, int TrainImages, int ValidationImages, IReadOnlyList<string> TrainSlides,
    IReadOnlyList<string> ValidationSlides, IReadOnlyList<string> TestSlides, string MadeBy)
{
    /// <summary>
    /// First 16 digits of the SHA-256 of each file of the training and validation images, in ascending order; null in records of early
    /// versions.
    /// </summary>
    public IReadOnlyList<string>? Images { get; init; }

    /// <summary>Computes the entries of <see cref="Images"/>.</summary>
    internal static string[] HashImages(IEnumerable<string> files) => [.. files.Distinct().AsParallel()
        .Select(file => Fingerprint.OfFile(file)[..16]).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>
    /// Describes images or slides that another training used too; null if there are none, or if nothing is known of them.
    /// </summary>
    internal string? DescribeOverlap(TrainingRecord other)
    {
        int images = (Images ?? []).Intersect(other.Images ?? []).Count();
        if (images > 0) return $"both were trained or validated on {images} of the same images";
        // Slides of other data may have the same names.
        if (DataSha256.Length == 0 || DataSha256 != other.DataSha256) return null;
        string[] slides = [.. TrainSlides.Concat(ValidationSlides).Intersect(other.TrainSlides.Concat(other.ValidationSlides))];
        return slides.Length == 0 ? null
            : $"both were trained or validated on images of {(slides.Length == 1 ? "slide" : "slides")} {string.Join(", ", slides.Take(5))}"
                + (slides.Length > 5 ? ", ..." : "");
    }

    /// <summary>Whether it is known which images or slides both trainings used.</summary>
    internal bool IsComparable(TrainingRecord other) => (Images is not null && other.Images is not null)
        || (DataSha256.Length > 0 && DataSha256 == other.DataSha256 && TrainSlides.Count > 0 && other.TrainSlides.Count > 0);

    /// <summary>Counts images that the training or its validation used.</summary>
    internal int CountUsed(IEnumerable<string> files) => Images is null ? 0 : HashImages(files).Intersect(Images).Count();

    /// <summary>Names the first few training slides among pairs; null if there are none.</summary>
    internal string? TrainingSlidesIn(IReadOnlyList<Pair> pairs)
    {
        string[] seen = [.. pairs.Select(pair => pair.SlideId).Where(slide => slide.Length > 0).Distinct().Intersect(TrainSlides)];
        return seen.Length == 0 ? null : string.Join(", ", seen.Take(5));
    }
}
