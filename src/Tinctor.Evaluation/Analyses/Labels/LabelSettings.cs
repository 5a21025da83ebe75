using Tinctor.Torch;
using Tinctor.Training.Classification;
using Tinctor.Training.Supervised;

namespace Tinctor.Evaluation.Analyses.Labels;

/// <summary>Real images from which labels are retrieved.</summary>
internal enum LibraryChoice
{
    /// <summary>Training images where their labels are known, else test images.</summary>
    Auto,

    /// <summary>Real images of the training set.</summary>
    Train,

    /// <summary>Real images of the test set, without the query's own real image and those of its slide.</summary>
    Test,

    /// <summary>All real images of the test set, the query's own among them, as Wei et al. 2024 describe it.</summary>
    Paper,
}

/// <summary>Settings of <see cref="LabelAnalysis"/>.</summary>
/// <param name="Classifier">Folder of the classifier.</param>
/// <param name="Device">Device of the computation.</param>
internal sealed record LabelSettings(string Classifier, Device Device)
{
    /// <summary>Real images from which labels are retrieved. Default: <see cref="LibraryChoice.Auto"/>.</summary>
    public LibraryChoice Library { get; init; }

    /// <summary>Number of images per batch. Default: 16.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Refuses a classifier that was trained or validated on test images.</summary>
    /// <param name="files">Real test images.</param>
    /// <param name="slides">Slides of the test images.</param>
    /// <exception cref="TinctorException">The classifier saw one of them.</exception>
    public void RefuseTestImages(IReadOnlyList<string> files, IEnumerable<string> slides)
    {
        TrainingRecord training = ComparatorReference.FromFolder(Classifier).Training!;
        string[] seen = [.. slides.Where(slide => slide.Length > 0).Intersect(training.TrainSlides.Concat(training.ValidationSlides))];
        int count = training.CountUsed(files);
        if (count + seen.Length == 0) return;
        throw new TinctorException(Classifier, "the evaluator was trained or validated on "
            + (count > 0 ? $"{count} test images" : $"test slides ({string.Join(", ", seen.Take(5))})"),
            "Train an evaluator on the same splits as the models");
    }

    /// <summary>Refuses a classifier that was used to train one of the models.</summary>
    /// <param name="comparators">Comparators of the evaluated models.</param>
    /// <exception cref="TinctorException">The classifier is one of them, or shares training data with one.</exception>
    public void RefuseOwn(IEnumerable<ComparatorReference> comparators)
    {
        ComparatorReference evaluator = ComparatorReference.FromFolder(Classifier);
        foreach (ComparatorReference comparator in comparators)
        {
            if (comparator.ReasonOfDependence(evaluator) is string reason)
                throw new TinctorException(Classifier,
                    $"cannot evaluate a model trained with the comparator {comparator.Path}, as {reason}",
                    "Train comparator and evaluator on different halves of the slides (data.half a and b)");
        }
    }
}
