using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Analyses.Uncertainty;

/// <summary>
/// Uncertainty of stochastic methods: variation between repeated runs, its location, and its relation to the error. Uses the coefficient
/// of variation of Zhang et al. (pixel super-resolved virtual staining, arXiv 2410.20073).
/// </summary>
/// <param name="models">The models with repeated runs.</param>
public sealed class UncertaintyAnalysis(IReadOnlyList<RepeatedRuns> models) : IAnalysis
{
    /// <summary>The share of the pixels with the largest errors that the uncertainty should find.</summary>
    public const double WorstShare = 0.1;

    private const int CalibrationGroups = 20, Listed = 10, FewRuns = 5;

    ReportSection IAnalysis.Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        var matched = models.Select(model => (Model: model, Matched: model.Match(set.Pairs))).ToArray();
        Found[] found = [.. matched.Select(m => Measure(set, m.Model, m.Matched.Runs, m.Matched.Files, progress, cancel))];
        return new ReportSection("uncertainty", "Uncertainty of repeated runs",
            "How much the images of repeated runs differ, and whether they differ where they are wrong. A map of uncertainty is of use where it "
            + "finds the worst pixels (AUROC well above 0.5).")
        {
            Tables =
            [
                new("uncertainty", "Repeated runs", Columns, [.. found.Select(Row)]),
                new("most_uncertain", "The most uncertain images", ImageColumns, [.. found.SelectMany(MostUncertain)]),
            ],
            Charts = [Calibration(found), Finding(found)],
            Pictures = [.. found.SelectMany(f => Pictures(set, f))],
            Definitions = Definitions,
            Warnings = [.. found.SelectMany(Warnings)],
            Provenance = [.. found.Select(f => new Definition(f.Title,
                $"{f.Runs} runs of {f.Images.Length} images, {f.Pixels.Count:N0} pixels; "
                + $"the worst pixels are those with errors of at least {f.Threshold} grey levels"))],
        };
    }

    private static Found Measure(TestSet set, RepeatedRuns model, int runs, string[][] files,
        IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        string title = set.Methods.FirstOrDefault(method => method.Key == model.Folder.Name)?.Title ?? model.Folder.Name;
        var images = new ImageUncertainty[files.Length];
        var all = new UncertaintyHistogram();
        var problems = new ProblemList();
        int done = 0;
        var parallel = new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.For(0, files.Length, parallel, () => new UncertaintyHistogram(), (i, _, own) =>
        {
            try
            {
                var one = RunStatistics.Compute(files[i], RgbReader.Read(set.Pairs[i].Real));
                own.Add(one.Uncertainty, one.Error);
                images[i] = new(set.Pairs[i].Name, one.Variation, one.Uncertainty.Average(),
                    Math.Sqrt(one.Error.Average(e => (double)e * e)));
            }
            catch (Exception e) when (e is IOException or TinctorException)
            {
                problems.Add(e);
            }
            progress?.Report(new($"uncertainty of {title}", Interlocked.Increment(ref done), files.Length));
            return own;
        }, own =>
        {
            lock (all) all.Add(own);
        });
        problems.ThrowIfAny(model.Folder.Path);
        var (roc, threshold) = all.Worst(WorstShare);
        return new(title, runs, files, images, all, roc, threshold);
    }

    private static readonly SectionColumn[] Columns =
    [
        new("model", "Model"), new("runs", "Runs", 0), new("images", "Images", 0), new("cv", "Coefficient of variation", 4, false),
        new("std", "Standard deviation (grey levels)", 2, false), new("rmse", "RMSE of the runs' mean (grey levels)", 2, false),
        new("calibration_error", "Calibration error (grey levels)", 2, false), new("pearson", "Pearson", 3, true),
        new("spearman", "Spearman", 3, true), new("auroc", "AUROC of the worst 10%", 3, true),
    ];

    private static readonly SectionColumn[] ImageColumns =
    [
        new("model", "Model"), new("image", "Image"), new("cv", "Coefficient of variation", 4, false),
        new("std", "Standard deviation (grey levels)", 2, false), new("rmse", "RMSE of the runs' mean (grey levels)", 2, false),
    ];

    private static object?[] Row(Found f) =>
    [
        f.Title, f.Runs, f.Images.Length, f.Images.Average(i => i.Variation), f.Pixels.MeanUncertainty, f.Pixels.Rmse, CalibrationError(f),
        f.Pixels.Pearson, f.Pixels.Spearman(), f.Roc?.Auroc,
    ];

    private static IEnumerable<object?[]> MostUncertain(Found f) => f.Images.OrderByDescending(i => i.Uncertainty).Take(Listed)
        .Select(i => new object?[] { f.Title, i.Name, i.Variation, i.Uncertainty, i.Rmse });

    // Expected error of the mean of K runs if the real image were another run.
    private static double Predicted(Found f, double uncertainty) => uncertainty * Math.Sqrt(1 + (1.0 / f.Runs));

    private static double CalibrationError(Found f) => f.Pixels.Calibration(CalibrationGroups)
        .Sum(group => Math.Abs(Predicted(f, group.Uncertainty) - group.Error) * group.Count) / f.Pixels.Count;

    private static CurveChart Calibration(Found[] found) => new("calibration", "Error against uncertainty",
        $"Pixels in {CalibrationGroups} groups of rising uncertainty. On the diagonal the runs differ by as much as they are wrong; above it they "
        + "are more sure than they may be.",
        "Predicted error (grey levels)", "RMSE of the runs' mean (grey levels)",
        [.. found.Select(f =>
        {
            var curve = f.Pixels.Calibration(CalibrationGroups);
            return new ChartSeries(f.Title, [.. curve.Select(g => Predicted(f, g.Uncertainty))], [.. curve.Select(g => g.Error)]);
        })])
    {
        Diagonal = true,
    };

    private static CurveChart Finding(Found[] found) => new("worst_pixels", "Finding the worst pixels",
        "Of the tenth of the pixels with the largest errors, the share that is found when all above an uncertainty are called wrong, against "
        + "the share of the others that is called so too. The diagonal is chance.",
        "False positive rate", "True positive rate",
        [.. found.Where(f => f.Roc is not null).Select(f => new ChartSeries(
            f.Title, [.. f.Roc!.Points.Select(p => p.FalsePositiveRate)], [.. f.Roc.Points.Select(p => p.TruePositiveRate)]))])
    {
        Diagonal = true,
    };

    private static IEnumerable<SectionPicture> Pictures(TestSet set, Found f)
    {
        int[] order = [.. Enumerable.Range(0, f.Images.Length).OrderByDescending(i => f.Images[i].Uncertainty)];
        double top = Math.Max(1, f.Pixels.Quantile(0.01));
        foreach (var (what, index) in new[] { ("highest", order[0]), ("median", order[order.Length / 2]) }.DistinctBy(x => x.Item2))
        {
            var real = RgbReader.Read(set.Pairs[index].Real);
            var one = RunStatistics.Compute(f.Files[index], real);
            Image Map(float[] values) => HeatMap.Render(values, real.Width, real.Height, top);
            yield return new($"{f.Title}: {f.Images[index].Name}, {what} uncertainty",
                $"The mean of {f.Runs} runs, the standard deviation over the runs, and the error of the mean; violet is 0, yellow is {top:F1} grey "
                + "levels and more.",
                HeatMap.SideBySide(one.Mean, Map(one.Uncertainty), Map(one.Error)));
        }
    }

    private static IEnumerable<string> Warnings(Found f)
    {
        if (f.Runs < FewRuns)
            yield return $"{f.Title}: {f.Runs} runs only; standard deviations of so few are rough. Ten or more are usual.";
        if (f.Pixels.MeanUncertainty == 0)
            yield return $"{f.Title}: all runs are the same. Were they made with different seeds?";
        else if (f.Roc is { Auroc: < 0.6 } roc)
            yield return $"{f.Title}: the uncertainty hardly tells where the images are wrong (AUROC {roc.Auroc:F2}).";
    }

    private static readonly Definition[] Definitions =
    [
        new("Coefficient of variation",
            "standard deviation over the runs (divisor K - 1) divided by their mean, for each pixel and channel of 8-bit "
            + "RGB (0 where the mean is 0); mean over pixels, channels and images. Zhang et al. (arXiv 2410.20073) report it over repeated runs; "
            + "the formula is the usual one."),
        new("Uncertainty", "of a pixel: the standard deviation over the runs, root mean square over R, G and B, in grey levels (0 to 255)."),
        new("Error", "of a pixel: the difference of the runs' mean and the real image, root mean square over R, G and B."),
        new("Calibration", $"pixels of the whole test set in {CalibrationGroups} groups of rising uncertainty and about equal size. Predicted error: the "
            + "group's root mean square uncertainty times sqrt(1 + 1/K), by which the mean of K runs would miss one more run. Calibration error: "
            + "the mean distance of predicted and found RMSE, weighted by the groups' pixels."),
        new("Pearson, Spearman", "correlation of uncertainty and error over all pixels; ranks in bins of a quarter of a grey level, ties at their mean."),
        new("AUROC of the worst 10%", "the worst pixels are those of the largest errors that make up at least 10% of all pixels of the test set; the area "
            + "under the ROC curve is the probability that one of them is more uncertain than one of the others, ties counting half, in bins of a "
            + "quarter of a grey level."),
    ];

    private sealed record ImageUncertainty(string Name, double Variation, double Uncertainty, double Rmse);

    private sealed record Found(string Title, int Runs, string[][] Files, ImageUncertainty[] Images, UncertaintyHistogram Pixels,
        Statistics.Roc? Roc, double Threshold);
}
