using System.Globalization;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Evaluation.Report;

/// <summary>Page about one stained slide: source and result, quality, and a map of unreliable regions.</summary>
internal static class StainedSlideReport
{
    private const int Side = 1000;

    /// <summary>Formats the page as self-contained HTML.</summary>
    /// <param name="source">The source slide.</param>
    /// <param name="stained">The stained slide.</param>
    /// <param name="uncertainty">Uncertainty slide; null if there is none.</param>
    /// <param name="run">Result of staining.</param>
    /// <param name="model">Name of the model for people.</param>
    /// <param name="viewer">Address of the viewer that the page links to; null for no link.</param>
    public static string Text(Slide source, Slide stained, Slide? uncertainty, StainedSlide run, string model, string? viewer = null)
    {
        string meta = string.Create(CultureInfo.InvariantCulture,
            $"{stained.Width} x {stained.Height} pixels · {run.Tiles} tiles · {run.Scale.Note}");
        ReportSection overview = Overview(source, stained, run, model) with
        {
            Links = ViewerLink.Create(viewer, source.Path, stained.Path),
        };
        ReportSection[] sections = uncertainty is null ? [overview] : [overview, Reliability(stained, uncertainty, run)];
        return HtmlReport.Text(Path.GetFileName(stained.Path), "stained slide", meta, sections);
    }

    private static ReportSection Overview(Slide source, Slide stained, StainedSlide run, string model)
    {
        string Decimals(double value, int digits) => value.ToString($"F{digits}", CultureInfo.InvariantCulture);
        List<IReadOnlyList<object?>> rows =
            [["Seam score", Decimals(run.SeamScore, 3)], ["Halo (px)", run.Halo.ToString(CultureInfo.InvariantCulture)]];
        if (run is { IsUnlikeTraining: false, NoveltyShare: { } share })
            rows.Add(["Source", $"fits the training images ({Percent(share)} unfamiliar)"]);
        if (run.IhcLevel is { } level) rows.Add(["IHC level (probability)", $"{level.Level} ({Decimals(level.Probability, 2)})"]);
        if (run.Comparison?.Haematoxylin is double correlation) rows.Add(["Correlation of haematoxylin", Decimals(correlation, 3)]);
        if (run.Comparison?.BackgroundDrift is double drift) rows.Add(["Background drift (ΔE)", Decimals(drift, 2)]);
        return new("slide", "The slide",
            "Nuclei should stay in place, background should stay background, and tile borders should be invisible. Click a picture to "
            + "enlarge it; arrow keys or swiping then switch between source and result.")
        {
            Warnings = run is { IsUnlikeTraining: true, NoveltyShare: { } unlike }
                ? [$"{Percent(unlike)} of the source is unlike the model's training images: do not trust the result"] : [],
            Pictures =
            [
                new("Source", Path.GetFileName(source.Path), source.Thumbnail(Side).ToDisplay()) { LongestSide = Side },
                new("Stained", $"by {model}", stained.Thumbnail(Side)) { LongestSide = Side },
            ],
            Tables = [new("numbers", "Quality of the stained slide", [new("quantity", "Quantity"), new("value", "Value")], rows)],
            Definitions =
            [
                new("Seam score", "mean difference of adjacent pixels across tile borders, divided by that across other lines of the same "
                    + "phase; 1 means invisible borders"),
                new("Halo", "width of the context border of a tile that is discarded after inference"),
                new("Correlation of haematoxylin",
                    "Pearson's correlation of the haematoxylin concentrations in source and stained slide (Ruifrok's vectors), "
                    + "over windows spread over the tissue"),
                new("Background drift", "CIE76 distance between the mean background colours before and after staining"),
            ],
        };
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0} %");

    private static ReportSection Reliability(Slide stained, Slide uncertainty, StainedSlide run)
    {
        var variation = ReliabilityMap.Create(stained, uncertainty, 0, ReliabilityMap.Variation, run.Tissue);
        ReliabilityMap? novelty = uncertainty.Channels > 1
            ? ReliabilityMap.Create(stained, uncertainty, 1, ReliabilityMap.Novelty, run.Tissue) : null;
        List<SectionPicture> pictures = [Picture("Variation", "Coloured where repeated results for the same place differ.", variation)];
        if (novelty is not null)
            pictures.Add(Picture("Novelty", "Coloured where the source differs from the training images of the model.", novelty));
        return new("reliability", "Unreliable regions",
            "Do not interpret coloured regions. Regions without colour can be wrong as well: a model can be consistent and still mistaken.")
        {
            Pictures = pictures,
            Tables =
            [
                Legend("variation", "Variation", variation),
                .. novelty is null ? [] : new[] { Legend("novelty", "Novelty", novelty) },
            ],
            Definitions =
            [
                new("Variation", "coefficient of variation of the colour over repeated samples (diffusion bridges) or over the eight "
                    + "rotations and reflections"),
                new("Novelty", "Mahalanobis distance of colour, contrast and texture in windows of 64 pixels, relative to the 99th "
                    + "percentile of training windows"),
            ],
        };
    }

    private static SectionPicture Picture(string title, string caption, ReliabilityMap map) =>
        new(title, caption, map.Picture) { LongestSide = Side };

    private static SectionTable Legend(string key, string title, ReliabilityMap map) =>
        new(key, $"{title}: legend and share of the stained area",
        [new("degree", "Degree"), new("share", "Share (%)", 1)],
        [.. map.Shares.Index().Select(row => (IReadOnlyList<object?>)
        [
            // The first band is not coloured in the map.
            row.Index == 0 ? new Swatch(row.Item.Band.Name, null)
                : Swatch.FromRgb(row.Item.Band.Name, row.Item.Band.Red, row.Item.Band.Green, row.Item.Band.Blue),
            100 * row.Item.Share,
        ])]);
}
