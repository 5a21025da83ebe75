using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Registration.Fields;
using Tinctor.Registration.Metrics;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Evaluation.Analyses.Alignment;

/// <summary>
/// Residual displacement of the stained images and the sources from the real ones, and PSNR and SSIM corrected for it: after local
/// re-registration, and at the best shift. Adjacent tissue sections never match to the pixel, which pixel metrics penalise.
/// </summary>
public sealed class AlignmentAnalysis : IAnalysis
{
    /// <summary>Displacements beyond this many pixels make pixel metrics misleading.</summary>
    public const double Threshold = 2;

    private const double NotWorthResampling = 0.05; // pixels
    private const double ShareThatWarns = 0.1;
    private const int Listed = 10;

    private static readonly ReportSection Empty = new("alignment", "Alignment",
        "Displacement between stained and real images, and scores corrected for it. Pixel metrics of displaced pairs depend on the "
        + "displacement as well as the stain.");

    ReportSection IAnalysis.Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        if (!TorchLibrary.TryLoad())
            return Empty with { NotComputed = "the displacement is measured with libtorch, which is not installed" };
        var found = Measure(set, progress, cancel);
        var rows = set.Methods.Select(method => (Method: method, Images: found.Select(image => image[method.Key]).ToArray())).ToArray();
        var largest = set.Methods.SelectMany(m => found.Select((image, i) => (m, set.Pairs[i].Name, image[m.Key].Displacement)))
            .Where(x => x.Displacement is not null).OrderByDescending(x => x.Displacement).Take(Listed);
        return Empty with
        {
            Tables =
            [
                new("alignment", "Residual displacement and scores: uncorrected, re-registered, and at the best shift", Columns,
                    [.. rows.Select(row => Row(row.Method, row.Images))]),
                new("most_displaced", "The most displaced images",
                    [new("image", "Image"), new("method", "Method"), new("displacement", "Displacement (px)", 2)],
                    [.. largest.Select(x => new object?[] { x.Name, Title(x.m), x.Displacement })]),
            ],
            Charts = Charts(set, rows),
            Definitions = Definitions,
            Warnings = [.. rows.SelectMany(row => Warnings(row.Method, row.Images))],
            Provenance = Provenance(set),
        };
    }

    private static Dictionary<string, ImageAlignment>[] Measure(
        TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel) =>
        ImagePass.Over(set.Pairs, "alignment", progress, cancel, pair =>
        {
            var real = pair.ReadRgb(pair.Real);
            return set.Methods.ToDictionary(method => method.Key,
                method => Measure(pair.ReadRgb(pair.PathOf(method.Key)), real, ChannelOf(method)));
        });

    // Source and real images share the nuclei only; a stained image should share everything.
    private static StructureChannel ChannelOf(ScoredMethod method) => method.IsModel ? StructureChannel.Grey
        : StructureChannel.Haematoxylin;

    private static ImageAlignment Measure(Image image, Image real, StructureChannel channel)
    {
        PixelView Pixels(Image of) => new(of.Data, of.Width, of.Height, 3);
        double psnr = PixelErrors.Psnr(Pixels(image), Pixels(real)), ssim = Ssim.Compute(Pixels(image), Pixels(real));
        var tolerant = ShiftTolerance.Compute(image, real);
        var shifts = Math.Min(real.Width, real.Height) < LocalRegistration.SmallestSide ? null
            : LocalRegistration.Measure(real, image, channel);
        if (shifts?.Field is not { } field)
            return new(null, psnr, ssim, null, null, tolerant.Psnr, tolerant.Ssim);
        var (registered, target) = Registered(image, real, field);
        return new(Median(shifts.Distances), psnr, ssim, PixelErrors.Psnr(Pixels(registered), Pixels(target)),
            Ssim.Compute(Pixels(registered), Pixels(target)), tolerant.Psnr, tolerant.Ssim);
    }

    // Both images without the border, which may come from outside of the image.
    private static (Image Image, Image Real) Registered(Image image, Image real, DisplacementField field)
    {
        if (field.Largest < NotWorthResampling) return (image, real);
        int border = (int)Math.Ceiling(field.Largest);
        Image Inside(Image of) => of.Crop(border, border, of.Width - (2 * border), of.Height - (2 * border));
        return (Inside(field.Apply(image)), Inside(real));
    }

    private static double Median(IEnumerable<double> values) => Quantile([.. values], 0.5);

    private static double Quantile(double[] values, double q)
    {
        Array.Sort(values);
        return SampleStatistics.Quantile(values, q);
    }

    private static string Title(ScoredMethod method) => method.Title;

    private static readonly SectionColumn[] Columns =
    [
        new("method", "Against the real images"), new("n", "Images measured", 0), new("median", "Displacement, median (px)", 2, false),
        new("p95", "95th percentile (px)", 2, false), new("share", $"Beyond {Threshold} px (share)", 2, false),
        new("psnr", "PSNR (dB)", 2, true), new("psnr_registered", "PSNR re-registered (dB)", 2, true),
        new("psnr_shift", "PSNR at the best shift (dB)", 2, true), new("ssim", "SSIM", 4, true),
        new("ssim_registered", "SSIM re-registered", 4, true), new("ssim_shift", "SSIM at the best shift", 4, true),
    ];

    private static object?[] Row(ScoredMethod method, ImageAlignment[] images)
    {
        double[] distances = Distances(images);
        bool any = distances.Length > 0;
        object? Mean(Func<ImageAlignment, double?> score) => images.Average(score) is double mean && !double.IsNaN(mean) ? mean : null;
        return
        [
            Title(method), distances.Length, any ? Quantile(distances, 0.5) : null, any ? Quantile(distances, 0.95) : null,
            any ? distances.Count(d => d > Threshold) / (double)distances.Length : null,
            Mean(i => i.Psnr), Mean(i => i.PsnrRegistered), Mean(i => i.PsnrShifted),
            Mean(i => i.Ssim), Mean(i => i.SsimRegistered), Mean(i => i.SsimShifted),
        ];
    }

    private static double[] Distances(ImageAlignment[] images) => [.. images.Select(i => i.Displacement).OfType<double>()];

    private static SectionChart[] Charts(TestSet set, (ScoredMethod Method, ImageAlignment[] Images)[] rows)
    {
        var measured = rows.Where(row => Distances(row.Images).Length > 0).ToArray();
        if (measured.Length == 0) return [];
        double top = Math.Max(4, Math.Ceiling(measured.Max(row => Distances(row.Images).Max())));
        const int bins = 40;
        double[] edges = [.. Enumerable.Range(0, bins + 1).Select(i => i * top / bins)];
        double[] Shares(double[] values)
        {
            var shares = new double[bins];
            foreach (double value in values)
                shares[Math.Min(bins - 1, (int)(value / top * bins))] += 1.0 / values.Length;
            return shares;
        }
        return
        [
            new HistogramChart("displacement", "Residual displacement",
                $"Median displacement of the windows of each image. Pixel metrics are misleading beyond {Threshold} px.",
                "Displacement (px)", edges,
                [.. measured.Select(row => new ChartSeries(Title(row.Method), [], Shares(Distances(row.Images))))])
            {
                Lines = [new("misleading beyond", Threshold)],
            },
            new ScatterChart("psnr_by_displacement", "PSNR by displacement",
                "Each point is one image. If PSNR decreases with the displacement, it depends on the alignment.",
                "Displacement (px)", "PSNR (dB)",
                [.. measured.Select(row => Points(set, row.Method, row.Images))]),
        ];
    }

    private static ChartSeries Points(TestSet set, ScoredMethod method, ImageAlignment[] images)
    {
        int[] drawn = [.. Enumerable.Range(0, images.Length)
            .Where(i => images[i].Displacement is not null && double.IsFinite(images[i].Psnr))];
        return new(Title(method), [.. drawn.Select(i => images[i].Displacement!.Value)], [.. drawn.Select(i => images[i].Psnr)],
            [.. drawn.Select(i => set.Pairs[i].Name)]);
    }

    private static IEnumerable<string> Warnings(ScoredMethod method, ImageAlignment[] images)
    {
        double[] distances = Distances(images);
        int beyond = distances.Count(d => d > Threshold);
        string what = method.IsModel ? $"{Title(method)}: the images" : "The source images";
        if (distances.Length == 0)
            yield return $"{what} could not be aligned with the real ones: they are too small, lack structure, or show different "
                + "structures.";
        else if (beyond >= ShareThatWarns * distances.Length)
            yield return $"{what} are displaced relative to the real ones by {Quantile(distances, 0.5):F1} px (median of "
                + $"{distances.Length}; {beyond} by more than {Threshold} px). Pixel metrics (PSNR, SSIM, MAE, RMSE) are misleading: use "
                + "re-registered and shift-tolerant scores, and metrics of distributions and quantities.";
    }

    private static readonly Definition[] Definitions =
    [
        new("Displacement", "phase correlation (Kuglin and Hines 1975) of windows on a grid of up to 6 by 6, with half of the shorter "
            + "side of the image and at most 128 px, with subpixel accuracy and up to a quarter of the window. Windows are compared by "
            + "the mean optical density of RGB; those of source and real images, which have different stains, by haematoxylin. A window "
            + "counts if both images have structure and the peak of the correlation is above five standard deviations of chance. The "
            + "displacement of an image is the median over its windows."),
        new("Re-registered", "the stained image is warped (bicubic) by a smooth field through the shifts of the windows, each the median "
            + "of its neighbourhood; the score is that of the common part of both images. Displacements below 0.05 px are not corrected."),
        new("At the best shift", $"score at the integer shift with the least squared error, up to {ShiftTolerance.Reach} px along each "
            + "axis, without a border of that width. The shift is searched on about 64 rows."),
        new("PSNR, SSIM", "as in the summary, with the 7x7 uniform window; means over images."),
    ];

    private static Definition[] Provenance(TestSet set) =>
    [
        new("Images", $"{set.Pairs.Count} pairs"),
        new("Threshold", $"{Threshold} px; a warning where at least {ShareThatWarns * 100:F0}% of the images are beyond"),
    ];

    private sealed record ImageAlignment(double? Displacement, double Psnr, double Ssim, double? PsnrRegistered, double? SsimRegistered,
        double PsnrShifted, double SsimShifted);
}
