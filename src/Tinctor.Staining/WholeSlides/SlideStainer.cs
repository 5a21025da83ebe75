using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Stains a slide tile by tile. Reading, inference, blending and encoding run in parallel, and memory use does not grow with the size of
/// the slide. Interrupted staining resumes from tiles in a folder beside the result.
/// </summary>
public sealed class SlideStainer
{
    private readonly Stainer stainer;
    private readonly SlideStainOptions options;
    private readonly Slide slide;
    private readonly string path;
    private readonly TissueMask? tissue;

    /// <summary>Prepares the staining of a slide.</summary>
    /// <param name="stainer">The model.</param>
    /// <param name="slide">The slide.</param>
    /// <param name="path">File to write; see <see cref="SlideWriter"/> for formats.</param>
    /// <param name="options">Options of staining.</param>
    /// <exception cref="TinctorException">The slide does not suit the model, or no tissue was found.</exception>
    /// <exception cref="OptionException">An option has a value that is not allowed.</exception>
    public SlideStainer(Stainer stainer, Slide slide, string path, SlideStainOptions options)
    {
        options.RequireValid(stainer.Model);
        if (slide.Channels != stainer.Model.InputChannels)
            throw stainer.WrongChannels(slide.Path, $"the slide has {slide.Channels} channels", slide.Channels);
        (this.stainer, this.options, this.slide, this.path) = (stainer, options, slide, path);
        Scale = SlideScale.Choose(slide, stainer.Model, options.WorkMpp);
        if (options.WholeSlide) return;
        tissue = options.Tissue ?? TissueMask.Detect(slide);
        if (tissue.IsEmpty)
        {
            throw new TinctorException(slide.Path, "no tissue was found", "Provide a tissue mask, or stain the whole slide")
            {
                Option = nameof(SlideStainOptions.WholeSlide),
            };
        }
        tissue = tissue.Dilated(options.TissueMargin / (slide.Mpp ?? Scale.Mpp ?? 0.5));
    }

    /// <summary>Resolution of staining.</summary>
    public SlideScale Scale { get; }

    /// <summary>Size and resolution of the stained slide.</summary>
    public SlideSpec Spec
    {
        get
        {
            (int width, int height) = slide.SizeAt(Scale.Downsample);
            int factor = stainer.Model.Upscaling;
            return new SlideSpec(width * factor, height * factor, stainer.Model.OutputChannels)
            {
                Mpp = Scale.Mpp,
                Name = slide.Name,
                JpegQuality = options.JpegQuality,
            };
        }
    }

    private string StorePath => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.tiles");

    /// <summary>Gets the file of the uncertainty that belongs to a stained slide.</summary>
    public static string UncertaintyPath(string path) => $"{Slide.Stem(path)}.uncertainty.ome.tif";

    /// <summary>Stains and writes the slide.</summary>
    /// <param name="progress">Receives the number of stained tiles, on the calling thread.</param>
    /// <param name="cancel">Cancels after the current batch. A later call with the same arguments resumes.</param>
    /// <exception cref="TinctorException">The slide is damaged, or another process stains it.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public StainedSlide Stain(Action<SlideProgress>? progress = null, CancellationToken cancel = default)
    {
        TileSource source = new(slide, Scale.Downsample);
        SlidePreparation preparation = SlidePreparation.Measure(stainer, source, options, tissue);
        TileLayout layout = preparation.Layout, stained = layout.Scale(stainer.Model.Upscaling);
        List<Tile> tiles = [.. layout.Tiles.Where(tile => source.TissueShare(layout, tile, tissue) > 0)];
        using var store = new TileStore(StorePath, Fingerprinted(layout), path);
        var seams = new SeamScore(stained, SlideStainOptions.Grain(stainer.Model.Upscaling) / 2 * stainer.Model.Upscaling);
        var work = new TileWork(stainer, source, preparation, options, slide.Name, store);
        var selected = tiles.ToHashSet();
        byte[] background = source.BackgroundColour(tissue);
        var blender = new TileBlender(stained, tile => selected.Contains(tile) ? store.Read(tile) : null, background, Soft(stained));
        EncodeWhileStaining(awaitRow =>
            SlideWriter.Write(path, Spec, EncodeTiles(blender, seams, stained, awaitRow)), layout, work.Stain(tiles),
            tiles.Count, progress, cancel);
        if (options.Uncertainty) WriteUncertainty(store, stained, selected);
        store.Delete();
        return new(slide.Path, stainer.ModelId, Scale, Spec, layout.Halo, tiles.Count, seams.Value)
        {
            IhcLevel = preparation.IhcLevel,
            Comparison = CompareWithSource(),
            NormalizationSkippedReason = preparation.NormalizationSkippedReason,
            Tissue = tissue,
            NoveltyShare = preparation.NoveltyShare,
        };
    }

    // Tiles of the file, each as soon as the stained tiles below it are complete.
    private IEnumerable<Image> EncodeTiles(TileBlender blender, SeamScore seams, TileLayout stained, Action awaitRow)
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

    private SoftMask? Soft(TileLayout stained) => tissue is null ? null : new(tissue, slide.Width / (double)stained.Across.Length);

    // Runs the encoder on a thread of its own, which waits for rows of stained tiles. A failure of either stops both.
    private static void EncodeWhileStaining(Action<Action> encode, TileLayout layout, IEnumerable<Tile> stained, int total,
        Action<SlideProgress>? progress, CancellationToken cancel)
    {
        using var rows = new BlockingCollection<int>();
        Exception? failure = null;
        var encoder = new Thread(() =>
        {
            try
            {
                encode(() => rows.Take());
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        { IsBackground = true, Name = "slide encoder" };
        encoder.Start();
        try
        {
            int done = 0, next = 0;
            foreach (Tile tile in stained)
            {
                while (next < tile.Row) rows.Add(next++);
                progress?.Invoke(new(++done, total));
                cancel.ThrowIfCancellationRequested();
                if (!encoder.IsAlive) break;
            }
            while (next < layout.Down.Count) rows.Add(next++);
        }
        catch
        {
            // The encoder's wait for a row fails, and it removes its unfinished file.
            rows.CompleteAdding();
            encoder.Join();
            throw;
        }
        encoder.Join();
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    private void WriteUncertainty(TileStore store, TileLayout stained, HashSet<Tile> selected)
    {
        string[] kinds = stainer.Novelty is null ? [TileStore.Variation] : [TileStore.Variation, TileStore.Novelty];
        SlideChannel[] channels = stainer.Novelty is null ? [TileUncertainty.Channel] : [TileUncertainty.Channel, SourceNovelty.Channel];
        SlideSpec spec = Spec with { Channels = kinds.Length, ChannelInfo = channels };
        SlideWriter.Write(UncertaintyPath(path), spec,
            kinds.Length == 1 ? Tiles(kinds[0]) : Tiles(kinds[0]).Zip(Tiles(kinds[1]), TileUncertainty.Join));

        IEnumerable<Image> Tiles(string kind) =>
            spec.Tiles.Select(new TileBlender(stained, tile => selected.Contains(tile) ? store.Read(tile, kind) : null, [0], Soft(stained))
                .Read);
    }
}
