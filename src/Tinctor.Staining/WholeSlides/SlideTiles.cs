using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Models;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Tiles of a slide that is being stained. They are stored in a folder beside the result, so that staining resumes after an interruption
/// and in another program. Tiles can be stained in any order, before the slide is finished and written.
/// </summary>
public sealed class SlideTiles : IDisposable
{
    private readonly Stainer stainer;
    private readonly SlideStainOptions options;
    private readonly Slide slide;
    private readonly string path;
    private readonly TissueMask? tissue;
    private readonly SlidePreparation preparation;
    private readonly TileLayout stained;
    private readonly HashSet<Tile> selected;
    private readonly byte[] background;
    private readonly TileStore store;
    private readonly TileWork work;
    private readonly SeamScore seams;

    internal SlideTiles(Stainer stainer, Slide slide, string path, SlideStainOptions options, TissueMask? tissue, SlideScale scale,
        SlideSpec spec, SharedReads? shared = null, TileLock? access = null)
    {
        access ??= TryLock(path)!;
        (this.stainer, this.slide, this.path, this.options, this.tissue) = (stainer, slide, path, options, tissue);
        (Scale, Spec) = (scale, spec);
        try
        {
            TileSource source = new(slide, Scale.Downsample, shared);
            preparation = SlidePreparation.Measure(stainer, source, options, tissue);
            TileLayout layout = preparation.Layout;
            stained = layout.Scale(stainer.Model.Upscaling);
            seams = new SeamScore(stained, SlideStainOptions.Grain(stainer.Model.Upscaling) / 2 * stainer.Model.Upscaling);
            Tiles = [.. layout.Tiles.Where(tile => source.TissueShare(layout, tile, tissue) > 0)];
            selected = [.. Tiles];
            background = source.BackgroundColour(tissue);
            store = new TileStore(StorePath(path), Fingerprinted(layout), path, access);
            work = new(stainer, source, preparation, options, slide.Name, store, Tiles);
        }
        catch
        {
            access.Dispose();
            throw;
        }
    }

    /// <summary>Resolution of staining.</summary>
    public SlideScale Scale { get; }

    /// <summary>Size and resolution of the stained slide.</summary>
    public SlideSpec Spec { get; }

    /// <summary>The tiles with tissue, row by row.</summary>
    public IReadOnlyList<Tile> Tiles { get; }

    /// <summary>Share of sampled source windows that are unlike the training images; null if the model has no detector.</summary>
    internal double? NoveltyShare => preparation.NoveltyShare;

    /// <summary>Gets the folder of the tiles of a stained slide.</summary>
    internal static string StorePath(string path) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.tiles");

    /// <summary>Locks the tiles of a stained slide, or of a band of it; see <see cref="TileLock.TryAcquire"/>.</summary>
    internal static TileLock? TryLock(string path, Shard? band = null, Func<bool>? isFinished = null) =>
        TileLock.TryAcquire(StorePath(path), path, band, isFinished);

    /// <summary>Gets the tiles with tissue that touch a rectangle, in pixels of the stained slide.</summary>
    public IReadOnlyList<Tile> Find(int x, int y, int width, int height) =>
        [.. from row in stained.Down.Touching(y, y + height)
            from column in stained.Across.Touching(x, x + width)
            let tile = new Tile(row, column)
            where selected.Contains(tile)
            select tile];

    /// <summary>Gets the rectangle of a tile, in pixels of the stained slide.</summary>
    public (int X, int Y, int Width, int Height) Bounds(Tile tile) =>
        (stained.Across.Start(tile.Column), stained.Down.Start(tile.Row), stained.Across.Tile, stained.Down.Tile);

    /// <summary>Whether a tile is stained and stored.</summary>
    public bool IsStained(Tile tile) => store.Has(tile);

    /// <summary>
    /// Stains a tile, unless it is stored already. Its pixels are those of a slide stained from top to bottom with a batch size of 1. One
    /// thread at a time may stain.
    /// </summary>
    /// <exception cref="TinctorException">The slide is damaged, or the network computes NaN or infinity.</exception>
    public void Stain(Tile tile) => work.Stain(tile);

    /// <summary>
    /// Reads a rectangle of the stained slide as it is now, in the background's colour where tiles are missing. Any thread may read.
    /// </summary>
    public Image Read(int x, int y, int width, int height) =>
        Blender(TileStore.Stained, background, IsStained).Read(new(x, y, width, height));

    /// <summary>Stains the tiles that are missing, writes the slide and deletes the stored tiles.</summary>
    /// <param name="progress">Receives the number of stained tiles, on the calling thread.</param>
    /// <param name="cancel">Cancels after the current batch; stained tiles are kept.</param>
    /// <exception cref="TinctorException">The slide is damaged.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public StainedSlide Finish(Action<SlideProgress>? progress = null, CancellationToken cancel = default) =>
        FinishTogether([this], progress, cancel)[0];

    /// <summary>Whether a written slide has tiles, because its process ended before everything that belongs to it was written.</summary>
    internal static bool IsIncomplete(string path) => Directory.Exists(StorePath(path));

    /// <summary>Finishes several slides, tile by tile in turn; see <see cref="Finish"/>.</summary>
    /// <param name="slides">The slides.</param>
    /// <param name="progress">Receives the number of stained tiles, on the calling thread.</param>
    /// <param name="cancel">Cancels after the current batch; stained tiles are kept.</param>
    /// <param name="complete">
    /// Writes what belongs to a slide, such as its report, given its index. Tiles are deleted afterwards: they mark a slide as incomplete.
    /// </param>
    internal static StainedSlide[] FinishTogether(IReadOnlyList<SlideTiles> slides, Action<SlideProgress>? progress,
        CancellationToken cancel, Action<int, StainedSlide>? complete = null)
    {
        TakeTurns([.. slides.Select(slide => slide.EncodeWhileStaining())], slides.Sum(slide => slide.Tiles.Count), progress, cancel);
        return [.. slides.Select((slide, i) => slide.Complete(done => complete?.Invoke(i, done)))];
    }

    /// <summary>
    /// Stains one band of several slides, tile by tile in turn. The process that stains the last band also finishes the slides.
    /// </summary>
    /// <returns>The finished slides; null if tiles of other bands are missing, or another process finishes the slides.</returns>
    internal static StainedSlide[]? StainBandTogether(IReadOnlyList<SlideTiles> slides, Shard band, Action<SlideProgress>? progress,
        CancellationToken cancel, Action<int, StainedSlide>? complete = null)
    {
        (int First, int End)[] bands = [.. slides.Select(slide => slide.RowsOf(band))];
        TakeTurns([.. slides.Zip(bands, (slide, rows) => slide.StainRows(rows))],
            slides.Zip(bands, (slide, rows) => slide.Tiles.Count(tile => tile.Row >= rows.First && tile.Row < rows.End)).Sum(),
            progress, cancel);
        bool isWhole = slides.All(slide => slide.store.TryLockWhole()) && slides.All(slide => slide.MissingTiles == 0);
        return isWhole ? FinishTogether(slides, null, cancel, complete) : null;
    }

    /// <summary>Number of tiles that are not stained yet.</summary>
    internal int MissingTiles => Tiles.Count(tile => !store.Has(tile));

    // Bands have nearly the same number of tiles with tissue.
    private (int First, int End) RowsOf(Shard band)
    {
        ILookup<int, Tile> rows = Tiles.ToLookup(tile => tile.Row);
        return band.Cut([.. Enumerable.Range(0, stained.Down.Count).Select(row => rows[row].Count())]);
    }

    private IEnumerable<int> StainRows((int First, int End) rows)
    {
        int done = 0;
        foreach (Tile? tile in work.Stain(rows)) yield return tile is null ? done : ++done;
    }

    // Runs works that return their number of stained tiles after each step.
    private static void TakeTurns(IReadOnlyList<IEnumerable<int>> all, int total, Action<SlideProgress>? progress, CancellationToken cancel)
    {
        IEnumerator<int>[] works = [.. all.Select(work => work.GetEnumerator())];
        var done = new int[works.Length];
        try
        {
            for (bool goesOn = true; goesOn;)
            {
                goesOn = false;
                foreach ((int i, IEnumerator<int> work) in works.Index())
                {
                    if (!work.MoveNext()) continue;
                    goesOn = true;
                    if (work.Current > done[i]) progress?.Invoke(new((done[i] = work.Current) + done.Where((_, k) => k != i).Sum(), total));
                    cancel.ThrowIfCancellationRequested();
                }
            }
        }
        finally
        {
            foreach (IEnumerator<int> work in works) work.Dispose();
        }
    }

    private StainedSlide Complete(Action<StainedSlide> complete)
    {
        if (options.Uncertainty) WriteUncertainty();
        StainedSlide done = new(slide.Path, stainer.ModelId, Scale, Spec, preparation.Layout.Halo, Tiles.Count, seams.Value)
        {
            Stain = stainer.TargetStain,
            IhcLevel = preparation.IhcLevel,
            Comparison = CompareWithSource(),
            NormalizationSkippedReason = preparation.NormalizationSkippedReason,
            Tissue = tissue,
            NoveltyShare = preparation.NoveltyShare,
            ReducedBatch = work.ReducedBatch,
        };
        complete(done);
        store.Delete();
        return done;
    }

    /// <summary>Lets other processes stain the slide.</summary>
    public void Dispose() => store.Dispose();

    private TileBlender Blender(string kind, byte[] colour, Func<Tile, bool> isIncluded)
    {
        SoftMask? soft = tissue is null ? null : new(tissue, slide.Width / (double)stained.Across.Length);
        return new(stained, tile => isIncluded(tile) ? store.Read(tile, kind) : null, colour, soft);
    }

    // Tiles of the file, each as soon as the stained tiles below it are complete.
    private IEnumerable<Image> EncodeTiles(TileBlender blender, Action awaitRow)
    {
        int ready = 0;
        foreach (PixelArea area in Spec.Tiles)
        {
            for (int last = stained.Down.Touching(area.Y, area.Bottom).Last(); ready <= last; ready++) awaitRow();
            (int left, int top) = (Math.Min(area.X, 1), Math.Min(area.Y, 1));
            Image image = blender.Read(new(area.X - left, area.Y - top, area.Width + left, area.Height + top));
            seams.Add(area, image);
            yield return image.Crop(left, top, area.Width, area.Height);
        }
    }

    private SlideComparison? CompareWithSource()
    {
        if (path.EndsWith(".dzi", StringComparison.OrdinalIgnoreCase)) return null;
        using var written = Slide.Open(path);
        return SlideComparison.Compute(slide, written, tissue);
    }

    // Everything that the pixels of a tile depend on.
    private string Fingerprinted(TileLayout layout)
    {
        BridgeSampling? sampling = options.Sampling;
        using var fingerprint = new Fingerprint();
        foreach (string path in slide.Files)
        {
            var file = new FileInfo(path);
            fingerprint.Add("slide", path).Add("length", file.Length).Add("modified", file.LastWriteTimeUtc.Ticks);
        }
        // Slides of earlier versions have no such entry.
        if (options.AverageOrientations) fingerprint.Add("orientations", Orientations.Count);
        if (stainer.TargetStain is { } stain) fingerprint.Add("stain", stain);
        return fingerprint
            .Add("downsample", Scale.Downsample).Add("model", stainer.ModelId).Add("precision", stainer.Precision)
            .Add("width", layout.Across.Length).Add("height", layout.Down.Length).Add("tile", layout.Across.Tile)
                .Add("rows", layout.Down.Tile)
            .Add("halo", layout.Halo).Add("overlap", layout.Overlap).Add("batch", options.BatchSize)
            .Add("normalization", $"{options.Normalization}").Add("kernel", options.KernelRadius).Add("step", options.KernelStep)
                .Add("gaussian", options.GaussianKernel)
            .Add("seed", options.Seed).Add("samples", options.Samples).Add("uncertainty", options.Uncertainty)
            .Add("evaluations", sampling?.Evaluations).Add("spacing", $"{sampling?.Spacing}").Add("average", sampling?.Average)
            .Add("solver", $"{sampling?.Solver}").Add("strategy", $"{sampling?.Strategy}").Add("exit", sampling?.ExitStep)
            .Add("eta", sampling?.Eta).Add("clip", sampling?.Clip == true)
            .Add("mask", tissue is null ? [] : tissue.Mask.Data).Add("mask downsample", tissue?.Downsample)
            .ToHex();
    }

    // Runs the encoder on a thread of its own, which waits for rows of stained tiles. A failure of either stops both. Returns the number of
    // stained tiles after each step.
    private IEnumerable<int> EncodeWhileStaining()
    {
        TileBlender blender = Blender(TileStore.Stained, background, selected.Contains);
        using var rows = new BlockingCollection<int>();
        Exception? failure = null;
        var encoder = new Thread(() =>
        {
            try
            {
                SlideWriter.Write(path, Spec, EncodeTiles(blender, () => rows.Take()));
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        { IsBackground = true, Name = "slide encoder" };
        encoder.Start();
        int done = 0, next = 0;
        try
        {
            foreach (Tile? tile in work.Stain((0, preparation.Layout.Down.Count)))
            {
                if (tile is { } stained)
                {
                    while (next < stained.Row) rows.Add(next++);
                    done++;
                }
                yield return done;
                if (!encoder.IsAlive) break;
            }
            while (next < preparation.Layout.Down.Count) rows.Add(next++);
        }
        finally
        {
            // Without all rows, the encoder's wait for one fails, and it removes its unfinished file.
            rows.CompleteAdding();
            encoder.Join();
        }
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    private void WriteUncertainty()
    {
        string[] kinds = stainer.Novelty is null ? [TileStore.Variation] : [TileStore.Variation, TileStore.Novelty];
        SlideChannel[] channels = stainer.Novelty is null ? [TileUncertainty.Channel] : [TileUncertainty.Channel, SourceNovelty.Channel];
        SlideSpec spec = Spec with { Channels = kinds.Length, ChannelInfo = channels };
        SlideWriter.Write(SlideStainer.UncertaintyPath(path), spec,
            kinds.Length == 1 ? Regions(kinds[0]) : Regions(kinds[0]).Zip(Regions(kinds[1]), TileUncertainty.Join));

        IEnumerable<Image> Regions(string kind) => spec.Tiles.Select(Blender(kind, [0], selected.Contains).Read);
    }
}
