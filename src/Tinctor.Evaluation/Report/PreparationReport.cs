using System.Globalization;
using Tinctor.Evaluation.Sections;
using Tinctor.Registration.Pairs;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Report;

/// <summary>Page about a data set of pairs of slides: kept and rejected tiles, residual misalignment and pictures.</summary>
internal static class PreparationReport
{
    private const int Bins = 32;
    private static readonly TileStatus[] Statuses = Enum.GetValues<TileStatus>();

    /// <summary>Formats the page as self-contained HTML.</summary>
    /// <param name="title">Heading.</param>
    /// <param name="pairs">Pairs.</param>
    /// <param name="options">Limits of the tiles.</param>
    /// <param name="pictureOf">
    /// Gets the path of a picture from the name of a pair and the end of the file name ("_tiles.jpg"); missing pictures are left out.
    /// </param>
    public static string Text(string title, IReadOnlyList<PreparedPair> pairs, TilingOptions options,
        Func<string, string, string> pictureOf)
    {
        int kept = pairs.Sum(pair => pair.Count(TileStatus.Kept));
        string meta = string.Create(CultureInfo.InvariantCulture,
            $"{pairs.Count(pair => pair.Failure is null)} of {pairs.Count} pairs of slides  ·  "
            + $"{kept} pairs of tiles, {options.TileSize} pixels")
            + (options.Mpp is double mpp ? string.Create(CultureInfo.InvariantCulture, $" of {mpp} um") : "");
        return HtmlReport.Text(title, "data set", meta,
            [Overview(pairs, options), Alignment(pairs, options), .. pairs.Select((pair, i) => Pictures(pair, $"pair_{i}", pictureOf))]);
    }

    private static ReportSection Overview(IReadOnlyList<PreparedPair> pairs, TilingOptions options) => new("pairs", "Pairs of slides",
        "Tiles with any tissue in the source are kept, or rejected for the first of these reasons.")
    {
        Tables =
        [
            new("pairs", "Tiles of each pair of slides",
            [
                new("pair", "Pair"), new("slide", "Slide or patient"), new("split", "Split"), new("state", "State"),
                new("similarity", "Similarity of the slides"),
                    .. Statuses.Select(status => new SectionColumn($"{status}".ToLowerInvariant(), Name(status), 0)),
                new("ncc", "Correlation, median"), new("residual", "Residual shift, median (px)", 1),
            ], [.. pairs.Select(Row)]),
            new("splits", "Tiles of each split",
            [
                new("split", "Split"), new("pairs", "Pairs of slides", 0), new("slides", "Slides or patients", 0),
                    new("tiles", "Tiles kept", 0),
            ], [.. pairs.Where(pair => pair.Failure is null).GroupBy(pair => pair.Split).Select(SplitRow)]),
        ],
        Definitions =
        [
            new(Name(TileStatus.Background), string.Create(CultureInfo.InvariantCulture,
                $"less than {options.MinTissue:0.##} of the tile is tissue, in the source or in the target")),
            new(Name(TileStatus.Outside), "a corner of the tile lies outside of the target slide"),
            new(Name(TileStatus.LowCorrelation), string.Create(CultureInfo.InvariantCulture,
                $"normalised cross-correlation of the structure below {options.MinNcc:0.##}")),
            new(Name(TileStatus.Misaligned),
                string.Create(CultureInfo.InvariantCulture, $"by phase correlation whose peak is above chance, "
                + $"the target is still shifted by more than {options.MaxResidual:0.##} pixels")),
        ],
        Warnings = [.. pairs.Where(pair => pair.Failure is not null).Select(pair => $"{pair.Name} is left out: {pair.Failure}")],
    };

    private static ReportSection Alignment(IReadOnlyList<PreparedPair> pairs, TilingOptions options)
    {
        PreparedTile[] measured = [.. pairs.SelectMany(pair => pair.Tiles).Where(tile => tile.Ncc is not null)];
        PreparedTile[] certain = [.. measured.Where(tile => tile.Residual is not null)];
        var section = new ReportSection("alignment", "Residual misalignment",
            "Misalignment of single tiles after the registration. Serial sections show different cells, so their correlation is low even "
            + "where the registration is correct.");
        if (measured.Length == 0) return section with { NotComputed = "no tile has enough tissue" };
        return section with
        {
            Charts =
            [
                Histogram("residual", "Residual shift",
                    "Residual shift of single tiles by phase correlation, where its peak is above chance "
                    + $"({certain.Length} of {measured.Length}); tiles beyond the line are rejected.", "residual shift (px)", certain,
                        tile => tile.Residual!.Value, 0,
                    certain.Select(tile => tile.Residual!.Value).Append(options.MaxResidual * 1.25).Max(), options.MaxResidual),
                Histogram("ncc", "Correlation", "Normalised cross-correlation of single tiles; tiles below the line are rejected.",
                    "correlation", measured, tile => tile.Ncc!.Value, Math.Min(options.MinNcc, measured.Min(tile => tile.Ncc!.Value)), 1,
                    options.MinNcc),
            ],
        };
    }

    private static HistogramChart Histogram(string key, string title, string caption, string axis, PreparedTile[] tiles,
        Func<PreparedTile, double> value, double from, double to, double threshold)
    {
        double[] edges = [.. Enumerable.Range(0, Bins + 1).Select(i => from + ((to - from) * i / Bins))];
        ChartSeries Of(string name, bool kept)
        {
            var counts = new double[Bins];
            foreach (PreparedTile tile in tiles.Where(tile => tile.Status == TileStatus.Kept == kept))
                counts[Math.Clamp((int)((value(tile) - from) / (to - from) * Bins), 0, Bins - 1)]++;
            return new(name, [], Array.ConvertAll(counts, count => count / Math.Max(1, tiles.Length)));
        }
        return new(key, title, caption, axis, edges, [Of("kept", true), Of("rejected", false)]) { Lines = [new("threshold", threshold)] };
    }

    private static ReportSection Pictures(PreparedPair pair, string key, Func<string, string, string> pictureOf)
    {
        SectionPicture[] Picture(string what, string title, string caption) => pictureOf(pair.Name, what) is var path && File.Exists(path)
            ? [new(title, caption, Image.Read(path)) { IsWide = true }] : [];
        return new(key, pair.Name, pair.Failure is null ? "" : $"Left out: {pair.Failure}.")
        {
            Pictures =
            [
                .. Picture("_tiles.jpg", "Tiles", "Tiles of the source by their status.").Select(picture => picture with
                {
                    Legend = [.. Enum.GetValues<TileStatus>().Select(status => (Name: Name(status),
                        Colour: SlidePairPictures.Colour(status)))
                        .Select(key => Swatch.FromRgb(key.Name, key.Colour.R, key.Colour.G, key.Colour.B))],
                }),
                .. Picture("_examples.jpg", "Examples",
                    "Sources above, targets below: kept tiles in ascending order of correlation, framed green; then rejected tiles."),
                .. Picture("_checkerboard.jpg", "Checkerboard",
                    "Alternating squares of the source and of the warped target; structures should continue from square to square."),
                .. Picture("_outlines.jpg", "Outlines", "Structure of the source (green) and of the warped target (magenta)."),
            ],
        };
    }

    private static IReadOnlyList<object?> SplitRow(IGrouping<string, PreparedPair> split) =>
        [split.Key, split.Count(), split.Select(pair => pair.SlideId).Distinct().Count(), split.Sum(pair => pair.Count(TileStatus.Kept))];

    private static IReadOnlyList<object?> Row(PreparedPair pair)
    {
        PreparedTile[] measured = [.. pair.Tiles.Where(tile => tile.Ncc is not null)];
        double? Median(Func<PreparedTile, double?> value) =>
            measured.Select(value).OfType<double>().Order().ToArray() is { Length: > 0 } sorted
            ? SampleStatistics.Quantile(sorted, 0.5) : null;
        return
        [
            pair.Name, pair.SlideId, pair.Split, pair.Failure is null ? "used" : "left out",
            double.IsFinite(pair.Similarity) ? pair.Similarity : null,
            .. Statuses.Select(status => (object?)pair.Count(status)), Median(tile => tile.Ncc), Median(tile => tile.Residual),
        ];
    }

    private static string Name(TileStatus status) => status switch
    {
        TileStatus.Kept => "Kept",
        TileStatus.Background => "Background",
        TileStatus.Outside => "Outside of the target",
        TileStatus.LowCorrelation => "Low correlation",
        _ => "Misaligned",
    };
}
