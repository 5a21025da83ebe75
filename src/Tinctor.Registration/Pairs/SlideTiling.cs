using Tinctor.Registration.Metrics;
using Tinctor.Slides;

namespace Tinctor.Registration.Pairs;

/// <summary>Tiling of two registered slides on the grid of the source; on all cores, with a few tiles in memory.</summary>
internal static class SlideTiling
{
    private const int Probes = 8; // positions along a side at which the target's tissue is sampled
    private const double SmallestReduction = 0.9;

    private const double FactorTolerance = 0.05; // relative deviation of the ratio of pixel sizes from a whole number

    /// <summary>Writes the kept tiles as FOLDER/source/NAME/NAME_X_Y.png and FOLDER/target/NAME/NAME_X_Y.png.</summary>
    /// <param name="pair">Registered slides.</param>
    /// <param name="folder">Data set.</param>
    /// <param name="name">Name of the pair in file names.</param>
    /// <param name="options">Options of the tiles.</param>
    /// <param name="progress">Receives the completed share, 0 to 1.</param>
    /// <param name="cancel">Cancels between tiles.</param>
    /// <returns>All tiles with any tissue in the source, row by row.</returns>
    /// <exception cref="TinctorException">A slide is damaged or smaller than a tile, or its resolution is unknown.</exception>
    public static IReadOnlyList<PreparedTile> Write(RegisteredSlides pair, string folder, string name, TilingOptions options,
        IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        int size = SourceSide(pair.Source, options.TileSize!.Value, pair.Factor);
        double downsample = Downsample(pair.Source, options, pair.Factor);
        (int width, int height) = pair.Source.SizeAt(downsample);
        if (Math.Min(width, height) < size)
        {
            throw new TinctorException(pair.Source.Path,
                $"the slide has {width}x{height} pixels at this resolution, but a tile has {size}x{size}",
                "Use smaller tiles or a finer resolution")
            { Option = nameof(TilingOptions.TileSize) };
        }
        double side = size * downsample;
        PixelArea[] areas = [.. TileGrid.Fit(width, height, size, Math.Max(1, (options.Stride ?? options.TileSize!.Value) / pair.Factor))
            .Where(area => pair.SourceTissue.Share(area.X * downsample, area.Y * downsample, side, side) > 0)];
        var tiles = new PreparedTile[areas.Length];
        int done = 0;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
        Parallel.For(0, areas.Length, parallel, i =>
        {
            tiles[i] = Cut(pair, areas[i], downsample, folder, name, options);
            progress?.Report(Interlocked.Increment(ref done) / (double)areas.Length);
        });
        return tiles;
    }

    /// <summary>Gets the name of a tile's files without extension.</summary>
    public static string NameOf(string pair, int x, int y) => $"{pair}_{x:00000}_{y:00000}";

    /// <summary>Gets the pixels of the source's level 0 per pixel of a source tile.</summary>
    /// <param name="source">Source slide.</param>
    /// <param name="options">Options of the tiles.</param>
    /// <param name="factor">Target pixels per source pixel.</param>
    /// <exception cref="TinctorException">The source's resolution is unknown, or coarser than that of the tiles.</exception>
    public static double Downsample(Slide source, TilingOptions options, int factor)
    {
        if (options.Mpp is not double targetMpp) return 1;
        double own = source.Mpp ?? throw new TinctorException(source.Path, "the micrometres per pixel are unknown",
            "Give them, or cut tiles at the resolution of the slide")
        { Option = nameof(PreparationOptions.SourceMpp) };
        double mpp = targetMpp * factor;
        return mpp >= SmallestReduction * own ? Math.Max(1, mpp / own)
            : throw new TinctorException(source.Path,
                $"the slide has {own:0.###} um per pixel, so tiles of {mpp:0.###} um would be enlarged",
                $"Use {own / factor:0.###} um per pixel or more")
            { Option = nameof(TilingOptions.Mpp) };
    }

    /// <summary>Gets the target pixels per source pixel: that of the options, or the ratio of the slides' pixel sizes.</summary>
    /// <param name="source">Source slide.</param>
    /// <param name="target">Target slide.</param>
    /// <param name="options">Options of the tiles.</param>
    /// <exception cref="TinctorException">
    /// A pixel size is unknown, their ratio is not near a whole number, or the target's pixels are coarser than those of its tiles.
    /// </exception>
    public static int Factor(Slide source, Slide target, TilingOptions options)
    {
        if (options.Factor == 1) return 1;
        if (options.Factor is int given && (source.Mpp is null || target.Mpp is null)) return given;
        double ratio = Mpp(source, nameof(PreparationOptions.SourceMpp)) / Mpp(target, nameof(PreparationOptions.TargetMpp));
        int factor = options.Factor ?? Math.Clamp((int)Math.Round(ratio), 1, TilingOptions.MaxFactor);
        string sizes = FormattableString.Invariant($"the slide has {source.Mpp:0.###} um per pixel and its target {target.Mpp:0.###} um");
        if (options.Factor is null && Math.Abs((ratio / factor) - 1) > FactorTolerance)
        {
            throw new TinctorException(source.Path,
                FormattableString.Invariant($"{sizes}: the ratio {ratio:0.00} is not near a whole number"),
                $"Give a factor up to {Largest(ratio)}; targets are resampled to it")
            { Option = nameof(TilingOptions.Factor) };
        }
        return factor * SmallestReduction <= ratio * Downsample(source, options, factor) ? factor
            : throw new TinctorException(source.Path,
                FormattableString.Invariant($"{sizes}, so the factor {factor} would enlarge the target"),
                $"Use a factor up to {Largest(ratio)}")
            { Option = nameof(TilingOptions.Factor) };

        static int Largest(double ratio) => Math.Clamp((int)(ratio / SmallestReduction), 1, TilingOptions.MaxFactor);
    }

    /// <summary>Gets the side of a source tile in pixels.</summary>
    /// <exception cref="TinctorException">The tile size is not a multiple of the factor.</exception>
    public static int SourceSide(Slide source, int tileSize, int factor) => tileSize % factor == 0 ? tileSize / factor
        : throw new TinctorException(source.Path, $"the tile size is {tileSize} pixels, but must be a multiple of the factor {factor}",
            $"Use tiles of {Math.Max(1, tileSize / factor) * factor} pixels")
        { Option = nameof(TilingOptions.TileSize) };

    private static double Mpp(Slide slide, string option) => slide.Mpp ?? throw new TinctorException(slide.Path,
        "the micrometres per pixel are unknown", "Give them, or the factor between the slides")
    { Option = option };

    private static PreparedTile Cut(RegisteredSlides pair, PixelArea area, double downsample, string folder, string name,
        TilingOptions options)
    {
        double x = area.X * downsample, y = area.Y * downsample, side = area.Width * downsample;
        double sourceTissue = pair.SourceTissue.Share(x, y, side, side);
        (double targetTissue, bool outside) = Target(pair, x, y, side);
        if (outside && TileRules.HasTissue(sourceTissue, null, options))
            return TileRules.Judge(area.X, area.Y, sourceTissue, targetTissue, null, options) with { Status = TileStatus.Outside };
        if (!TileRules.HasTissue(sourceTissue, targetTissue, options))
            return TileRules.Judge(area.X, area.Y, sourceTissue, targetTissue, null, options);
        (Image source, Image target) = pair.Read(area, downsample);
        TileAlignment alignment = pair.Measure(source, target, options.Channel);
        PreparedTile tile = TileRules.Judge(area.X, area.Y, sourceTissue, targetTissue, alignment, options);
        if (tile.Status != TileStatus.Kept) return tile;
        TileFile.Write(source, Path.Combine(folder, "source", name), NameOf(name, tile.X, tile.Y));
        TileFile.Write(target, Path.Combine(folder, "target", name), NameOf(name, tile.X, tile.Y));
        return tile;
    }

    // Tissue share of the target in a square of the source's level 0, and whether a corner is outside of the target.
    private static (double Tissue, bool Outside) Target(RegisteredSlides pair, double x, double y, double side)
    {
        int tissue = 0;
        for (int i = 0; i < Probes * Probes; i++)
        {
            (double u, double v) = pair.Transform.Apply(x + (((i % Probes) + 0.5) * side / Probes),
                y + (((i / Probes) + 0.5) * side / Probes));
            if (pair.TargetTissue.Contains(u, v)) tissue++;
        }
        (double, double)[] corners = [(x, y), (x + side - 1, y), (x, y + side - 1), (x + side - 1, y + side - 1)];
        return (tissue / (double)(Probes * Probes), corners.Any(corner =>
        {
            (double u, double v) = pair.Transform.Apply(corner.Item1, corner.Item2);
            return u < -0.5 || v < -0.5 || u > pair.Target.Width - 0.5 || v > pair.Target.Height - 0.5;
        }));
    }
}
