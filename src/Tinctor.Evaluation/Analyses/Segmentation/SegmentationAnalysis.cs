using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;
using Tinctor.Measurement;
using Tinctor.Slides.Masks;
using Tinctor.Training.Segmentation;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>
/// Agreement of the segmentations of stained and real images, compared by pixels, by classes of tissue if there are several, and, for
/// nuclei, by instances and counts.
/// </summary>
/// <param name="segmentation">Segmentation of the images.</param>
/// <param name="micronsPerPixel">For densities.</param>
public sealed class SegmentationAnalysis(ISegmentation segmentation, double micronsPerPixel) : IAnalysis
{
    private static readonly Quantity Count = new("nuclei", "Nuclei", "", 1, "number of nuclei in an image");
    private static readonly Quantity Density = new("nuclei_density", "Nuclei by area", "1/mm²", 1, "nuclei by area of the images");

    ReportSection IAnalysis.Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        set = set with { Methods = segmentation.Comparable(set) };
        Compared[] images = ImagePass.Over(set.Pairs, "segmentation", progress, cancel, pair => Compare(pair, set.Methods));
        Score[] scores = [.. PixelScores, .. segmentation.HasInstances ? InstanceScores : [], .. HasClasses ? ClassScores : []];
        var classes = new ClassAgreement(segmentation.Classes, [.. set.Methods.Select(method => (method, Sum(images, method)))]);
        QuantityAgreement[] counts = segmentation.HasInstances ? [.. set.Methods.SelectMany(method => Counts(images, method))] : [];
        return new("segmentation", "Segmentation agreement",
            "Nuclei or tissue segmented in the real and in the stained images, and how far the two agree. This asks whether structures are "
            + "where they should be, not whether colours are right; 1 is perfect.")
        {
            Tables =
            [
                Means(scores, images, set),
                Intervals(scores, images, set),
                .. segmentation.HasInstances ? [Detections(images, set)] : Array.Empty<SectionTable>(),
                .. counts.Length > 0 ? [QuantityAgreement.Table("counts", "Nuclei counted", counts)] : Array.Empty<SectionTable>(),
                .. HasClasses ? classes.Tables : [],
                Values(scores, images, set.Methods),
            ],
            Charts = [.. HasClasses ? classes.Charts : [], .. counts.Length > 0 ? CountCharts(counts) : []],
            Definitions = [.. scores.Select(score => new Definition(score.Title, score.Definition)),
                .. segmentation.HasInstances ? [.. DetectionAgreement.Definitions, .. QuantityAgreement.Definitions]
                    : Array.Empty<Definition>()],
            Provenance = [.. segmentation.Provenance, PixelSizeDefinition.Create(micronsPerPixel)],
        };
    }

    private static Score[] PixelScores =>
    [
        new("dice", "Dice", "2 |A ∩ B| / (|A| + |B|) of the segmented pixels, the same as F1; not defined where neither image has any",
            c => c.Pixels.Dice),
        new("precision", "Precision", "share of the pixels segmented in the stained image that are segmented in the real one",
            c => c.Pixels.Precision),
        new("recall", "Recall", "share of the pixels segmented in the real image that are segmented in the stained one",
            c => c.Pixels.Recall),
    ];

    private static Score[] InstanceScores =>
    [
        new("pq", "Panoptic quality", "sum of IoU over matched nuclei / (matched + extra / 2 + missed / 2), matched where IoU > 0.5 "
            + "(Kirillov et al. 2019); segmentation quality x recognition quality", c => c.Objects.PanopticQuality),
        new("sq", "Segmentation quality", "mean IoU of matched nuclei", c => c.Objects.SegmentationQuality),
        new("rq", "Recognition quality", "F1 of nuclei: matched / (matched + extra / 2 + missed / 2)", c => c.Objects.RecognitionQuality),
        new("aji", "AJI", "aggregated Jaccard index (Kumar et al. 2017)", c => c.Objects.Aji),
    ];

    private static Score[] ClassScores =>
    [
        new("macro_f1", "Macro F1", "mean F1 of the classes of tissue that occur in either image, without the background",
            c => c.Classes!.MacroF1),
        new("weighted_f1", "Weighted F1", "mean F1 of the classes of tissue, weighted by their pixels in the real image",
            c => c.Classes!.WeightedF1),
    ];

    private bool HasClasses => segmentation.Classes.Count > 0;

    private PixelConfusion Sum(Compared[] images, ScoredMethod method)
    {
        var sum = new PixelConfusion(segmentation.Classes.Count + 1);
        foreach (Compared image in images)
            if (image.Made[method.Key].Classes is { } classes) sum.Add(classes);
        return sum;
    }

    private Compared Compare(ImagePair pair, IReadOnlyList<ScoredMethod> methods)
    {
        (LabelMap real, byte[]? realClasses) = Segment(pair.Real, null);
        double area = real.Width * (double)real.Height * micronsPerPixel * micronsPerPixel / 1e6;
        return new(pair.Name, pair.SlideId, area, real.Count, methods.ToDictionary(method => method.Key, method =>
        {
            (LabelMap made, byte[]? classes) = Segment(pair.PathOf(method.Key), method.Key);
            return new Comparison(PixelAgreement.Compute(made.Mask(), real.Mask()), made.Count,
                segmentation.HasInstances ? InstanceAgreement.Compute(made, real) : default, segmentation.HasInstances
                    ? DetectionAgreement.Compute(made, real, DetectionAgreement.Radius / micronsPerPixel) : default,
                Confusion(classes, realClasses));
        }));

        (LabelMap Map, byte[]? Classes) Segment(string path, string? method)
        {
            var image = new ScoredImage(pair.ReadRgb(path));
            byte[]? classes = HasClasses ? segmentation.Classify(pair, method, image) : null;
            return (classes is null || segmentation.HasInstances ? segmentation.Segment(pair, method, image)
                : LabelMap.OfMask(image.Width, image.Height, Array.ConvertAll(classes, each => each != 0)), classes);
        }

        PixelConfusion? Confusion(byte[]? made, byte[]? reference)
        {
            if (made is null || reference is null) return null;
            var confusion = new PixelConfusion(segmentation.Classes.Count + 1);
            confusion.Add(reference, made);
            return confusion;
        }
    }

    private static SectionTable Means(Score[] scores, Compared[] images, TestSet set)
    {
        bool instances = scores.Any(score => score.Key == "pq");
        SectionColumn dice = new("dice_pooled", "Dice, pooled", 3, true), quality = new("pq_pooled", "PQ, pooled", 3, true);
        SectionColumn[] pooled = instances ? [dice, quality] : [dice];
        return new("means", "Means over images; pooled: over all pixels or nuclei of the test set at once",
            [new("method", "Method"), .. scores.Select(score => new SectionColumn(score.Key, score.Title, 3, true)), .. pooled],
            [.. set.Methods.Select(method =>
            {
                Comparison all = images.Select(image => image.Made[method.Key]).Aggregate((a, b) =>
                    new(a.Pixels + b.Pixels, a.Count + b.Count, a.Objects + b.Objects, a.Detections + b.Detections, null));
                return (IReadOnlyList<object?>)[method.Title, .. scores.Select(score => Number(score.Mean(images, method))),
                    Number(all.Pixels.Dice), .. instances ? [Number(all.Objects.PanopticQuality)] : Array.Empty<object?>()];
            })]);
    }

    private static SectionTable Detections(Compared[] images, TestSet set) => DetectionAgreement.Table(set.Methods.Select(method => (method,
        Array.ConvertAll(images, image => image.Made[method.Key].Detections),
        images.Average(image => (double)Math.Abs(image.Made[method.Key].Count - image.Count)))));

    private static SectionTable Intervals(Score[] scores, Compared[] images, TestSet set)
    {
        var bootstrap = new Bootstrap([.. images.Select(image => image.SlideId)], seed: set.Seed);
        int[] all = [.. Enumerable.Range(0, images.Length)];
        return new("intervals", $"Means with intervals: {bootstrap.Description}",
            [
                new("method", "Method"), new("score", "Score"), new("n", "n", 0), new("mean", "Mean"), new("low", "95% low"),
                new("high", "95% high"),
            ],
            [.. from method in set.Methods
                from score in scores
                let values = images.Select(image => score.Value(image.Made[method.Key])).ToArray()
                let interval = bootstrap.OfMean(all, values)
                select (IReadOnlyList<object?>)[method.Title, score.Title, values.Count(value => !double.IsNaN(value)),
                    Number(score.Mean(images, method)), interval?.Low, interval?.High]]);
    }

    private SectionTable Values(Score[] scores, Compared[] images, IReadOnlyList<ScoredMethod> methods) =>
        new("images", "Values of each image",
        [
            new("name", "Image"), new("method", "Method"), .. scores.Select(score => new SectionColumn(score.Key, score.Title)),
            .. !segmentation.HasInstances ? Array.Empty<SectionColumn>()
                : [new("detection_f1", "Detection F1"), new("real", "Nuclei, real", 0), new("made", "Nuclei, stained", 0)],
        ],
        [
            .. from image in images
               from method in methods
               let made = image.Made[method.Key]
               select (IReadOnlyList<object?>)[image.Name, method.Title, .. scores.Select(score => Number(score.Value(made))),
                   .. segmentation.HasInstances ? [Number(made.Detections.F1), image.Count, made.Count] : Array.Empty<object?>()],
        ]);

    private static IEnumerable<QuantityAgreement> Counts(Compared[] images, ScoredMethod method)
    {
        yield return QuantityAgreement.Compute(Count, method, "image",
            images.Select(image => (image.Name, (double)image.Count, (double)image.Made[method.Key].Count)));
        yield return QuantityAgreement.Compute(Density, method, "image",
            images.Select(image => (image.Name, image.Count / image.Area, image.Made[method.Key].Count / image.Area)));
        if (images.Any(image => image.SlideId is null) || images.DistinctBy(image => image.SlideId).Count() < 2) yield break;
        yield return QuantityAgreement.Compute(Density, method, "slide", images.GroupBy(image => image.SlideId!).Select(slide => (slide.Key,
            slide.Sum(image => image.Count) / slide.Sum(image => image.Area),
            slide.Sum(image => image.Made[method.Key].Count) / slide.Sum(image => image.Area))));
    }

    private static IEnumerable<SectionChart> CountCharts(QuantityAgreement[] counts)
    {
        QuantityAgreement[] images = [.. counts.Where(each => each.Quantity == Density && each.Per == "image" && each.Real.Count > 0)];
        if (images.Length == 0) return [];
        IEnumerable<SectionChart?> plots = images.Where(each => each.Method.IsModel).Select(each => each.BlandAltmanChart());
        return [QuantityAgreement.Scatter(images), .. plots.OfType<SectionChart>()];
    }

    private static object? Number(double value) => double.IsNaN(value) ? null : value;

    private sealed record Score(string Key, string Title, string Definition, Func<Comparison, double> Value)
    {
        public double Mean(Compared[] images, ScoredMethod method)
        {
            double[] values = [.. images.Select(image => Value(image.Made[method.Key])).Where(value => !double.IsNaN(value))];
            return values.Length > 0 ? values.Average() : double.NaN;
        }
    }

    private sealed record Comparison(
        PixelAgreement Pixels, int Count, InstanceAgreement Objects, DetectionAgreement Detections, PixelConfusion? Classes);

    private sealed record Compared(string Name, string? SlideId, double Area, int Count, IReadOnlyDictionary<string, Comparison> Made);
}
