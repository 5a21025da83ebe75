using System.Globalization;
using Tinctor.Evaluation.Sections;
using Tinctor.Registration.Slides;
using Tinctor.Transforms;
using Tinctor.Transforms.Landmarks;

namespace Tinctor.Evaluation.Report;

/// <summary>Page about the registration of a slide: quality check, errors of landmarks, pictures and transform.</summary>
internal static class RegistrationReport
{
    private const int Side = 1000;

    /// <summary>Formats the page as self-contained HTML.</summary>
    /// <param name="transform">Transform of the registration.</param>
    /// <param name="pictures">Pictures of the registration.</param>
    /// <param name="landmarks">Errors of landmarks; null without landmarks.</param>
    /// <param name="links">Links of the page; null for none.</param>
    public static string Text(RegistrationTransform transform, RegistrationPictures pictures, LandmarkError? landmarks = null,
        IReadOnlyList<SectionLink>? links = null)
    {
        string meta = $"{(transform.Quality.Passed ? "passed" : "failed")} · {Size(transform.Target)} onto {Size(transform.Source)} · "
            + (transform.Displacement is null ? "affine" : "affine and displacement");
        ReportSection overview = Overview(transform, pictures) with { Links = links ?? [] };
        ReportSection[] sections = landmarks is null ? [overview, Transform(transform)]
            : [overview, Landmarks(landmarks), Transform(transform)];
        return HtmlReport.Text($"{Name(transform.Target)} registered to {Name(transform.Source)}", "registration", meta, sections);
    }

    private static ReportSection Overview(RegistrationTransform transform, RegistrationPictures pictures)
    {
        RegistrationQuality quality = transform.Quality;
        return new("quality", "Quality",
            "Tissue borders and glands should continue from square to square of the checkerboard, and green and magenta outlines should "
            + "coincide. Click a picture to enlarge it; arrow keys or swiping then switch between the source and the warped target.")
        {
            Warnings = [.. quality.Reasons.Select(reason => $"The quality check failed: {reason}")],
            Pictures =
            [
                new("Source", Name(transform.Source), pictures.Source) { LongestSide = Side },
                new("Warped target", $"{Name(transform.Target)} on the pixels of the source", pictures.Warped) { LongestSide = Side },
                new("Checkerboard", "Alternating squares of both", pictures.Checkerboard) { LongestSide = Side },
                new("Outlines", "Structure of both", pictures.Outlines)
                {
                    LongestSide = Side,
                    Legend = [Swatch.FromRgb("source", 0, 150, 0), Swatch.FromRgb("warped target", 220, 0, 200)],
                },
            ],
            Tables = [new("quality", "Quality check", [new("quantity", "Quantity"), new("value", "Value"), new("limit", "Passes if")],
                QualityRows(quality))],
            Definitions =
            [
                new("Similarity", $"{Name(quality.Metric)} of the source and of the warped target, without unit; larger is more similar"),
                new("Similarity of the affine part", "the same without the displacement, times the square root of the overlap"),
                new("Similarity of wrong alignments", "mean over 32 alignments that are rotated and shifted on purpose"),
                new("Distinctness", "difference of the two numbers above in standard deviations (sigma) of the wrong alignments"),
                new("Overlap", "share of the source's tissue that the target covers"),
                new("Scale", "size of the target relative to the size that is expected from the pixel sizes"),
                new("Stretch", "ratio of the longer to the shorter axis of the affine part"),
                new("Smallest determinant",
                    "smallest ratio of areas (Jacobian determinant) relative to the affine part; 0 or less is a fold"),
            ],
        };
    }

    private static IReadOnlyList<IReadOnlyList<object?>> QualityRows(RegistrationQuality quality)
    {
        const double maxScale = RegistrationQuality.MaxScale;
        return
        [
            ["Quality check", quality.Passed ? "passed" : "failed", null],
            ["Similarity", Decimals(quality.Similarity, 3), null],
            ["Similarity of the affine part", Decimals(quality.AffineSimilarity, 3), null],
            ["Similarity of wrong alignments", Decimals(quality.Chance, 3), null],
            ["Distinctness (sigma)", Decimals(quality.Distinctness, 1), $"at least {Decimals(RegistrationQuality.MinDistinctness, 0)}"],
            ["Overlap", Percent(quality.Overlap, 0), $"at least {Percent(RegistrationQuality.MinOverlap, 0)}"],
            ["Scale", Decimals(quality.Scale, 3), $"{Decimals(1 / maxScale, 2)} to {Decimals(maxScale, 2)}"],
            ["Stretch", Decimals(quality.Stretch, 3), $"at most {Decimals(RegistrationQuality.MaxStretch, 2)}"],
            ["Smallest determinant", Decimals(quality.SmallestDeterminant, 2), "above 0"],
            ["Folded area", Percent(quality.Folded, 2), Percent(0, 2)],
        ];
    }

    private static ReportSection Landmarks(LandmarkError error) => new("landmarks", "Landmarks",
        "Distances of corresponding landmarks after the registration. The landmarks are not used for the registration.")
    {
        Tables =
        [
            new("landmarks", "Registration error", [new("quantity", "Quantity"), new("value", "Value")],
            [
                ["Pairs of landmarks", error.Count],
                ["Landmarks without a partner", error.Unmatched],
                ["Median TRE (px)", Decimals(error.MedianTre, 1)],
                ["Median rTRE", Percent(error.MedianRtre, 2)],
                ["90th percentile of the rTRE", Percent(error.Percentile90Rtre, 2)],
                ["Largest rTRE", Percent(error.MaxRtre, 2)],
                ["Median rTRE before registration", Percent(error.InitialMedianRtre, 2)],
                ["Landmarks that came closer", Percent(error.Robustness, 0)],
            ]),
        ],
        Definitions =
        [
            new("TRE",
                "target registration error: distance of a target landmark from the mapped source landmark, in target pixels of level 0"),
            new("rTRE", "TRE as a share of the source's diagonal, scaled to the target"),
        ],
    };

    private static ReportSection Transform(RegistrationTransform transform)
    {
        AffineTransform t = transform.Affine;
        string[] rotation = t.Determinant < 0 ? [] : [Decimals(Math.Atan2(t.Yx - t.Xy, t.Xx + t.Yy) * 180 / Math.PI, 2)];
        return new("transform", "Transform",
            "Maps level-0 pixels of the source to level-0 pixels of the target; whole numbers are pixel centres.")
        {
            Tables =
            [
                new("affine", "Affine part", [new("row", "Target"), new("x", "x times"), new("y", "y times"),
                    new("constant", "Constant (px)")],
                [
                    ["x", Decimals(t.Xx, 5), Decimals(t.Xy, 5), Decimals(t.X0, 2)],
                    ["y", Decimals(t.Yx, 5), Decimals(t.Yy, 5), Decimals(t.Y0, 2)],
                ]),
                new("motion", "Motion", [new("quantity", "Quantity"), new("value", "Value")],
                [
                    .. rotation.Select(angle => (IReadOnlyList<object?>)["Rotation (degrees, clockwise)", angle]),
                    ["Mirrored", t.Determinant < 0 ? "yes" : "no"],
                    ["Target pixels per source pixel", Decimals(Math.Sqrt(Math.Abs(t.Determinant)), 4)],
                    ["Largest displacement (px)", transform.Displacement is { } field ? Decimals(field.Largest, 1) : "none"],
                ]),
            ],
            Provenance =
            [
                Frame("Source", transform.Source), Frame("Target", transform.Target),
                new("Program", string.Create(CultureInfo.InvariantCulture,
                    $"Tinctor {MetricsJson.Program}, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC")),
            ],
        };
    }

    private static Definition Frame(string role, ImageFrame frame) => new(role, $"{frame.Path}, {Size(frame)}, "
        + (frame.Mpp is double mpp ? $"{Decimals(mpp, 4)} um per pixel" : "pixel size unknown"));

    private static string Size(ImageFrame frame) => $"{frame.Width} x {frame.Height} pixels";

    private static string Name(ImageFrame frame) => Path.GetFileName(frame.Path);

    private static string Name(SimilarityMetric metric) => metric switch
    {
        SimilarityMetric.LocalNcc => "normalised cross-correlation (NCC) in small windows",
        SimilarityMetric.GlobalNcc => "normalised cross-correlation (NCC)",
        SimilarityMetric.GradientFields => "normalised gradient fields",
        _ => "mutual information in nats",
    };

    private static string Decimals(double value, int digits) => double.IsFinite(value)
        ? value.ToString($"F{digits}", CultureInfo.InvariantCulture) : "–";

    private static string Percent(double share, int digits) => double.IsFinite(share) ? $"{Decimals(100 * share, digits)} %" : "–";
}
