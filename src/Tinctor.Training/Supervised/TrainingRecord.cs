using Tinctor.Data;

namespace Tinctor.Training.Supervised;

/// <summary>Record of a model's training in its card, for audits and for identifying models of one run.</summary>
/// <param name="TrainingId">The same for all models of one run, different for any other run.</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Fold">The fold that was held out.</param>
/// <param name="Folds">How many folds there are.</param>
/// <param name="Steps">Steps that were taken.</param>
/// <param name="BestStep">The step whose weights these are.</param>
/// <param name="ScoreName">What the validation score is.</param>
/// <param name="Score">The score of these weights on the fold that was held out; null without one.</param>
/// <param name="DataSha256">The hash of all files of the data (as in environment.json).</param>
/// <param name="TrainImages">How many images were trained on.</param>
/// <param name="ValidationImages">How many were held out.</param>
/// <param name="TrainSlides">The slides trained on; empty where they are not known.</param>
/// <param name="ValidationSlides">The slides held out.</param>
/// <param name="TestSlides">The slides of the test split, which were not opened.</param>
/// <param name="MadeBy">Tinctor and its version.</param>
public sealed record TrainingRecord(string TrainingId, ulong Seed, int Fold, int Folds, int Steps, int BestStep, string ScoreName,
    double? Score, string DataSha256, int TrainImages, int ValidationImages, IReadOnlyList<string> TrainSlides,
    IReadOnlyList<string> ValidationSlides, IReadOnlyList<string> TestSlides, string MadeBy)
{
    /// <summary>The first few slides of these pairs that the model was trained on, for a message; null if there are none.</summary>
    internal string? Among(IReadOnlyList<Pair> pairs)
    {
        string[] seen = [.. pairs.Select(pair => pair.SlideId).Where(slide => slide.Length > 0).Distinct().Intersect(TrainSlides)];
        return seen.Length == 0 ? null : string.Join(", ", seen.Take(5));
    }
}
