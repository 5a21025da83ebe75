using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Training.Segmentation;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>Agreement of the classes of tissue in stained and real images, over all pixels of the test set.</summary>
/// <param name="classes">Names of the classes, without the background.</param>
/// <param name="methods">Pixels of each method by their class in the real and in the stained image.</param>
internal sealed class ClassAgreement(IReadOnlyList<string> classes, IReadOnlyList<(ScoredMethod Method, PixelConfusion Pixels)> methods)
{
    private const string Background = "background";

    private string[] Names => [Background, .. classes];

    /// <summary>F1 of each class with macro and weighted means, and numbers of pixels.</summary>
    public IReadOnlyList<SectionTable> Tables =>
    [
        new("classes", "F1 of the classes of tissue, pooled over all pixels; macro: mean over the classes; weighted: by real pixels",
            [
                new("method", "Method"), new("class", "Class"), new("f1", "F1", 3), new("precision", "Precision", 3),
                new("recall", "Recall", 3), new("share", "Share of real pixels", 3),
            ],
            [.. methods.SelectMany(each => Scores(each.Method, each.Pixels))]),
        new("confusion", "Pixels by class in the real and in the stained images",
            [new("method", "Method"), new("real", "Real"), new("stained", "Stained"), new("pixels", "Pixels", 0)],
            [.. from each in methods
                from real in Enumerable.Range(0, Names.Length)
                from made in Enumerable.Range(0, Names.Length)
                select (IReadOnlyList<object?>)[each.Method.Title, Names[real], Names[made], (double)each.Pixels[real, made]]]),
    ];

    /// <summary>Confusion matrices, as shares of the real pixels of each class.</summary>
    public IReadOnlyList<SectionChart> Charts => [.. methods.Select(each => new MatrixChart($"confusion_{each.Method.Key}",
        $"Classes of tissue: {each.Method.Title}", "Shares of the real pixels of each class. The diagonal is right.", "Real", "Stained",
        Names, Names, [.. Enumerable.Range(0, Names.Length).Select(real => (IReadOnlyList<double>)[.. Enumerable.Range(0, Names.Length)
            .Select(made => each.Pixels.Pixels(real) == 0 ? 0 : (double)each.Pixels[real, made] / each.Pixels.Pixels(real))])]))];

    private IEnumerable<IReadOnlyList<object?>> Scores(ScoredMethod method, PixelConfusion pixels)
    {
        double all = Enumerable.Range(0, Names.Length).Sum(c => (double)pixels.Pixels(c));
        for (int c = 1; c < Names.Length; c++)
        {
            yield return [method.Title, Names[c], Number(pixels.F1(c)), Number(pixels.Precision(c)), Number(pixels.Recall(c)),
                pixels.Pixels(c) / all];
        }
        yield return [method.Title, "macro", Number(pixels.MacroF1), null, null, null];
        yield return [method.Title, "weighted", Number(pixels.WeightedF1), null, null, null];
    }

    private static object? Number(double value) => double.IsNaN(value) ? null : value;
}
