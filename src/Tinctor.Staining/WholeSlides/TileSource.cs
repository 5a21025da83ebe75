using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Execution;

namespace Tinctor.Staining.WholeSlides;

/// <summary>Reads tiles of a slide at the resolution of a model.</summary>
/// <param name="slide">The slide.</param>
/// <param name="downsample">Pixels of the slide per pixel of a tile, along each axis.</param>
/// <param name="shared">Reads that are shared with other stainings of the slide; null for none.</param>
internal sealed class TileSource(Slide slide, double downsample, SharedReads? shared = null)
{
    // Side of the overview in which the background is measured.
    private const int OverviewSide = 1024;

    // Blocks on which the statistics of a slide are measured: up to 64 million pixels.
    private const int BlockSide = 1000, MostBlocks = 64;

    /// <summary>Normalises the stains of tiles to those of training; null leaves them.</summary>
    public StainNormalizer? Normalizer { get; set; }

    /// <summary>Statistics that tiles are z-scored by, if the model needs it.</summary>
    public SourceStatistics? Statistics { get; private set; }

    public (int Width, int Height) Size { get; } = slide.SizeAt(downsample);

    public Image Read(TileLayout layout, Tile tile)
    {
        (int x, int y, int width, int height) =
            (layout.Across.Start(tile.Column), layout.Down.Start(tile.Row), layout.Across.Tile, layout.Down.Tile);
        Image image = shared?.ReadAt(downsample, x, y, width, height) ?? slide.ReadAt(downsample, x, y, width, height);
        return Normalizer?.Normalize(image, out _) ?? image;
    }

    /// <summary>
    /// Measures <see cref="Statistics"/> on normalised blocks with tissue: on all of them, or on evenly spaced ones of a large slide.
    /// </summary>
    public void MeasureStatistics(TissueMask? tissue)
    {
        Tile[] blocks = [.. Blocks(tissue)];
        int count = Math.Min(blocks.Length, MostBlocks);
        Statistics = new();
        for (int i = 0; i < count; i++)
        {
            Tile block = blocks[(int)((i + 0.5) * blocks.Length / count)];
            (int left, int top) = (block.Column * BlockSide, block.Row * BlockSide);
            Image image = slide.ReadAt(downsample, left, top, Math.Min(BlockSide, Size.Width - left),
                Math.Min(BlockSide, Size.Height - top));
            Statistics.Add(Normalizer?.Normalize(image, out _) ?? image);
        }
    }

    // Disjoint blocks, so that no pixel counts twice.
    private IEnumerable<Tile> Blocks(TissueMask? tissue) =>
        from row in Enumerable.Range(0, (Size.Height + BlockSide - 1) / BlockSide)
        from column in Enumerable.Range(0, (Size.Width + BlockSide - 1) / BlockSide)
        let side = BlockSide * downsample
        where tissue is null || tissue.Share(column * side, row * side, side, side) > 0
        select new Tile(row, column);

    /// <summary>Gets the share of a tile that is tissue; 1 without a mask.</summary>
    public double TissueShare(TileLayout layout, Tile tile, TissueMask? tissue) =>
        tissue?.Share(layout.Across.Start(tile.Column) * downsample, layout.Down.Start(tile.Row) * downsample,
            layout.Across.Tile * downsample, layout.Down.Tile * downsample) ?? 1;

    /// <summary>Reads the whole slide, its longer side limited to a number of pixels.</summary>
    public Image Thumbnail(int longest) => slide.Thumbnail(longest) is var image && Normalizer is { } normalizer
        ? normalizer.Normalize(image, out _) : image;

    /// <summary>
    /// Measures the background colour: the median of pixels that are bright and outside the mask, as annotations may leave tissue out.
    /// White if there are none, or the source is not brightfield.
    /// </summary>
    public byte[] BackgroundColour(TissueMask? tissue)
    {
        byte[] white = [255, 255, 255];
        if (tissue is null || slide.Channels != 3) return white;
        Image overview = slide.Thumbnail(OverviewSide).To(SampleType.UInt8);
        double scale = slide.Width / (double)overview.Width;
        var soft = new SoftMask(tissue, scale);
        var counts = new long[3, 256];
        for (int i = 0; i < overview.Width * overview.Height; i++)
        {
            if (soft.At(i % overview.Width, i / overview.Width) > 0 || !Background.IsPossible(overview.Data.AsSpan(i * 3, 3))) continue;
            for (int c = 0; c < 3; c++) counts[c, overview.Data[(i * 3) + c]]++;
        }
        return [.. Enumerable.Range(0, 3).Select(c => Median([.. Enumerable.Range(0, 256).Select(value => counts[c, value])]))];
    }

    private static byte Median(long[] counts)
    {
        long half = counts.Sum() / 2, passed = 0;
        if (half == 0) return 255;
        int value = 0;
        while ((passed += counts[value]) <= half) value++;
        return (byte)value;
    }
}
