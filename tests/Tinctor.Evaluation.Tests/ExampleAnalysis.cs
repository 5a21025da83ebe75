using Tinctor.Evaluation.Analyses;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Tests;

/// <summary>A section with one of everything that a section can hold, and one that was not computed.</summary>
internal sealed class ExampleAnalysis(bool computed) : IAnalysis
{
    public static IReadOnlyList<IAnalysis> All => [new ExampleAnalysis(computed: true), new ExampleAnalysis(computed: false)];

    ReportSection IAnalysis.Run(Data.TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        if (!computed)
            return new("absent", "Distribution", "What FID sees.") { NotComputed = "no Inception weights were given" };
        string[] names = [.. set.Pairs.Select(p => p.Name)];
        double[] x = [.. names.Select((_, i) => i / (double)names.Length)], noisy = [.. x.Select((v, i) => v + 0.05 * Math.Sin(7 * i))];
        ChartSeries[] series = [.. set.Methods.Select((m, k) => new ChartSeries(m.Title, x, [.. noisy.Select(v => v + 0.04 * k)], names))];
        return new("example", "An example", "One of everything, to see whether it is drawn.")
        {
            Tables =
            [
                new("scores", "Scores of each method, 100% made up",
                    [
                        new("method", "Method"), new("score", "Score (a_b)", 2, true), new("error", "Error", 1, false), new("count", "n"),
                    ],
                    [
                        ["first & best", 2.5, 0.25, 3], ["second", double.PositiveInfinity, 1.75, 4], ["third", double.NaN, null, 5],
                        ["fourth", 1.5, 0.5, 6],
                    ]),
            ],
            Charts =
            [
                new ScatterChart("bland_altman", "Agreement", "Difference against mean; close to zero is good.", "mean (OD)",
                    "difference (OD)", series)
                {
                    Lines = [new("bias", 0.5), new("upper limit", 0.9)],
                },
                new CurveChart("roc", "ROC", "Above the diagonal is better than chance.", "false positive rate", "true positive rate",
                    series)
                {
                    Diagonal = true,
                },
                new HistogramChart("similarity", "Similarities", "Apart is good.", "cosine similarity", [0, 0.25, 0.5, 0.75, 1],
                    [new("paired", [], [0.1, 0.2, 0.3, 0.4]), new("unpaired", [], [0.5, 0.3, 0.2, 0])])
                {
                    Lines = [new("threshold", 0.55)],
                },
                new MatrixChart("confusion", "Confusion", "Rows are what is there, columns what was said.", "real", "stained",
                    ["0", "1+", "2+"], ["0", "1+", "2+"], [[12, 3, 0], [2, 9, 1], [0, 4, 8]]),
            ],
            Pictures = [new("A variance map", "Where runs differ.", ExampleImages.Blobs(48, 1, [0.5, 0.7, 0.9]))],
            Definitions = [new("score", "the sum of x_i^2 over i, % of all")],
            Warnings = ["ten images are few"],
            Provenance = [new("weights", "example.pth, sha256 0123")],
        };
    }
}
