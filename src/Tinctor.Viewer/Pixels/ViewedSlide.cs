using Tinctor.Slides;
using Tinctor.Slides.Tiff;

namespace Tinctor.Viewer.Pixels;

/// <summary>
/// Open slide whose regions are read as 8-bit RGB for display: colours in sRGB, channels merged in their colours with one display range for
/// the whole slide. Files that would take much memory to decode are refused. Safe for use by several threads.
/// </summary>
internal sealed class ViewedSlide : IDisposable
{
    // A tile is decoded as a whole, and images that are not tiled, too. Coarsest levels are read as a whole for the overview.
    private const long LargestTile = 1 << 25, LargestImage = 100_000_000, LargestCoarsest = 1 << 29;
    private const int OverviewSide = 1024;

    private readonly Slide slide;
    private readonly double overviewDownsample;
    private readonly Lazy<Image> overview;
    private readonly Lazy<IReadOnlyList<SlideChannel>> channels, autoRanged;

    private ViewedSlide(Slide slide, long heldBytes)
    {
        (this.slide, HeldBytes) = (slide, heldBytes);
        IsBrightfield = slide.IsRgb && slide.Modality == Modality.Brightfield;
        IsColour = slide.IsRgb || slide.Modality == Modality.Grey;
        overviewDownsample = Math.Max(1, (double)Math.Max(slide.Width, slide.Height) / OverviewSide);
        overview = new(() => slide.Thumbnail(OverviewSide));
        channels = new(() => SlideChannel.WithRanges(KnownChannels(slide), overview.Value));
        autoRanged = new(() => SlideChannel.WithRanges([], overview.Value));
    }

    /// <summary>The slide, for its metadata.</summary>
    public Slide Slide => slide;

    /// <summary>Whether the slide is brightfield RGB, which has layers of stains.</summary>
    public bool IsBrightfield { get; }

    /// <summary>Whether the samples are colours or grey rather than channels.</summary>
    public bool IsColour { get; }

    /// <summary>Estimated memory that the open slide takes.</summary>
    public long HeldBytes { get; }

    /// <summary>
    /// Channels with colours and display ranges; of fluorescence that is stored as colours, red, green and blue; empty for brightfield.
    /// </summary>
    public IReadOnlyList<SlideChannel> Channels => IsBrightfield ? [] : channels.Value;

    /// <summary>Display ranges of <see cref="Channels"/> by the overview: from the 0.1 to the 99.9 percentile.</summary>
    public IReadOnlyList<(double Low, double High)> AutomaticRanges =>
        IsBrightfield ? [] : [.. autoRanged.Value.Select(channel => channel.Display!.Value)];

    /// <summary>Opens a slide.</summary>
    /// <param name="path">File, or folder of DICOM.</param>
    /// <param name="isAllowed">Whether a file of the slide may be read.</param>
    /// <exception cref="TinctorException">The slide cannot be read, is too large, or has a file that may not be read.</exception>
    public static ViewedSlide Open(string path, Func<string, bool> isAllowed)
    {
        RequireAllowed([path], isAllowed);
        bool isTiled = CheckTiles(path);
        Slide slide = Slide.Open(path);
        try
        {
            RequireAllowed(slide.Files, isAllowed);
            // OpenSlide and DICOM read parts of pages without tiles; libvips decodes all of them.
            bool isWhole = !isTiled && !slide.Format.EndsWith(" slide", StringComparison.Ordinal)
                && SlideFormats.Identify(path)?.Name is not "DICOM";
            SlideLevel level = slide.Levels[isWhole ? 0 : ^1];
            long pixels = (long)level.Width * level.Height, most = isWhole ? LargestImage : LargestCoarsest;
            if (pixels > most)
            {
                throw new TinctorException(path, $"{level.Width}x{level.Height} pixels without tiles or a smaller level, "
                    + $"but at most {most / 1_000_000} million can be viewed", "Convert it to an OME-TIFF with a pyramid.");
            }
            return new(Display(slide), isWhole ? pixels * slide.Channels * Image.BytesPerSample(slide.SampleType) : 0);
        }
        catch
        {
            slide.Dispose();
            throw;
        }
    }

    /// <summary>Reads a region for display.</summary>
    /// <param name="downsample">Pixels of level 0 per pixel of the region, above 0.</param>
    /// <param name="x">Left edge in pixels of that resolution.</param>
    /// <param name="y">Upper edge in pixels of that resolution.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="shown">Channels to merge; null for all, as the slide states them.</param>
    /// <exception cref="TinctorException">The file is damaged there, or gone.</exception>
    public Image Read(double downsample, int x, int y, int width, int height, IReadOnlyList<ShownChannel>? shown = null)
    {
        Image pixels = ReadSamples(downsample, x, y, width, height);
        return shown is not null ? pixels.Merge(shown) : IsColour ? pixels.ToRgb8() : pixels.ToDisplay(channels.Value);
    }

    /// <summary>Reads the samples of a region; the parameters are those of <see cref="Read"/>.</summary>
    /// <exception cref="TinctorException">The file is damaged there, or gone.</exception>
    public Image ReadSamples(double downsample, int x, int y, int width, int height) =>
        downsample > Math.Max(overviewDownsample, slide.Levels[^1].Downsample)
            ? FromOverview(downsample, x, y, width, height) : slide.ReadAt(downsample, x, y, width, height);

    /// <summary>Reads the whole slide for display, reduced so that no side is longer than a number of pixels; never enlarged.</summary>
    public Image Thumbnail(int longest)
    {
        double downsample = Math.Max(1, (double)Math.Max(slide.Width, slide.Height) / longest);
        (int width, int height) = slide.SizeAt(downsample);
        return Read(downsample, 0, 0, width, height);
    }

    /// <inheritdoc/>
    public void Dispose() => slide.Dispose();

    // The coarsest level is read once, however often small views are requested.
    private Image FromOverview(double downsample, int x, int y, int width, int height) =>
        Resampler.Window(overview.Value, 0, 0, downsample / overviewDownsample, x, y, width, height, ResizeKernel.Cubic);

    // Colours are shown in their whole range.
    private static IReadOnlyList<SlideChannel> KnownChannels(Slide slide)
    {
        (double, double) whole = (0, slide.SampleType == SampleType.UInt8 ? byte.MaxValue : ushort.MaxValue);
        return slide switch
        {
            { IsRgb: true } => [new("red") { Colour = 0xFF0000, Display = whole }, new("green") { Colour = 0x00FF00, Display = whole },
                new("blue") { Colour = 0x0000FF, Display = whole }],
            { Modality: Modality.Grey } => [new("grey") { Display = whole }],
            _ => slide.ChannelInfo,
        };
    }

    private static Slide Display(Slide slide)
    {
        try
        {
            return slide.AsSrgb();
        }
        catch (TinctorException)
        {
            // A damaged profile is no reason to show nothing.
            return slide;
        }
    }

    private static void RequireAllowed(IEnumerable<string> files, Func<string, bool> isAllowed)
    {
        foreach (string file in files)
            if (!isAllowed(file))
                throw new TinctorException(file, "leads out of the folders of slides", "Add the folder that holds the file.");
    }

    // Whether all pages of a TIFF have tiles.
    private static bool CheckTiles(string path)
    {
        if (Directory.Exists(path)) return false;
        using FileStream file = InputFile.Open(path);
        if (!TiffFile.IsTiff(file)) return false;
        TiffPage[] pages;
        try
        {
            pages = [.. new TiffFile(file).Pages().SelectMany(page => page.Smaller.Prepend(page))];
        }
        catch (TinctorException e) when (e.File is null)
        {
            throw new TinctorException(path, $"cannot be opened ({e.Problem})", "Copy or export the file again.", e);
        }
        foreach ((long width, long height) in pages.Select(page => page.Tile).OfType<(long, long)>())
        {
            if (width is <= 0 or > LargestTile || height is <= 0 or > LargestTile || width * height > LargestTile)
                throw new TinctorException(path, $"tiles of {width}x{height} pixels, but at most {LargestTile} pixels can be viewed",
                    "Convert it to an OME-TIFF with smaller tiles.");
        }
        return pages.All(page => page.Tile is not null);
    }
}
