using System.Globalization;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Evaluation.Report;

/// <summary>A page about one stained slide: source and stained slide side by side, numbers, and where not to trust it.</summary>
public static class StainedSlideReport
{
    private const int Side = 1000;

    /// <summary>The page, self-contained HTML.</summary>
    /// <param name="source">The source.</param>
    /// <param name="stained">The stained slide.</param>
    /// <param name="uncertainty">Its map of uncertainty, if there is one.</param>
    /// <param name="run">How it went.</param>
    /// <param name="model">The model, in words.</param>
    public static string Text(Slide source, Slide stained, Slide? uncertainty, StainedSlide run, string model)
    {
        string meta = string.Create(CultureInfo.InvariantCulture, $"{stained.Width} x {stained.Height} pixels · {run.Tiles} tiles · {run.Scale.Note}");
        ReportSection[] sections = [Overview(source, stained, run, model), .. uncertainty is null ? [] : new[] { Reliability(stained, uncertainty, run) }];
        return HtmlReport.Text(Path.GetFileName(stained.Path), "stained slide", meta, sections);
    }

    private static ReportSection Overview(Slide source, Slide stained, StainedSlide run, string model)
    {
        List<IReadOnlyList<object?>> rows = [["Seam score", run.SeamScore], ["Pixels of a tile's edge left out (halo)", run.Halo]];
        if (run.IhcLevel is { } level) rows.Add(["Level", $"{level.Level} ({level.Probability:0.00})"]);
        if (run.Comparison?.Haematoxylin is double kept) rows.Add(["Correlation of haematoxylin", kept]);
        if (run.Comparison?.BackgroundDrift is double drift) rows.Add(["Drift of the glass (ΔE)", drift]);
        return new("slide", "The slide", "Nuclei should be where they are in the source, glass should stay glass, and tiles should not show.")
        {
            Pictures =
            [
                new("Source", Path.GetFileName(source.Path), source.Thumbnail(Side).ToDisplay()),
                new("Stained", $"by {model}", stained.Thumbnail(Side)),
            ],
            Tables = [new("numbers", "Numbers", [new("quantity", "Quantity"), new("value", "Value")], rows)],
            Definitions =
            [
                new("Seam score", "mean difference of neighbouring pixels across the borders of tiles over that across other lines of the same phase; 1 shows nothing"),
                new("Correlation of haematoxylin", "Pearson's r between the amounts in source and stained slide (Ruifrok's vectors), over windows spread over the tissue"),
                new("Drift of the glass", "CIE76 distance between the mean colours of glass beside the tissue, before and after"),
            ],
        };
    }

    private static ReportSection Reliability(Slide stained, Slide uncertainty, StainedSlide run)
    {
        var variation = ReliabilityMap.Create(stained, uncertainty, 0, ReliabilityMap.Variation, run.Tissue);
        ReliabilityMap? novelty = uncertainty.Channels > 1 ? ReliabilityMap.Create(stained, uncertainty, 1, ReliabilityMap.Novelty, run.Tissue) : null;
        List<SectionPicture> pictures = [new("Variation", "painted where several results for the same place differ", variation.Picture)];
        if (novelty is not null) pictures.Add(new("Novelty", "painted where the source is unlike the model's training images", novelty.Picture));
        return new("reliability", "Where not to trust it",
            "What is painted should not be read. What is not painted may still be wrong: a model can be steady, and mistaken.")
        {
            Pictures = pictures,
            Tables =
            [
                Legend("variation", "Variation", variation),
                .. novelty is null ? [] : new[] { Legend("novelty", "Novelty", novelty) },
            ],
            Definitions =
            [
                new("Variation", "coefficient of variation of the colour over repeats (diffusion bridges) or over the eight positions that turning and mirroring give"),
                new("Novelty", "Mahalanobis distance of colour, contrast and texture in windows of 64 pixels, in units of the distance that 99 of 100 training windows stay below"),
            ],
        };
    }

    private static SectionTable Legend(string key, string title, ReliabilityMap map) => new(key, $"{title}: legend, and share of the stained area",
        [new("degree", "Degree"), new("share", "Share (%)", 1)],
        [.. map.Shares.Select(row => (IReadOnlyList<object?>)[row.Band.Name, 100 * row.Share])]);
}
