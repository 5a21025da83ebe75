using Tinctor.Slides;
using Tinctor.Staining.Execution;

namespace Tinctor.Staining.WholeSlides;

/// <summary>Stains the tiles of one slide into its store.</summary>
internal sealed class TileWork
{
    private const int Ahead = 4;

    private readonly Stainer stainer;
    private readonly TileSource source;
    private readonly SlidePreparation slide;
    private readonly SlideStainOptions options;
    private readonly string name;
    private readonly TileStore store;
    private readonly IReadOnlyList<Tile> tiles;
    private readonly KernelMoments? kernel;
    private readonly ILookup<int, Tile>? toMeasure; // by row

    /// <param name="stainer">The model.</param>
    /// <param name="source">Reads the tiles.</param>
    /// <param name="slide">Properties measured on the slide.</param>
    /// <param name="options">Options of staining.</param>
    /// <param name="name">Name of the slide, which its noise belongs to.</param>
    /// <param name="store">Receives stained tiles.</param>
    /// <param name="tiles">The tiles to stain, row by row.</param>
    public TileWork(Stainer stainer, TileSource source, SlidePreparation slide, SlideStainOptions options, string name, TileStore store,
        IReadOnlyList<Tile> tiles)
    {
        (this.stainer, this.source, this.slide, this.options, this.name) = (stainer, source, slide, options, name);
        (this.store, this.tiles) = (store, tiles);
        if (!stainer.NormalizesByImage || options.Normalization != TileNormalization.Kernel) return;
        kernel = new(options.KernelRadius, options.KernelStep, options.GaussianKernel, slide.Layout.Down.Count, slide.Layout.Across.Count);
        toMeasure = kernel.Measured(tiles).ToLookup(tile => tile.Row);
    }

    private enum Task
    {
        /// <summary>The tile is stored already.</summary>
        None,

        /// <summary>Measure its moments.</summary>
        Measure,

        /// <summary>Stain it.</summary>
        Stain,
    }

    /// <summary>Number of tiles that fit into memory at a time, if it is below the batch size; null if the batch size fits.</summary>
    public int? ReducedBatch { get; private set; }

    /// <summary>
    /// Stains tiles in their order and returns each as soon as it is stored, those stored before at once, and null for each tile whose
    /// moments were measured.
    /// </summary>
    /// <param name="band">Rows of tiles: the first one, and the first one after them.</param>
    public IEnumerable<Tile?> Stain((int First, int End) band)
    {
        IEnumerable<Step> steps = ReadAhead.Of(Plan(band), options.BatchSize + Ahead, Read).Select(read => read.Result);
        return ReadAhead.Of(Batches(steps).SelectMany(RunInOrder), Ahead, Store)
            .Select(stored => stored.Item.IsMeasured ? (Tile?)null : stored.Item.Tile);
    }

    /// <summary>Stains one tile, unless it is stored already. Tiles can be stained in any order.</summary>
    public void Stain(Tile tile)
    {
        if (store.Has(tile)) return;
        IEnumerable<Tile> missing = kernel?.Missing(tile, toMeasure!) ?? [];
        foreach (Tile near in missing) Run([Read(new(near, Task.Measure))]);
        foreach (StainedTile stained in Run([Read(new(tile, Task.Stain))])) Store(stained);
    }

    // Kernelized normalisation measures the rows within its kernel before it stains one.
    private IEnumerable<Step> Plan((int First, int End) band)
    {
        int measured = -1;
        foreach (IGrouping<int, Tile> row in tiles.Where(tile => tile.Row >= band.First && tile.Row < band.End).GroupBy(tile => tile.Row))
        {
            Step[] steps = [.. row.Select(tile => new Step(tile, store.Has(tile) ? Task.None : Task.Stain))];
            if (toMeasure is not null && steps.Any(step => step.Task == Task.Stain))
            {
                for (int near = Math.Max(measured + 1, row.Key - kernel!.Reach); near <= row.Key + kernel.Reach; near++)
                    foreach (Tile tile in toMeasure[near]) yield return new(tile, Task.Measure);
                measured = Math.Max(measured, row.Key + kernel.Reach);
            }
            foreach (Step step in steps) yield return step;
        }
    }

    private Step Read(Step step) => step.Task == Task.None ? step : step with { Source = source.Read(slide.Layout, step.Tile) };

    private IEnumerable<List<Step>> Batches(IEnumerable<Step> steps)
    {
        List<Step> batch = [];
        foreach (Step step in steps)
        {
            if (batch.Count == (ReducedBatch ?? options.BatchSize) || (batch.Count > 0 && batch[0].Task != step.Task))
            {
                yield return batch;
                batch = [];
            }
            batch.Add(step);
        }
        if (batch.Count > 0) yield return batch;
    }

    private List<StainedTile> RunInOrder(List<Step> batch)
    {
        if (batch[0].Task == Task.Stain) kernel?.RemoveAbove(batch[0].Tile.Row);
        return Run(batch);
    }

    private List<StainedTile> Run(List<Step> batch)
    {
        try
        {
            return RunAtOnce(batch);
        }
        catch (Exception e) when (MemoryShortage.IsCause(e))
        {
            if (batch.Count == 1) throw TooLarge(batch[0], e);
        }
        // Outside of the handler, which keeps the memory of the batch alive.
        ReducedBatch = batch.Count / 2;
        return [.. batch.Chunk(ReducedBatch.Value).SelectMany(part => Run([.. part]))];
    }

    private static TinctorException TooLarge(Step step, Exception e) => new(null,
        $"memory is too short to stain one tile of {step.Source?.Width} x {step.Source?.Height} pixels with its halo",
        "Use smaller tiles, or end other programs", e)
    { Option = nameof(SlideStainOptions.TileSize) };

    private List<StainedTile> RunAtOnce(List<Step> batch)
    {
        if (batch[0].Task == Task.None) return [.. batch.Select(step => new StainedTile(step.Tile, []))];
        ImageBatch images = stainer.ToBatch([.. batch.Select(step => step.Source!)], source.Statistics);
        Tile[] places = [.. batch.Select(step => step.Tile)];
        if (batch[0].Task == Task.Stain) return Stained(images, places, batch);
        IReadOnlyList<ImageMoments> moments = stainer.Measure(images, slide.IhcLogits, NormalizationContext.Recorded).Moments!;
        foreach ((Tile tile, ImageMoments own) in places.Zip(moments)) kernel!.Add(tile, own);
        return [.. places.Select(tile => new StainedTile(tile, []) { IsMeasured = true })];
    }

    private List<StainedTile> Stained(ImageBatch images, Tile[] places, List<Step> batch)
    {
        NormalizationContext normalization = kernel is not null ? NormalizationContext.Use([.. places.Select(kernel.Smooth)])
            : slide.Moments is { } moments ? NormalizationContext.Use([.. places.Select(_ => moments)])
            : NormalizationContext.PerImage;
        (ImageBatch stained, ImageBatch? variation) = TileUncertainty.Stain(images, stainer.Model.IsStochastic, options,
            (oriented, run) => stainer.Run(oriented, SamplingAt(places, run), slide.IhcLogits, normalization).Image);
        var results = new List<StainedTile>();
        foreach ((int i, Step step) in batch.Index())
        {
            List<(string, Image)> made = [(TileStore.Stained, stained.ToImage(i))];
            if (variation is not null) made.Add((TileStore.Variation, variation.ToImage(i, ValueRange.ZeroToOne)));
            if (variation is not null && stainer.Novelty is { } novelty)
                made.Add((TileStore.Novelty, novelty.Map(step.Source!, stainer.Model.Upscaling)));
            results.Add(new(step.Tile, made));
        }
        return results;
    }

    private SamplingRequest? SamplingAt(Tile[] places, int run)
    {
        if (stainer.Model.Bridge is not { } bridge) return null;
        int factor = stainer.Model.Upscaling;
        return new(options.Sampling ?? bridge.Sampling, [.. places.Select(tile => new NoiseOrigin(name, options.Seed, 0,
            slide.Layout.Across.Start(tile.Column) * factor, slide.Layout.Down.Start(tile.Row) * factor))], run);
    }

    // The stained image is written last: a tile that has one is complete.
    private bool Store(StainedTile stained)
    {
        foreach ((string kind, Image image) in Enumerable.Reverse(stained.Images)) store.Write(stained.Tile, image, kind);
        return true;
    }

    private sealed record Step(Tile Tile, Task Task)
    {
        public Image? Source { get; init; }
    }

    private sealed record StainedTile(Tile Tile, List<(string Kind, Image Image)> Images)
    {
        public bool IsMeasured { get; init; }
    }
}
