using System.Numerics.Tensors;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;
using Tinctor.Training.Classification;

namespace Tinctor.Evaluation.Analyses.Labels;

/// <summary>
/// Compares labels, such as the HER2 level, of stained images with those of the real ones, by a classifier of real images.
/// </summary>
/// <param name="settings">The classifier and the retrieval settings.</param>
internal sealed class LabelAnalysis(LabelSettings settings) : IAnalysis
{
    /// <summary>Title of the row of the real images.</summary>
    internal const string BoundTitle = "Real images (upper bound)";

    private const int NeighboursThatVote = 10;
    private static readonly int[] TopK = [1, 3, 5];
    private static readonly ReportSection Empty = new("labels", "Labels",
        "Labels that a classifier of real images assigns to the stained images, compared with the labels of the real ones. The scores of "
        + "the real images themselves are the upper bound.");

    ReportSection IAnalysis.Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        ImagePair[] pairs = [.. set.Pairs.Where(pair => pair.Label is not null)];
        if (pairs.Length == 0) return Empty with { NotComputed = "the labels of the images are unknown" };
        using Classifier classifier = Classifier.Load(settings.Classifier, settings.Device);
        RefuseOtherLabels(pairs, classifier.Card);
        var (training, libraryWords) = ChooseLibrary(set.TrainingTargets);
        int done = 0, total = training.Count + (pairs.Length * (set.Methods.Count + 1));
        IEnumerable<Output> Classify(IReadOnlyList<string> files) => classifier.Run(files, settings.BatchSize, cancel).Select(output =>
        {
            progress?.Report(new("labels", ++done, total));
            return new Output(output.Features, output.Logits);
        });

        Output[] real = [.. Classify([.. pairs.Select(pair => pair.Real)])];
        LibraryImage[] images = training.Count == 0
            ? [.. pairs.Zip(real, (pair, output) => new LibraryImage(pair.Name, pair.Label!, pair.SlideId, output.Features))]
            : [.. training.Zip(Classify([.. training.Select(image => image.Path)]),
                (image, output) => new LibraryImage(null, image.Label!, image.SlideId, output.Features))];
        var library = new FeatureLibrary(images);
        var bootstrap = new Bootstrap([.. pairs.Select(pair => pair.SlideId)], seed: set.Seed);
        bool keepOwn = settings.Library == LibraryChoice.Paper;
        Result bound = Score("real", BoundTitle, pairs, real, keepOwn: false);
        Result[] results = [.. set.Methods.Select(method =>
            Score(method.Key, method.Title, pairs, Classify([.. pairs.Select(pair => pair.PathOf(method.Key))]), keepOwn))];
        return Empty with
        {
            Tables = [Table("labels", $"Labels of {pairs.Length} images; the real images are the upper bound", [.. results, bound]),
                Intervals([.. results, bound], bootstrap)],
            Charts = [.. results.Append(bound).Select(Chart)],
            Definitions = Definitions(libraryWords),
            Warnings = Warnings(pairs, classifier.Card),
            Provenance = Provenance(classifier, library.Count, bootstrap),
        };

        Result Score(string key, string title, ImagePair[] queries, IEnumerable<Output> outputs, bool keepOwn) => new(key, title,
            classifier.Card.Classes, [.. queries.Zip(outputs, real)
                .Select(each => ScoreImage(each.First, each.Second, each.Third, library, keepOwn))]);
    }

    private (IReadOnlyList<LabelledImage> Training, string Words) ChooseLibrary(IReadOnlyList<LabelledImage> targets)
    {
        LabelledImage[] labelled = [.. targets.Where(image => image.Label is not null)];
        if (settings.Library == LibraryChoice.Train && labelled.Length == 0)
            throw new OptionException(nameof(LabelSettings.Library),
                "the library is train, but the training images or their labels are unknown",
                "Give the manifest of the data set as labels, or choose the library test");
        if (settings.Library is LibraryChoice.Train or LibraryChoice.Auto && labelled.Length > 0)
            return (labelled, $"the {labelled.Length} real images of the training set");
        return ([], settings.Library == LibraryChoice.Paper
            ? "all real images of the test set, including that of the query (left out for the real images)"
            : "the real images of the test set without that of the query and, if slides are known, those of its slide");
    }

    private static ImageScore ScoreImage(ImagePair query, Output output, Output real, FeatureLibrary library, bool keepOwn)
    {
        bool Own(LibraryImage image) => !keepOwn
            && (image.Name == query.Name || (image.SlideId is not null && image.SlideId == query.SlideId));
        IReadOnlyList<Neighbour> near = library.Nearest(output.Features, NeighboursThatVote, Own);
        double[] rates = near.Count == 0 ? [.. TopK.Append(0).Select(_ => double.NaN)] :
        [
            .. TopK.Select(k => near.Take(k).Any(neighbour => neighbour.Label == query.Label) ? 1.0 : 0),
            FeatureLibrary.Vote(near) == query.Label ? 1 : 0,
        ];
        return new(query.Label!, rates, Array.IndexOf(output.Logits, output.Logits.Max()),
            TensorPrimitives.CosineSimilarity<float>(output.Features, real.Features));
    }

    private static readonly SectionColumn[] Rates =
    [
        new("method", "Images"),
        .. TopK.Select(k => new SectionColumn($"top{k}", $"Top-{k} accuracy", 3, true)),
        new($"knn{NeighboursThatVote}", $"kNN accuracy, k = {NeighboursThatVote}", 3, true),
        new("accuracy", "Classifier accuracy", 3, true), new("feature_similarity", "Similarity of features", 3, true),
    ];

    private static SectionTable Table(string key, string title, IReadOnlyList<Result> results) =>
        new(key, title, [.. Rates, new("kappa", "Quadratic kappa", 3, true)],
            [.. results.Select(result => (IReadOnlyList<object?>)
                [result.Title, .. result.Values.Select(values => Defined(Summary.Compute(values, null).Mean)),
                    Defined(result.Confusion.QuadraticKappa)])]);

    private static SectionTable Intervals(IReadOnlyList<Result> results, Bootstrap bootstrap)
    {
        int[] all = [.. Enumerable.Range(0, results[0].Images.Length)];
        return new("intervals", "Confidence intervals", [.. Rates.Select(column => column with { HigherIsBetter = null })],
            [.. results.Select(result => (IReadOnlyList<object?>)
                [result.Title, .. result.Values.Select(values => bootstrap.OfMean(all, values) is { } ci
                    ? FormattableString.Invariant($"{ci.Low:F3} to {ci.High:F3}") : null)])]);
    }

    private static MatrixChart Chart(Result result) => new($"confusion_{result.Key}", $"Confusion: {result.Title}",
        "Number of images of each label by assigned label. A perfect result lies on the diagonal.",
        "Label of the real image", "Label assigned by the classifier", result.Classes, result.Classes,
        [.. result.Confusion.Counts.Select(row => (IReadOnlyList<double>)[.. row.Select(count => (double)count)])]);

    private static object? Defined(double value) => double.IsNaN(value) ? null : value;

    private static Definition[] Definitions(string library) =>
    [
        new("Top-k accuracy", "share of images that have an image of their own label among their k nearest in the library, by the cosine "
            + "of the classifier's features before its last layer (Wei et al. 2024, DeReStainer). It rises with k by construction."),
        new("kNN accuracy", $"share of images whose label is the most frequent of the {NeighboursThatVote} nearest images; of equally "
            + "frequent labels, the one with the largest sum of similarities."),
        new("Similarity of features", "cosine of the features, before the classifier's last layer, of the stained and the real image of a "
            + "pair; 1 for the same image"),
        new("Library", $"{library}. The paper retrieves from all real test images including that of the query, which is easier (library "
            + "paper)."),
        new("Classifier accuracy, quadratic kappa", "prediction of the classifier against the label of the real image; Cohen's kappa with "
            + "weights (i - j)², labels in the order of their names (Cohen 1968)."),
    ];

    private static List<string> Warnings(ImagePair[] pairs, ClassifierCard card)
    {
        var warnings = new List<string>();
        string[] seen = [.. pairs.Select(pair => pair.SlideId).OfType<string>().Distinct()
            .Intersect(card.Training.TrainSlides.Concat(card.Training.ValidationSlides)).Order(StringComparer.Ordinal)];
        if (seen.Length > 0)
            warnings.Add($"The classifier was trained or validated on slides of the evaluated images ({string.Join(", ", seen.Take(10))}"
                + $"{(seen.Length > 10 ? ", ..." : "")}): the scores of the real images are too high.");
        else if (card.Training.CountUsed(pairs.Select(pair => pair.Real)) is > 0 and var used)
            warnings.Add($"The classifier was trained or validated on {used} of the evaluated images: the scores of the real images are "
                + "too high.");
        if (card.Role == "comparator")
            warnings.Add("The classifier is a comparator: scores of models trained with it are too high.");
        if (card.Validation is { } validation && validation.Accuracy < 0.8)
            warnings.Add(FormattableString.Invariant(
                $"The validation accuracy of the classifier is only {100 * validation.Accuracy:F0}%; it is a weak evaluator."));
        return warnings;
    }

    private static Definition[] Provenance(Classifier classifier, int library, Bootstrap bootstrap) =>
    [
        new("Classifier", $"{classifier.Folder}: {classifier.Card.Architecture}, {string.Join(", ", classifier.Card.Classes)}, "
            + $"SHA-256 {classifier.Sha256}"),
        new("Training", FormattableString.Invariant($"{classifier.Card.Training.TrainingId}: seed {classifier.Card.Training.Seed}, fold ")
            + FormattableString.Invariant($"{classifier.Card.Training.Fold} of {classifier.Card.Training.Folds} held out, ")
            + $"{classifier.Card.Training.TrainImages} images"
            + (classifier.Card.Validation is { } v ? FormattableString.Invariant($", validation accuracy {v.Accuracy:F3}") : "")),
        new("Library", $"{library} images"),
        new("Intervals", bootstrap.Description),
    ];

    private static void RefuseOtherLabels(ImagePair[] pairs, ClassifierCard card)
    {
        string[] unknown = [.. pairs.Select(pair => pair.Label!).Distinct().Except(card.Classes)];
        if (unknown.Length > 0)
            throw new TinctorException(null, $"the label {string.Join(", ", unknown)} is unknown to the classifier, which has the classes "
                + string.Join(", ", card.Classes), "Use labels of the same names");
    }

    private readonly record struct Output(float[] Features, float[] Logits);

    /// <param name="Label">The true label.</param>
    /// <param name="Rates">1 or 0 for each k of top-k, then for the vote; NaN where the library had nothing to compare with.</param>
    /// <param name="Prediction">The classifier's answer, by number.</param>
    /// <param name="Similarity">Cosine of the features of the image and of the real image.</param>
    private sealed record ImageScore(string Label, double[] Rates, int Prediction, double Similarity);

    private sealed record Result(string Key, string Title, IReadOnlyList<string> Classes, ImageScore[] Images)
    {
        public ConfusionMatrix Confusion { get; } = ConfusionMatrix.Create(Classes,
            Images.Select(image => (Classes.Index().First(c => c.Item == image.Label).Index, image.Prediction)));

        /// <summary>Numbers of each image, in the order of the columns.</summary>
        public double[][] Values =>
        [
            .. Enumerable.Range(0, TopK.Length + 1).Select(r => Array.ConvertAll(Images, image => image.Rates[r])),
            Array.ConvertAll(Images, image => Classes[image.Prediction] == image.Label ? 1.0 : 0),
            Array.ConvertAll(Images, image => image.Similarity),
        ];
    }
}
