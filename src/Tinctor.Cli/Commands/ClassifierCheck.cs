using Tinctor.Cli.Studies;
using Tinctor.Data;
using Tinctor.Evaluation.Analyses.Labels;
using Tinctor.Torch;
using Tinctor.Training.Classification;

namespace Tinctor.Cli.Commands;

/// <summary>Checks, before the trainings of a study, that its classifier is independent of its models and its test images.</summary>
internal static class ClassifierCheck
{
    /// <summary>Checks a classifier.</summary>
    /// <param name="classifier">Folder of the classifier that evaluates the models; null for none.</param>
    /// <param name="models">Models of the study.</param>
    /// <param name="pairs">Pairs of the study, in the direction of staining.</param>
    /// <returns>Options of the evaluation that name the comparators of the models.</returns>
    /// <exception cref="TinctorException">The classifier shares images with a comparator, or was trained on test images.</exception>
    public static IReadOnlyList<string> Run(string? classifier, IEnumerable<StudyModel> models, PairManifest pairs)
    {
        if (classifier is null) return [];
        string[] comparators = [.. models.Select(model => model.Config.Model.TrainedWith?.Path).OfType<string>()
            .Where(path => path.Length > 0).Select(Path.GetFullPath).Distinct()];
        var settings = new LabelSettings(classifier, Device.CPU);
        settings.RefuseOwn(comparators.Select(ComparatorReference.FromFolder));
        IReadOnlyList<Pair> test = pairs.InSplit("test");
        settings.RefuseTestImages([.. test.Select(pair => pair.Layout == PairLayout.TwoFiles ? pair.Target! : pair.Source)],
            test.Select(pair => pair.SlideId));
        return [.. comparators.SelectMany(path => new[] { "--comparator", path })];
    }
}
