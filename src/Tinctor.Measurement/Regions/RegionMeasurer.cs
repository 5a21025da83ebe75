using System.Runtime.InteropServices;
using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Nuclei;
using Tinctor.Slides;
using Tinctor.Slides.Masks;

namespace Tinctor.Measurement.Regions;

/// <summary>
/// Measures regions of a picture in tiles, with memory that does not grow with the region. Pixels count if their centres are inside of the
/// region. A nucleus counts, with all of its pixels and its ring, if the pixel at its centroid does. Otsu's threshold of nuclei is that of
/// the pixels of the whole region.
/// </summary>
/// <param name="picture">The picture.</param>
/// <param name="downsample">Pixels of the picture at full resolution per measured pixel, at least 1.</param>
/// <param name="settings">Thresholds, and micrometres per measured pixel.</param>
/// <param name="detection">Appearance of nuclei; its pixel size is that of the settings.</param>
internal sealed class RegionMeasurer(IPictureSource picture, double downsample, IhcSettings settings, NucleusDetection detection)
{
    // Sides in measured pixels; smaller regions are one tile. Tiles overlap by the contrast's reach and clumps of nuclei of this length.
    private const int LargestSingle = 2048, TileSide = 1024;
    private const double ClumpReach = 50;

    private readonly NucleusDetection nuclei = detection with { Mpp = settings.Mpp };
    private readonly (int Width, int Height) size = picture.SizeAt(downsample);

    /// <summary>Side of a tile in measured pixels without its border; null divides large regions only.</summary>
    public int? Side { get; init; }

    /// <summary>Counts the steps that <see cref="Measure"/> reports for a region.</summary>
    public int Steps(MeasuredRegion region)
    {
        int tiles = Tiles(region.Bounds(downsample, size.Width, size.Height)).Count;
        return tiles > 1 ? 3 * tiles : tiles;
    }

    /// <summary>Measures a region.</summary>
    /// <param name="region">The region, in pixels of the picture at full resolution.</param>
    /// <param name="step">Is called after each step.</param>
    /// <param name="cancel">Cancels between tiles.</param>
    /// <returns>Counts of the region; their area is the exact area of the polygons, in square millimetres.</returns>
    /// <exception cref="TinctorException">The picture cannot be read.</exception>
    public IhcCounts Measure(MeasuredRegion region, Action? step = null, CancellationToken cancel = default)
    {
        IReadOnlyList<PixelArea> tiles = Tiles(region.Bounds(downsample, size.Width, size.Height));
        float[]? thresholds = tiles.Count > 1 ? Thresholds(region, tiles, step, cancel) : null;
        IhcCounts sum = default;
        foreach (PixelArea tile in tiles)
        {
            if (region.Mask(downsample, tile).Contains(true)) sum += MeasureTile(region, tile, thresholds, cancel);
            step?.Invoke();
        }
        return sum with { Area = region.Area * Math.Pow(settings.Mpp / downsample, 2) / 1e6 };
    }

    private IReadOnlyList<PixelArea> Tiles(PixelArea bounds)
    {
        if (bounds.Width == 0 || bounds.Height == 0) return [];
        if (Side is null && Math.Max(bounds.Width, bounds.Height) <= LargestSingle) return [bounds];
        int side = Side ?? TileSide;
        return
        [
            .. from top in Starts(bounds.Y, bounds.Bottom)
               from left in Starts(bounds.X, bounds.Right)
               select new PixelArea(left, top, Math.Min(side, bounds.Right - left), Math.Min(side, bounds.Bottom - top)),
        ];

        IEnumerable<int> Starts(int from, int to) => Enumerable.Range(0, (to - from + side - 1) / side).Select(i => from + (i * side));
    }

    private IhcCounts MeasureTile(MeasuredRegion region, PixelArea tile, float[]? thresholds, CancellationToken cancel)
    {
        int border = Reach + (int)Math.Ceiling((ClumpReach + settings.Ring) / settings.Mpp);
        (PixelArea area, StainDensities stains) = Read(tile, border, cancel);
        bool[] inside = region.Mask(downsample, area);
        thresholds ??= OtsuThresholds(stains, inside, area, tile);
        LabelMap found = NucleusDetector.Find(stains, nuclei, thresholds);
        bool[] counted = Counted(found, inside, area, tile);
        for (int i = 0; i < inside.Length; i++) inside[i] &= IsIn(tile, area, i);
        return IhcCounts.Compute(stains, found, settings, inside, counted);
    }

    // A nucleus belongs to the tile that its centroid lies in, so that it counts once.
    private static bool[] Counted(LabelMap found, bool[] inside, PixelArea area, PixelArea tile)
    {
        var (x, y) = (new long[found.Count + 1], new long[found.Count + 1]);
        for (int i = 0; i < found.Labels.Length; i++)
        {
            x[found.Labels[i]] += i % area.Width;
            y[found.Labels[i]] += i / area.Width;
        }
        int[] sizes = found.Areas();
        var counted = new bool[found.Count + 1];
        for (int label = 1; label < counted.Length; label++)
        {
            int centroid = (Rounded(y[label], sizes[label]) * area.Width) + Rounded(x[label], sizes[label]);
            counted[label] = inside[centroid] && IsIn(tile, area, centroid);
        }
        return counted;

        static int Rounded(long sum, int count) => (int)((sum + (count / 2)) / count);
    }

    private int Reach => NucleusDetector.ContrastReach(nuclei);

    // Two passes over the tiles: the range of the contrast, and its histogram.
    private float[] Thresholds(MeasuredRegion region, IReadOnlyList<PixelArea> tiles, Action? step, CancellationToken cancel)
    {
        int stains = nuclei.HaematoxylinOnly ? 1 : 2;
        var low = Enumerable.Repeat(float.PositiveInfinity, stains).ToArray();
        var high = Enumerable.Repeat(float.NegativeInfinity, stains).ToArray();
        ForEachContrast((stain, value) => (low[stain], high[stain]) = (Math.Min(low[stain], value), Math.Max(high[stain], value)));
        OtsuHistogram[] histograms = [.. low.Zip(high, (from, to) => new OtsuHistogram(from, to))];
        ForEachContrast((stain, value) => histograms[stain].Add(value));
        return Array.ConvertAll(histograms, histogram => histogram.Threshold());

        void ForEachContrast(Action<int, float> add)
        {
            foreach (PixelArea tile in tiles)
            {
                if (region.Mask(downsample, tile).Contains(true))
                {
                    (PixelArea area, StainDensities densities) = Read(tile, Reach, cancel);
                    AddContrasts(densities, region.Mask(downsample, area), area, tile, add);
                }
                step?.Invoke();
            }
        }
    }

    private float[] OtsuThresholds(StainDensities stains, bool[] inside, PixelArea area, PixelArea tile)
    {
        var values = new List<float>[] { [], [] };
        AddContrasts(stains, inside, area, tile, (stain, value) => values[stain].Add(value));
        return Array.ConvertAll(values, list => Otsu.Threshold(CollectionsMarshal.AsSpan(list)));
    }

    private void AddContrasts(StainDensities stains, bool[] inside, PixelArea area, PixelArea tile, Action<int, float> add)
    {
        foreach ((int stain, float[] density) in NucleusDetector.Stains(stains, nuclei).Index())
        {
            float[] contrast = NucleusDetector.Contrast(density, area.Width, area.Height, nuclei).Contrast;
            for (int i = 0; i < contrast.Length; i++)
                if (inside[i] && IsIn(tile, area, i)) add(stain, contrast[i]);
        }
    }

    private (PixelArea Area, StainDensities Stains) Read(PixelArea tile, int border, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        (int left, int top) = (Math.Max(0, tile.X - border), Math.Max(0, tile.Y - border));
        var area = new PixelArea(left, top, Math.Min(size.Width, tile.Right + border) - left,
            Math.Min(size.Height, tile.Bottom + border) - top);
        return (area, new(picture.Read(downsample, area, cancel)));
    }

    // Whether a pixel of an area is in a tile of it.
    private static bool IsIn(PixelArea tile, PixelArea area, int pixel)
    {
        (int x, int y) = (area.X + (pixel % area.Width), area.Y + (pixel / area.Width));
        return x >= tile.X && x < tile.Right && y >= tile.Y && y < tile.Bottom;
    }
}
