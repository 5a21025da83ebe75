using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Measurement;

namespace Tinctor.Evaluation.Analyses.Densities;

/// <summary>Mean DAB densities of the versions of one image, in the unit of <see cref="StainHistograms"/>.</summary>
internal sealed class DabMeans
{
    /// <summary>Key of the section and of its table.</summary>
    public const string Key = "dab_means";

    private static readonly Quantity Density = new("dab_mean", "Mean DAB density", "rgb2hed", 4,
        "mean over the pixels of an image of DAB by skimage.color.rgb2hed: a sixth of the decimal optical density, at least 0");

    private readonly string name;
    private readonly double real;
    private readonly Dictionary<string, double> made = [];

    /// <summary>Measures the real image.</summary>
    public DabMeans(string name, ScoredImage real) => (this.name, this.real) = (name, Mean(real));

    /// <summary>Measures the image of a method.</summary>
    public void Add(ScoredMethod method, ScoredImage image) => made[method.Key] = Mean(image);

    /// <summary>Creates the section of the report: correlation over the images and means of each method. Empty without images.</summary>
    public static IEnumerable<ReportSection> Section(IReadOnlyList<DabMeans> images, IReadOnlyList<ScoredMethod> methods)
    {
        if (images.Count == 0) return [];
        QuantityAgreement[] agreements = [.. methods.Where(method => method.Key != ScoredMethod.MeanColour).Select(method =>
            QuantityAgreement.Compute(Density, method, "image", images.Select(image => (image.name, image.real, image.made[method.Key]))))];
        return
        [
            new(Key, "DAB density of images",
                "Whether images with much DAB in the real stain have much DAB in the stained version too. Positions within an image do not "
                + "matter here.")
            {
                Tables = [new(Key, "Mean DAB densities", Columns, [.. agreements.Select(Row)])],
                Charts = [QuantityAgreement.Scatter(agreements)],
                Definitions =
                [
                    new(Density.Title, Density.Definition),
                    new("MAE", "mean over the images of the absolute difference of both densities"),
                    new("Correlation", "Pearson's correlation of both densities over the images"),
                ],
            },
        ];
    }

    private static readonly SectionColumn[] Columns =
    [
        new("method", "Method"), new("n", "Images", 0), new("dab_real", "Mean, real", 4), new("dab_stained", "Mean, stained", 4),
        new("dab_od_mae", "MAE", 4, false), new("dab_correlation", "Correlation", 3, true),
    ];

    /// <summary>Gets the correlation of a method from the section; null if it is not defined.</summary>
    public static double? Correlation(ReportSection section, ScoredMethod method) =>
        (double?)section.Tables[0].Rows.First(row => Equals(row[0], method.Title))[^1];

    private static IReadOnlyList<object?> Row(QuantityAgreement agreement)
    {
        double correlation = SampleStatistics.Pearson(agreement.Real, agreement.Made);
        return
        [
            agreement.Method.Title, agreement.Real.Count, agreement.Real.Average(), agreement.Made.Average(),
            agreement.Real.Zip(agreement.Made, (x, y) => Math.Abs(x - y)).Average(), double.IsFinite(correlation) ? correlation : null,
        ];
    }

    private static double Mean(ScoredImage image) => StainHistograms.Mean(image.HaematoxylinEosinDab[2]);
}
