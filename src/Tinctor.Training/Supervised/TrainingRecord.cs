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
    /// <summary>Names the first few training slides among pairs; null if there are none.</summary>
    internal string? TrainingSlidesIn(IReadOnlyList<Pair> pairs)
    {
        string[] seen = [.. pairs.Select(pair => pair.SlideId).Where(slide => slide.Length > 0).Distinct().Intersect(TrainSlides)];
        return seen.Length == 0 ? null : string.Join(", ", seen.Take(5));
    }
}
