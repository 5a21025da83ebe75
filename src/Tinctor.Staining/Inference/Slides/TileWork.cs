using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Staining.Inference.Slides;

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
    private readonly IReadOnlyList<INormalisesByImage> norms;
    private readonly KernelMoments? kernel;

    /// <param name="stainer">The model.</param>
    /// <param name="source">Gives the tiles.</param>
    /// <param name="slide">What is known of the slide.</param>
    /// <param name="options">How to stain.</param>
    /// <param name="name">What the slide is called, for noise that belongs to it.</param>
    /// <param name="store">Takes what was stained.</param>
    public TileWork(Stainer stainer, TileSource source, SlidePreparation slide, SlideStainOptions options, string name, TileStore store)
    {
        (this.stainer, this.source, this.slide, this.options, this.name, this.store) = (stainer, source, slide, options, name, store);
        norms = stainer.ImageNorms;
        if (norms.Count > 0 && options.Statistics == TileStatistics.Kernel)
            kernel = new(options.KernelRadius, options.GaussianKernel, slide.Layout.Down.Count, slide.Layout.Across.Count);
    }

    private enum Kind
    {
        /// <summary>Is stored already.</summary>
        Done,

        /// <summary>Its moments are wanted.</summary>
        Look,

        /// <summary>Is to be stained.</summary>
        Stain,
    }

    /// <summary>The tiles in their order, each as soon as it is stored; those that were stored before at once.</summary>
    public IEnumerable<Tile> Stain(IReadOnlyList<Tile> tiles)
    {
        IEnumerable<Step> steps = ReadAhead.Of(Plan(tiles), options.Batch + Ahead, Read).Select(read => read.Result);
        return ReadAhead.Of(Batches(steps).SelectMany(Run), Ahead, Store).Select(stored => stored.Item.Tile);
    }

    // Kernelized normalisation looks at the rows that it reaches before it stains one.
    private IEnumerable<Step> Plan(IReadOnlyList<Tile> tiles)
    {
        var rows = tiles.ToLookup(tile => tile.Row);
        int looked = -1;
        foreach (IGrouping<int, Tile> row in rows)
        {
            Step[] steps = [.. row.Select(tile => new Step(tile, store.Has(tile) ? Kind.Done : Kind.Stain))];
            if (kernel is not null && steps.Any(step => step.Kind == Kind.Stain))
            {
                for (int near = Math.Max(looked + 1, row.Key - kernel.Radius); near <= row.Key + kernel.Radius; near++)
                    foreach (Tile tile in rows[near]) yield return new(tile, Kind.Look);
                looked = Math.Max(looked, row.Key + kernel.Radius);
            }
            foreach (Step step in steps) yield return step;
        }
    }

    private Step Read(Step step) => step.Kind == Kind.Done ? step : step with { Source = source.Read(slide.Layout, step.Tile) };

    private IEnumerable<List<Step>> Batches(IEnumerable<Step> steps)
    {
        List<Step> batch = [];
        foreach (Step step in steps)
        {
            if (batch.Count == options.Batch || (batch.Count > 0 && batch[0].Kind != step.Kind))
            {
                yield return batch;
                batch = [];
            }
            batch.Add(step);
        }
        if (batch.Count > 0) yield return batch;
    }

    private List<StainedTile> Run(List<Step> batch)
    {
        if (batch[0].Kind == Kind.Done) return [.. batch.Select(step => new StainedTile(step.Tile, []))];
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor images = torch.stack([.. batch.Select(step => step.Source!.ToTensor(ValueRange.MinusOneToOne))]);
        Tile[] tiles = [.. batch.Select(step => step.Tile)];
        if (batch[0].Kind == Kind.Stain) return Stained(images, tiles, batch);
        NormMoments[] moments = NormMoments.Record(norms, tiles.Length, () => stainer.StainParts(images, ChanceAt(tiles, 0)?.Quick, slide.Logits));
        foreach ((Tile tile, NormMoments own) in tiles.Zip(moments)) kernel!.Add(tile, own);
        return [];
    }

    private List<StainedTile> Stained(Tensor images, Tile[] tiles, List<Step> batch)
    {
        kernel?.Forget(tiles[0].Row);
        (Tensor stained, Tensor? variation) = TileUncertainty.Stain(images, stainer.Sampling is not null, options,
            (turned, run) => Forward(turned, tiles, run));
        var results = new List<StainedTile>();
        foreach ((int i, Step step) in batch.Index())
        {
            List<(string, Image)> made = [(TileStore.Stained, Image.FromTensor(stained[i], ValueRange.MinusOneToOne))];
            if (variation is not null) made.Add((TileStore.Variation, Image.FromTensor(variation[i], ValueRange.ZeroToOne)));
            if (variation is not null && stainer.Novelty is { } novelty)
                made.Add((TileStore.Novelty, novelty.Map(step.Source!, stainer.Config.Upscaling)));
            results.Add(new(step.Tile, made));
        }
        return results;
    }

    // One forward pass over tiles that may be turned; by their own moments image by image, also in layers that would take the batch together.
    private Tensor Forward(Tensor images, Tile[] tiles, int run)
    {
        Tensor? stained = null;
        void Pass() => stained = stainer.StainParts(images, ChanceAt(tiles, run), slide.Logits).Stained;
        if (kernel is not null) NormMoments.Use(norms, [.. tiles.Select(kernel.Of)], Pass);
        else if (slide.Moments is { } moments) NormMoments.Use(norms, [.. tiles.Select(_ => moments)], Pass);
        else NormMoments.UseOwn(norms, Pass);
        return stained!;
    }

    private Chance? ChanceAt(Tile[] tiles, int run)
    {
        if (stainer.Sampling is not { } own) return null;
        int factor = stainer.Config.Upscaling;
        return new(options.Sampling ?? own, [.. tiles.Select(tile => new NoisePlace(name, options.Seed, 0,
            slide.Layout.Across.Start(tile.Column) * factor, slide.Layout.Down.Start(tile.Row) * factor))], run);
    }

    // The stained image comes last: what has one is done.
    private bool Store(StainedTile stained)
    {
        foreach ((string kind, Image image) in Enumerable.Reverse(stained.Images)) store.Write(stained.Tile, image, kind);
        return true;
    }

    private sealed record Step(Tile Tile, Kind Kind)
    {
        public Image? Source { get; init; }
    }

    private sealed record StainedTile(Tile Tile, List<(string Kind, Image Image)> Images);
}
