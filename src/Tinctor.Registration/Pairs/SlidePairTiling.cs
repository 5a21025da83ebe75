using Tinctor.Slides;

namespace Tinctor.Registration.Pairs;

/// <summary>
/// Cuts two registered slides into pairs of tiles on the source's plane; on all cores, a few tiles in memory at a time.
/// </summary>
public static class SlidePairTiling
{
    private const int Probes = 8; // places along a side at which the target is asked for tissue
    private const double Enlarging = 0.9;

    /// <summary>Writes the kept tiles as FOLDER/source/NAME/NAME_X_Y.png and FOLDER/target/NAME/NAME_X_Y.png.</summary>
    /// <param name="pair">The slides, their tissue and how they lie on each other.</param>
    /// <param name="folder">Where the tiles go.</param>
    /// <param name="name">The pair's name in file names.</param>
    /// <param name="options">Which tiles.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <param name="cancel">Stops between tiles.</param>
    /// <returns>All tiles of the grid that have any tissue in the source, rows from the top.</returns>
    /// <exception cref="TinctorException">A slide is damaged or too small, or its resolution is not known.</exception>
    public static IReadOnlyList<SlideTile> Write(RegisteredSlides pair, string folder, string name, SlideTilingOptions options,
        IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        options.Validate();
        double downsample = Downsample(pair.Source, options);
        (int width, int height) = pair.Source.SizeAt(downsample);
        if (Math.Min(width, height) < options.Tile)
            throw new TinctorException($"{pair.Source.Path}: has {width}x{height} pixels at this resolution, less than a tile of {options.Tile}");
        double side = options.Tile * downsample;
        PixelArea[] areas = [.. TileFiles.Grid(width, height, options.Tile, options.Stride ?? options.Tile)
            .Where(area => pair.SourceTissue.Share(area.X * downsample, area.Y * downsample, side, side) > 0)];
        var tiles = new SlideTile[areas.Length];
        int done = 0;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
        Parallel.For(0, areas.Length, parallel, i =>
        {
            tiles[i] = Cut(pair, areas[i], downsample, folder, name, options);
            progress?.Report(Interlocked.Increment(ref done) / (double)areas.Length);
        });
        return tiles;
    }

    /// <summary>Pixels of the source's level 0 to one of the tiles.</summary>
    /// <exception cref="TinctorException">The source's resolution is not known, or not that fine.</exception>
    public static double Downsample(Slide source, SlideTilingOptions options)
    {
        if (options.Mpp is not double mpp) return 1;
        double own = source.Mpp ?? throw new TinctorException($"{source.Path}: its microns per pixel are not known; give --source-mpp, "
            + "or leave out --mpp to cut tiles from its pixels as they are");
        return mpp >= Enlarging * own ? Math.Max(1, mpp / own)
            : throw new TinctorException($"{source.Path}: has {own:0.###} um per pixel, tiles of {mpp:0.###} would only be enlarged; "
                + "use a larger --mpp");
    }

    private static SlideTile Cut(RegisteredSlides pair, PixelArea area, double downsample, string folder, string name, SlideTilingOptions options)
    {
        double x = area.X * downsample, y = area.Y * downsample, side = area.Width * downsample;
        double sourceTissue = pair.SourceTissue.Share(x, y, side, side);
        (double targetTissue, bool outside) = Target(pair, x, y, side);
        SlideTile Fated(TileFate fate, TileAlignment? fit = null) =>
            new(area.X, area.Y, fate, Math.Round(sourceTissue, 4), Math.Round(targetTissue, 4), Rounded(fit?.Ncc),
                fit is { IsCertain: true } ? Rounded(fit?.Residual) : null);
        if (sourceTissue < options.MinTissue) return Fated(TileFate.Background);
        if (outside) return Fated(TileFate.Outside);
        if (targetTissue < options.MinTissue) return Fated(TileFate.Background);
        (Image source, Image target) = pair.Read(area, downsample);
        TileAlignment fit = TileAlignment.Of(source, target, options.Channel ?? pair.Channel);
        if (!(fit.Ncc >= options.MinNcc)) return Fated(TileFate.Unlike, fit);
        if (fit.IsCertain && fit.Residual > options.MaxResidual) return Fated(TileFate.Shifted, fit);
        SlideTile kept = Fated(TileFate.Kept, fit);
        TileFiles.Save(source, Path.Combine(folder, "source", name), kept.NameIn(name));
        TileFiles.Save(target, Path.Combine(folder, "target", name), kept.NameIn(name));
        return kept;
    }

    // Tissue of the target where a square of the source's level 0 lies in it, and whether a corner does not.
    private static (double Tissue, bool Outside) Target(RegisteredSlides pair, double x, double y, double side)
    {
        int tissue = 0;
        for (int i = 0; i < Probes * Probes; i++)
        {
            (double u, double v) = pair.Transform.Apply(x + (((i % Probes) + 0.5) * side / Probes), y + (((i / Probes) + 0.5) * side / Probes));
            if (pair.TargetTissue.Contains(u, v)) tissue++;
        }
        (double, double)[] corners = [(x, y), (x + side - 1, y), (x, y + side - 1), (x + side - 1, y + side - 1)];
        return (tissue / (double)(Probes * Probes), corners.Any(corner =>
        {
            (double u, double v) = pair.Transform.Apply(corner.Item1, corner.Item2);
            return u < -0.5 || v < -0.5 || u > pair.Target.Width - 0.5 || v > pair.Target.Height - 0.5;
        }));
    }

    private static double? Rounded(double? value) => value is double number ? Math.Round(number, 4) : null;
}
