using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Viewer.Jobs;

/// <summary>
/// Slide that is being stained, with an overview for views from afar, which reads of many tiles would be too slow for.
/// </summary>
internal sealed class SlideInWork : IDisposable
{
    private const int OverviewSide = 2048;

    private readonly Slide source;
    private readonly SlideTiles tiles;
    private readonly HashSet<Tile> missing;
    private readonly Image overview;
    private readonly double overviewDownsample;
    private readonly Lock access = new();

    /// <summary>Opens the slide and measures it; takes some runs of the network.</summary>
    /// <param name="key">Slide, model and target.</param>
    /// <param name="model">The model, for the stain of the key; stays open until the slide is closed.</param>
    /// <exception cref="TinctorException">
    /// The slide cannot be opened or does not suit the model, or another process stains it.
    /// </exception>
    public SlideInWork(WorkKey key, Stainer model)
    {
        Key = key;
        source = Slide.Open(key.Slide);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(key.Target)!);
            // The defaults of tinctor stain, so that either program finishes what the other began.
            var options = new SlideStainOptions { WholeSlide = source.IsField, Sampling = model.Model.Bridge?.Sampling };
            tiles = new SlideStainer(model, source, key.Target, options).Open();
        }
        catch
        {
            source.Dispose();
            throw;
        }
        (Width, Height) = (tiles.Spec.Width, tiles.Spec.Height);
        overviewDownsample = Math.Max(1, (double)Math.Max(Width, Height) / OverviewSide);
        overview = new((int)Math.Ceiling(Width / overviewDownsample), (int)Math.Ceiling(Height / overviewDownsample), 3);
        overview.Fill([byte.MaxValue, byte.MaxValue, byte.MaxValue]);
        missing = [.. tiles.Tiles.Where(tile => !tiles.IsStained(tile))];
        foreach (Tile tile in tiles.Tiles.Where(tiles.IsStained)) ShowInOverview(tile);
    }

    public WorkKey Key { get; }

    /// <summary>Width of the stained slide in pixels.</summary>
    public int Width { get; }

    /// <summary>Height of the stained slide in pixels.</summary>
    public int Height { get; }

    /// <summary>Share of the source that is unlike the training images; null if the model has no detector.</summary>
    public double? NoveltyShare => tiles.NoveltyShare;

    /// <summary>Number of tiles with tissue.</summary>
    public int Total => tiles.Tiles.Count;

    /// <summary>Number of stained tiles.</summary>
    public int Done
    {
        get
        {
            lock (access) return Total - missing.Count;
        }
    }

    /// <summary>Time of the last use.</summary>
    public DateTime Used { get; set; } = DateTime.UtcNow;

    /// <summary>Centre of the view that somebody has on the slide, in pixels of the stained slide; null if it is not known.</summary>
    public (double X, double Y)? ViewCentre { get; set; }

    /// <summary>Whether the slide is being written or is written; then no more tiles are stained.</summary>
    public bool IsFinishing { get; set; }

    /// <summary>Gets the tiles in a rectangle that are not stained yet, the nearest to its centre first.</summary>
    public IReadOnlyList<Tile> Missing(int x, int y, int width, int height)
    {
        (double cx, double cy) = (x + (width / 2.0), y + (height / 2.0));
        lock (access) return [.. tiles.Find(x, y, width, height).Where(missing.Contains).OrderBy(tile => Distance(tile, cx, cy))];
    }

    /// <summary>Whether all tiles that touch a rectangle are stained.</summary>
    public bool IsStained(int x, int y, int width, int height) => Missing(x, y, width, height).Count == 0;

    /// <summary>Gets the next tile from the top that is not stained; null if there is none.</summary>
    public Tile? NextMissing()
    {
        lock (access) return missing.Count == 0 ? null : missing.MinBy(tile => (tile.Row, tile.Column));
    }

    /// <summary>Computes the distance of a tile's centre from a pixel of the stained slide.</summary>
    public double Distance(Tile tile, double x, double y)
    {
        (int left, int top, int width, int height) = tiles.Bounds(tile);
        return double.Hypot(left + (width / 2.0) - x, top + (height / 2.0) - y);
    }

    /// <summary>Stains a tile; one thread at a time.</summary>
    public void Stain(Tile tile)
    {
        tiles.Stain(tile);
        ShowInOverview(tile);
        lock (access) missing.Remove(tile);
    }

    /// <summary>Reads a rectangle as it is now, shrunk to a size.</summary>
    /// <param name="x">First column, in pixels of the stained slide.</param>
    /// <param name="y">First row.</param>
    /// <param name="width">Width in pixels of the stained slide.</param>
    /// <param name="height">Height in pixels of the stained slide.</param>
    /// <param name="outWidth">Width of the result.</param>
    /// <param name="outHeight">Height of the result.</param>
    public Image Read(int x, int y, int width, int height, int outWidth, int outHeight)
    {
        if ((double)width / outWidth < overviewDownsample)
        {
            Image region = tiles.Read(x, y, width, height);
            return (width, height) == (outWidth, outHeight) ? region : region.Resize(outWidth, outHeight);
        }
        int left = Math.Min((int)(x / overviewDownsample), overview.Width - 1),
            top = Math.Min((int)(y / overviewDownsample), overview.Height - 1);
        int right = Math.Clamp((int)Math.Ceiling((x + width) / overviewDownsample), left + 1, overview.Width);
        int bottom = Math.Clamp((int)Math.Ceiling((y + height) / overviewDownsample), top + 1, overview.Height);
        lock (overview) return overview.Crop(left, top, right - left, bottom - top).Resize(outWidth, outHeight);
    }

    /// <summary>Writes the slide; all tiles are stained.</summary>
    public void Finish(CancellationToken cancel)
    {
        SlideTiles.FinishTogether([tiles], progress: null, cancel, (_, done) => done.WriteJson($"{Slide.Stem(Key.Target)}.json"));
    }

    public void Dispose()
    {
        tiles.Dispose();
        source.Dispose();
    }

    private void ShowInOverview(Tile tile)
    {
        (int x, int y, int width, int height) = tiles.Bounds(tile);
        int left = (int)(x / overviewDownsample), top = (int)(y / overviewDownsample);
        int right = Math.Min(overview.Width, (int)Math.Ceiling((x + width) / overviewDownsample));
        int bottom = Math.Min(overview.Height, (int)Math.Ceiling((y + height) / overviewDownsample));
        Image small = tiles.Read(x, y, width, height).Resize(right - left, bottom - top);
        lock (overview) overview.Paste(small, left, top);
    }
}

/// <summary>Slide, model, place of the result, and its stain; null for a model of one stain.</summary>
internal readonly record struct WorkKey(string Slide, string Model, string Target, string? Stain = null);
