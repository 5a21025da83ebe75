using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Analyses.Datasets;

/// <summary>
/// Means over several data sets or stains that are evaluated together. A large data set dominates the mean over all images; in the mean of
/// the data sets' means each has the same weight.
/// </summary>
internal static class DatasetMeans
{
    /// <summary>Key of the section and of its table.</summary>
    public const string Key = "datasets";

    /// <summary>Creates the section of the report. Empty if the images belong to fewer than two data sets.</summary>
    /// <param name="images">Data set or stain of each image, and its scores by key of the method, in the order of the metrics.</param>
    /// <param name="metrics">The metrics.</param>
    /// <param name="methods">The methods.</param>
    public static IEnumerable<ReportSection> Section(IReadOnlyList<(string? Dataset, IReadOnlyDictionary<string, double[]> Scores)> images,
        IReadOnlyList<PairMetric> metrics, IReadOnlyList<ScoredMethod> methods)
    {
        var sets = images.Where(image => image.Dataset is not null).GroupBy(image => image.Dataset!, image => image.Scores)
            .OrderBy(set => set.Key, StringComparer.Ordinal).ToArray();
        if (sets.Length < 2) return [];
        int without = images.Count(image => image.Dataset is null);
        return
        [
            new(Key, "Data sets", "The mean of each data set or stain, the mean of these means, in which every data set has the same "
                + "weight, and the mean over all images.")
            {
                Tables = [new(Key, "Means of the data sets", Columns(metrics), [.. methods.SelectMany(Rows)])],
                Warnings = without == 0 ? [] :
                    [$"{without} of {images.Count} images belong to no data set; they count in the mean over all images only."],
            },
        ];

        IEnumerable<IReadOnlyList<object?>> Rows(ScoredMethod method)
        {
            double?[][] means = [.. sets.Select(set => Means(set, method))];
            foreach ((var set, double?[] mean) in sets.Zip(means)) yield return [method.Title, set.Key, set.Count(), .. mean];
            yield return
            [
                method.Title, "mean of the data sets", images.Count - without,
                .. metrics.Select((_, m) => (object?)Mean(means.Select(mean => mean[m] ?? double.NaN))),
            ];
            yield return [method.Title, "all images", images.Count, .. Means(images.Select(image => image.Scores), method)];
        }

        double?[] Means(IEnumerable<IReadOnlyDictionary<string, double[]>> scores, ScoredMethod method) =>
            [.. metrics.Select((_, m) => Mean(scores.Select(image => image[method.Key][m])))];
    }

    private static SectionColumn[] Columns(IReadOnlyList<PairMetric> metrics) =>
    [
        new("method", "Method"), new("dataset", "Data set"), new("n", "Images", 0),
        .. metrics.Select(metric => new SectionColumn(metric.Key, metric.Heading, metric.Digits)),
    ];

    // The mean of the defined scores, as in the summary of all images; null if there is none.
    private static double? Mean(IEnumerable<double> scores)
    {
        double[] defined = [.. scores.Where(score => !double.IsNaN(score))];
        return defined.Length == 0 ? null : defined.Average();
    }
}
