using Tinctor.Slides;
using Tinctor.Slides.Tissue;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Stains a slide tile by tile. Reading, inference, blending and encoding run in parallel, and memory use does not grow with the size of
/// the slide. Interrupted staining resumes from tiles in a folder beside the result.
/// </summary>
public sealed class SlideStainer
{
    // More than the tiles that the preparation of a slide reads, and those between two stainings that advance together.
    private const int RegionsKept = 32;
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

    /// <summary>Gets the file of the uncertainty that belongs to a stained slide.</summary>
    public static string UncertaintyPath(string path) => $"{Slide.Stem(path)}.uncertainty.ome.tif";

    /// <summary>Opens the tiles of the slide, to stain them in any order; those stained before are kept.</summary>
    /// <exception cref="TinctorException">The slide is damaged, or another process stains it.</exception>
    public SlideTiles Open() => Open(shared: null);

    private SlideTiles Open(SharedReads? shared, TileLock? access = null) =>
        new(stainer, slide, path, options, tissue, Scale, Spec, shared, access);

    /// <summary>Stains one slide with several stains, tile by tile in turn: each tile is read once for all of them.</summary>
    /// <param name="stains">One staining of the same slide for each stain, with the same options.</param>
    /// <param name="progress">Receives the number of stained tiles of all stains, on the calling thread.</param>
    /// <param name="cancel">Cancels after the current batch. A later call with the same arguments resumes.</param>
    /// <exception cref="TinctorException">The slide is damaged, or another process stains it.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static IReadOnlyList<StainedSlide> StainTogether(IReadOnlyList<SlideStainer> stains, Action<SlideProgress>? progress = null,
        CancellationToken cancel = default) => StainTogether(stains, null, null, progress, cancel)!;

    /// <summary>Stains one slide, or a band of it, with several stains, tile by tile in turn.</summary>
    /// <param name="stains">One staining of the same slide for each stain, with the same options.</param>
    /// <param name="band">
    /// Part of the rows of tiles that is stained, while other processes stain the others; the last one writes the slide. Null for all.
    /// </param>
    /// <param name="isFinished">
    /// Asked when the slide is locked: whether another process has finished it meanwhile, so that nothing is left to do. Null for no.
    /// </param>
    /// <param name="progress">Receives the number of stained tiles of all stains, on the calling thread.</param>
    /// <param name="cancel">Cancels after the current batch. A later call with the same arguments resumes.</param>
    /// <param name="complete">Writes what belongs to a stained slide, given the index of its staining; null for nothing.</param>
    /// <returns>The stained slides; null if another process has written or is to write them.</returns>
    /// <exception cref="TinctorException">The slide is damaged, or another process stains it.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    internal static IReadOnlyList<StainedSlide>? StainTogether(IReadOnlyList<SlideStainer> stains, Shard? band, Func<bool>? isFinished,
        Action<SlideProgress>? progress, CancellationToken cancel, Action<int, StainedSlide>? complete = null)
    {
        if (stains.Count == 0) return [];
        var shared = new SharedReads(stains[0].slide, RegionsKept + (4 * stains[0].options.BatchSize));
        var locks = new List<TileLock>();
        var opened = new List<SlideTiles>();
        try
        {
            foreach (SlideStainer stain in stains)
            {
                if (SlideTiles.TryLock(stain.path, band, isFinished) is not { } access) return null;
                locks.Add(access);
            }
            foreach ((SlideStainer stain, TileLock access) in stains.Zip(locks)) opened.Add(stain.Open(shared, access));
            return band is { } part ? SlideTiles.StainBandTogether(opened, part, progress, cancel, complete)
                : SlideTiles.FinishTogether(opened, progress, cancel, complete);
        }
        finally
        {
            foreach (SlideTiles tiles in opened) tiles.Dispose();
            foreach (TileLock access in locks) access.Dispose();
        }
    }

    /// <summary>Stains and writes the slide.</summary>
    /// <param name="progress">Receives the number of stained tiles, on the calling thread.</param>
    /// <param name="cancel">Cancels after the current batch. A later call with the same arguments resumes.</param>
    /// <exception cref="TinctorException">The slide is damaged, or another process stains it.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public StainedSlide Stain(Action<SlideProgress>? progress = null, CancellationToken cancel = default)
    {
        using SlideTiles tiles = Open();
        return tiles.Finish(progress, cancel);
    }
}
