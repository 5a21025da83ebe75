using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Analyses.Uncertainty;

/// <summary>
/// Uncertainty of stochastic methods: variation between repeated runs, its location, and its relation to the error. Uses the coefficient
/// of variation of Zhang et al. (pixel super-resolved virtual staining, arXiv 2410.20073).
/// </summary>
/// <param name="models">The models with repeated runs.</param>
internal sealed class UncertaintyAnalysis(IReadOnlyList<RepeatedRuns> models) : IAnalysis
{
    /// <summary>Share of pixels with the largest errors, which the uncertainty should predict.</summary>
    public const double WorstShare = 0.1;

    private const int CalibrationGroups = 20, Listed = 10, FewRuns = 5;

    ReportSection IAnalysis.Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        var matched = models.Select(model => (Model: model, Matched: model.Match(set.Pairs))).ToArray();
        Found[] found = [.. matched.Select(m => Measure(set, m.Model, m.Matched.Runs, m.Matched.Files, progress, cancel))];
        return new ReportSection("uncertainty", "Uncertainty of repeated runs",
            "Variation between the images of repeated runs and its relation to the error. An uncertainty map is useful if it predicts the "
            + "worst pixels (AUROC well above 0.5).")
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
                var one = Statistics(set.Pairs[i], files[i]);
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
        new("std", "Standard deviation (grey levels)", 2, false), new("rmse", "RMSE of the mean (grey levels)", 2, false),
        new("calibration_error", "Calibration error (grey levels)", 2, false), new("pearson", "Pearson", 3, true),
        new("spearman", "Spearman", 3, true), new("auroc", "AUROC of the worst 10%", 3, true),
    ];

    private static readonly SectionColumn[] ImageColumns =
    [
        new("model", "Model"), new("image", "Image"), new("cv", "Coefficient of variation", 4, false),
        new("std", "Standard deviation (grey levels)", 2, false), new("rmse", "RMSE of the mean (grey levels)", 2, false),
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
        $"Pixels in {CalibrationGroups} groups of increasing uncertainty. On the diagonal, variation equals error; above it, the model is "
        + "overconfident.",
        "Predicted error (grey levels)", "RMSE of the mean (grey levels)",
        [.. found.Select(f =>
        {
            var curve = f.Pixels.Calibration(CalibrationGroups);
            return new ChartSeries(f.Title, [.. curve.Select(g => Predicted(f, g.Uncertainty))], [.. curve.Select(g => g.Error)]);
        })])
    {
        Diagonal = true,
    };

    private static CurveChart Finding(Found[] found) => new("worst_pixels", "Prediction of the worst pixels",
        "ROC curve of uncertainty as a predictor of the tenth of the pixels with the largest errors. The diagonal is chance.",
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
            var one = Statistics(set.Pairs[index], f.Files[index]);
            Image Map(float[] values) => HeatMap.Render(values, one.Mean.Width, one.Mean.Height, top);
            yield return new($"{f.Title}: {f.Images[index].Name}, {what} uncertainty",
                $"Mean of {f.Runs} runs, standard deviation over the runs, and error of the mean, from 0 (violet) to {top:F1} grey levels "
                + "or more (yellow).",
                HeatMap.SideBySide(one.Mean, Map(one.Uncertainty), Map(one.Error)));
        }
    }

    private static RunStatistics Statistics(ImagePair pair, string[] files) =>
        RunStatistics.Compute(files.Select(pair.ReadRgb), pair.ReadRgb(pair.Real));

    private static IEnumerable<string> Warnings(Found f)
    {
        if (f.Runs < FewRuns)
            yield return $"{f.Title}: only {f.Runs} runs; their standard deviations are inaccurate. Use ten or more.";
        if (f.Pixels.MeanUncertainty == 0)
            yield return $"{f.Title}: all runs are equal. Use a different seed for each run.";
        else if (f.Roc is { Auroc: < 0.6 } roc)
            yield return $"{f.Title}: the uncertainty hardly predicts errors (AUROC {roc.Auroc:F2}).";
    }

    private static readonly Definition[] Definitions =
    [
        new("Coefficient of variation",
            "standard deviation over the runs (divisor K - 1) divided by their mean, for each pixel and channel of 8-bit "
            + "RGB (0 if the mean is 0); mean over pixels, channels and images, as in Zhang et al. (arXiv 2410.20073)."),
        new("Uncertainty", "standard deviation over the runs for each pixel, root mean square over R, G and B, in grey levels (0 to 255)."),
        new("Error", "difference of the mean of the runs and the real image for each pixel, root mean square over R, G and B."),
        new("Calibration", $"pixels of the test set in {CalibrationGroups} groups of increasing uncertainty and about equal size. "
            + "Predicted error: root mean square uncertainty of the group times sqrt(1 + 1/K), the expected error of the mean of K runs "
            + "for another run. Calibration error: mean absolute difference of predicted error and RMSE, weighted by the size of the "
            + "groups."),
        new("Pearson, Spearman",
            "correlation of uncertainty and error over all pixels; ranks in bins of a quarter of a grey level, mean ranks of ties."),
        new("AUROC of the worst 10%",
            "the worst pixels are the 10% or more of the test set with the largest errors; the area under the ROC curve is the "
            + "probability that one of them is more uncertain than one of the others, ties counting half, in bins of a quarter of a grey "
            + "level."),
    ];

    private sealed record ImageUncertainty(string Name, double Variation, double Uncertainty, double Rmse);

    private sealed record Found(string Title, int Runs, string[][] Files, ImageUncertainty[] Images, UncertaintyHistogram Pixels,
        Statistics.Roc? Roc, double Threshold);
}
