using Tinctor.Torch;
using Tinctor.Training.Classification;

namespace Tinctor.Evaluation.Labels;

/// <summary>Which real images are retrieved from.</summary>
public enum LibraryChoice
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

/// <summary>How labels are judged.</summary>
/// <param name="Classifier">Folder of the judging classifier.</param>
/// <param name="Device">Where it computes.</param>
public sealed record LabelSettings(string Classifier, Device Device)
{
    /// <summary>Which real images are retrieved from.</summary>
    public LibraryChoice Library { get; init; }

    /// <summary>Images a batch.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>A model must not be judged by the classifier that it was trained to please.</summary>
    /// <param name="comparators">The comparators of the models that are evaluated.</param>
    /// <exception cref="TinctorException">The classifier is one of them, or was not trained apart from one.</exception>
    public void RefuseOwn(IEnumerable<ComparatorReference> comparators)
    {
        ComparatorReference judge = ComparatorReference.Of(Classifier);
        foreach (ComparatorReference comparator in comparators)
        {
            if (comparator.WhyNotApart(judge) is string reason)
                throw new TinctorException($"{Classifier}: must not judge a model whose comparator is {comparator.Path}, as {reason}; "
                    + "train an evaluator with another seed and fold");
        }
    }
}
