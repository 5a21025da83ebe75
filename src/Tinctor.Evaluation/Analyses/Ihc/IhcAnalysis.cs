using Tinctor.Evaluation.Analyses.Segmentation;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Measurement;
using Tinctor.Measurement.Ihc;

namespace Tinctor.Evaluation.Analyses.Ihc;

/// <summary>
/// Quantification of immunohistochemistry in the real images and those of each method: DAB area and density, and shares of stained nuclei
/// and membranes, per image and per slide.
/// </summary>
/// <param name="nuclei">Segmentation of the nuclei.</param>
/// <param name="settings">Thresholds of staining.</param>
public sealed class IhcAnalysis(ISegmentation nuclei, IhcSettings settings) : IAnalysis
{
    /// <summary>Key of the table of agreement.</summary>
    internal const string AgreementKey = "agreement";

    private const string Real = "Real";
    private readonly IReadOnlyList<(Quantity Quantity, Func<IhcCounts, double> Value)> quantities = IhcCounts.Quantities(settings);

    ReportSection IAnalysis.Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        settings.Validate();
        if (!nuclei.HasInstances) throw new ArgumentException("IHC quantities need single nuclei");
        set = set with { Methods = nuclei.Comparable(set) };
        Measured[] images = ImagePass.Over(set.Pairs, "IHC quantities", progress, cancel, pair => Measure(pair, set.Methods));
        Measured[] slides = set.Pairs.All(pair => pair.SlideId is not null)
            ? [.. images.GroupBy(image => image.SlideId!).OrderBy(slide => slide.Key, StringComparer.Ordinal).Select(Sum)]
            : [];
        QuantityAgreement[][] agreements = [.. quantities.Select(quantity =>
            set.Methods.SelectMany(method => Agreements(quantity, method, images, slides)).ToArray())];
        return new("ihc", "IHC quantities",
            "Quantities of IHC slides, measured in the same way in real and stained images. Close to the real value is good, "
            + "in either direction; a correlation alone does not show a constant error.")
        {
            Tables =
            [
                QuantityAgreement.Table(AgreementKey, "Agreement with the real images", agreements.SelectMany(each => each)),
                .. slides.Length == 0 ? Array.Empty<SectionTable>()
                    : [Values("slides", "Values of each slide", "Slide", slides, set.Methods)],
                Values("images", "Values of each image", "Image", images, set.Methods),
            ],
            Charts = [.. agreements.SelectMany(Charts)],
            Definitions =
            [
                .. quantities.Select(each => new Definition(each.Quantity.Title, each.Quantity.Definition)),
                new("DAB density", "decimal optical density of DAB after colour deconvolution (Ruifrok and Johnston 2001, haematoxylin and "
                    + "DAB), white 255"),
                .. QuantityAgreement.Definitions,
            ],
            Warnings = [.. Warnings(set, slides)],
            Provenance = [.. nuclei.Provenance, PixelSizeDefinition.Create(settings.Mpp)],
        };
    }

    private Measured Measure(ImagePair pair, IReadOnlyList<ScoredMethod> methods)
    {
        IhcCounts Counts(string path, string? method)
        {
            var image = new ScoredImage(pair.ReadRgb(path));
            return IhcCounts.Compute(image.Stains, nuclei.Segment(pair, method, image), settings);
        }
        return new(pair.Name, pair.SlideId, Counts(pair.Real, null),
            methods.ToDictionary(method => method.Key, method => Counts(pair.PathOf(method.Key), method.Key)));
    }

    private static Measured Sum(IGrouping<string, Measured> slide) => new(slide.Key, slide.Key,
        slide.Aggregate(default(IhcCounts), (all, image) => all + image.Real),
        slide.First().Made.Keys.ToDictionary(key => key,
            key => slide.Aggregate(default(IhcCounts), (all, image) => all + image.Made[key])));

    private static IEnumerable<QuantityAgreement> Agreements(
        (Quantity Quantity, Func<IhcCounts, double> Value) quantity, ScoredMethod method, Measured[] images, Measured[] slides)
    {
        QuantityAgreement Of(string per, Measured[] all) => QuantityAgreement.Compute(quantity.Quantity, method, per,
            all.Select(each => (each.Name, quantity.Value(each.Real), quantity.Value(each.Made[method.Key]))));
        yield return Of("image", images);
        if (slides.Length > 1) yield return Of("slide", slides);
    }

    // Baselines are in the scatter plots only.
    private static IEnumerable<SectionChart> Charts(QuantityAgreement[] quantity)
    {
        QuantityAgreement[] images = [.. quantity.Where(each => each.Per == "image" && each.Real.Count > 0)];
        if (images.Length == 0) return [];
        IEnumerable<SectionChart?> plots = images.Where(each => each.Method.IsModel).Select(each => each.BlandAltmanChart());
        return [QuantityAgreement.Scatter(images), .. plots.OfType<SectionChart>()];
    }

    private SectionTable Values(string key, string title, string unit, Measured[] all, IReadOnlyList<ScoredMethod> methods) =>
        new(key, title,
        [
            new("name", unit), new("version", "Version"),
            .. quantities.Select(each => new SectionColumn(each.Quantity.Key, each.Quantity.Heading, each.Quantity.Digits)),
        ],
        [
            .. all.SelectMany(each => methods.Select(method => Row(each.Name, method.Title, each.Made[method.Key]))
                .Prepend(Row(each.Name, Real, each.Real))),
        ]);

    private IReadOnlyList<object?> Row(string name, string version, IhcCounts counts) =>
    [
        name, version,
        .. quantities.Select(each => each.Value(counts)).Select(value => double.IsFinite(value) ? (object?)value : null),
    ];

    private static IEnumerable<string> Warnings(TestSet set, Measured[] slides)
    {
        if (slides.Length == 0)
            yield return "Slides are unknown, so there are no values per slide, and intervals are too narrow: they treat images of one "
                + "slide as independent.";
        else if (set.Pairs.Count > slides.Length)
            yield return "Intervals per image are too narrow, as images of one slide are not independent. Use those per slide.";
    }

    private sealed record Measured(string Name, string? SlideId, IhcCounts Real, IReadOnlyDictionary<string, IhcCounts> Made);
}
