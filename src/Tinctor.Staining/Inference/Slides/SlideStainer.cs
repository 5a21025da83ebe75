using System.Threading.Channels;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Torch;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>How far a slide is.</summary>
/// <param name="Done">Tiles that are stained.</param>
/// <param name="Total">Tiles with tissue.</param>
public readonly record struct SlideProgress(int Done, int Total);

/// <summary>What became of a slide.</summary>
/// <param name="Scale">The resolution it was stained at.</param>
/// <param name="Spec">The file that was written.</param>
/// <param name="Halo">Pixels of source along a tile's edge that did not count.</param>
/// <param name="Tiles">Tiles with tissue.</param>
/// <param name="Seams">The <see cref="SeamScore"/>.</param>
/// <param name="Level">The slide's level, where the model tells it.</param>
/// <param name="Comparison">What is left of the source; null for a format that cannot be read again.</param>
/// <param name="Untouched">Why the slide was not normalised as the model's sources were, if it was not.</param>
/// <param name="Tissue">Where was stained; null for everywhere.</param>
public sealed record StainedSlide(SlideScale Scale, SlideSpec Spec, int Halo, int Tiles, double Seams, LevelPrediction? Level,
    SlideComparison? Comparison, string? Untouched, TissueMask? Tissue);

/// <summary>
/// Stains a whole slide tile by tile: reads ahead, stains in batches, blends and encodes at the same time. Of the full resolution
/// no more than some tiles are held. What was interrupted goes on where it stopped, from the tiles in a folder beside the result.
/// </summary>
public sealed class SlideStainer
{
    private readonly Stainer stainer;
    private readonly SlideStainOptions options;
    private readonly Slide slide;
    private readonly string path;
    private readonly SlideScale scale;
    private readonly TissueMask? tissue;

    /// <summary>Prepares a slide.</summary>
    /// <param name="stainer">The model.</param>
    /// <param name="slide">The slide.</param>
    /// <param name="path">The file to write; see <see cref="SlideWriter"/> for formats.</param>
    /// <param name="options">How to stain.</param>
    /// <exception cref="TinctorException">The slide does not suit the model, or shows no tissue.</exception>
    public SlideStainer(Stainer stainer, Slide slide, string path, SlideStainOptions options)
    {
        options = options.For(stainer);
        if (slide.Channels != stainer.InputChannels)
            throw new TinctorException($"{slide.Path}: its number of channels is {slide.Channels}, the model takes {stainer.InputChannels}");
        (this.stainer, this.options, this.slide, this.path) = (stainer, options, slide, path);
        scale = SlideScale.Of(slide, stainer.Config, options.Mpp);
        if (options.Whole) return;
        tissue = options.Tissue ?? TissueMask.Of(slide);
        if (tissue.IsEmpty)
            throw new TinctorException($"{slide.Path}: no tissue was found; tell where it is with a mask, or stain the slide whole");
        tissue = tissue.Dilated(options.TissueMargin / (slide.Mpp ?? scale.Mpp ?? 0.5));
    }

    /// <summary>At which resolution the slide is stained.</summary>
    public SlideScale Scale => scale;

    /// <summary>What will be written.</summary>
    public SlideSpec Spec
    {
        get
        {
            (int width, int height) = slide.SizeAt(scale.Downsample);
            int factor = stainer.Config.Upscaling;
            return new SlideSpec(width * factor, height * factor, stainer.Config.OutputChannels)
            {
                Mpp = scale.Mpp,
                Name = slide.Name,
                JpegQuality = options.JpegQuality,
            };
        }
    }

    /// <summary>Stains and writes.</summary>
    /// <param name="modelId">Tells models apart: the hash of the weights.</param>
    /// <param name="progress">Hears of tiles.</param>
    /// <param name="cancel">Stops after the present tiles; the same call later goes on with what is left.</param>
    /// <exception cref="TinctorException">The slide is damaged.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public StainedSlide Stain(string modelId, IProgress<SlideProgress>? progress = null, CancellationToken cancel = default)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        TileSource source = new(slide, scale.Downsample);
        SlidePreparation preparation = SlidePreparation.Of(stainer, source, options, tissue);
        TileLayout layout = preparation.Layout, stained = layout.Times(stainer.Config.Upscaling);
        List<Tile> tiles = [.. layout.Tiles.Where(tile => source.TissueShare(layout, tile, tissue) > 0)];
        var store = new TileStore(StorePath, Identity(modelId, layout));
        var seams = new SeamScore(stained, SlideStainOptions.Grain(stainer.Config.Upscaling) / 2 * stainer.Config.Upscaling);
        var work = new TileWork(stainer, source, preparation, options, slide.Name, store);
        var selected = tiles.ToHashSet();
        byte[] white = source.GlassColour(tissue);
        var blender = new TileBlender(stained, tile => selected.Contains(tile) ? store.Read(tile) : null, white, Soft(stained));
        Follow(awaitRow => SlideWriter.Write(path, Spec, Encoded(blender, seams, stained, awaitRow)), layout, work.Stain(tiles), tiles.Count, progress, cancel);
        if (options.Uncertainty) WriteUncertainty(store, stained, selected);
        store.Delete();
        return new(scale, Spec, layout.Halo, tiles.Count, seams.Value, preparation.Level, Compare(), preparation.Untouched, tissue);
    }

    // The tiles of the file, each as soon as those stained are there that touch it.
    private IEnumerable<Image> Encoded(TileBlender blender, SeamScore seams, TileLayout stained, Action awaitRow)
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

    private SlideComparison? Compare()
    {
        if (path.EndsWith(".dzi", StringComparison.OrdinalIgnoreCase)) return null;
        using var written = Slide.Open(path);
        return SlideComparison.Of(slide, written, tissue);
    }

    /// <summary>Where the map of uncertainty goes that belongs to a stained slide.</summary>
    public static string UncertaintyPath(string path) => $"{Slide.Stem(path)}.uncertainty.ome.tif";

    private string StorePath => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.tiles");

    // All that a tile's pixels depend on.
    private string Identity(string modelId, TileLayout layout)
    {
        var file = new FileInfo(slide.Path);
        return string.Join('\n', slide.Path, file.Length, file.LastWriteTimeUtc.Ticks, scale.Downsample, modelId, layout, options, tissue?.Area);
    }

    private SoftMask? Soft(TileLayout stained) => tissue is null ? null : new(tissue, slide.Width / (double)stained.Across.Length);

    // Runs an encoder beside the staining: it waits for rows of tiles. What stops either stops both.
    private static void Follow(Action<Action> encode, TileLayout layout, IEnumerable<Tile> stained, int total,
        IProgress<SlideProgress>? progress, CancellationToken cancel)
    {
        var rows = Channel.CreateUnbounded<int>();
        Task encoder = Task.Run(() => encode(() => rows.Reader.ReadAsync().AsTask().GetAwaiter().GetResult()));
        try
        {
            int done = 0, next = 0;
            foreach (Tile tile in stained)
            {
                while (next < tile.Row) rows.Writer.TryWrite(next++);
                progress?.Report(new(++done, total));
                cancel.ThrowIfCancellationRequested();
                if (encoder.IsCompleted) break;
            }
            while (next < layout.Down.Count) rows.Writer.TryWrite(next++);
        }
        catch (Exception error)
        {
            rows.Writer.Complete(error);
            ((IAsyncResult)encoder).AsyncWaitHandle.WaitOne();
            throw;
        }
        encoder.GetAwaiter().GetResult();
    }

    private void WriteUncertainty(TileStore store, TileLayout stained, HashSet<Tile> selected)
    {
        string[] kinds = stainer.Novelty is null ? [TileStore.Variation] : [TileStore.Variation, TileStore.Novelty];
        SlideSpec spec = Spec with { Channels = kinds.Length, ChannelInfo = [TileUncertainty.Channel, .. stainer.Novelty is null ? [] : new[] { SourceNovelty.Channel }] };
        SlideWriter.Write(UncertaintyPath(path), spec, kinds.Length == 1 ? Tiles(kinds[0]) : Tiles(kinds[0]).Zip(Tiles(kinds[1]), TileUncertainty.Joined));

        IEnumerable<Image> Tiles(string kind) =>
            spec.Tiles.Select(new TileBlender(stained, tile => selected.Contains(tile) ? store.Read(tile, kind) : null, [0], Soft(stained)).Read);
    }
}
