using Tinctor.Slides.Formats;
using Tinctor.Slides.Native;

namespace Tinctor.Slides;

/// <summary>
/// A whole slide, or an image that is treated as one: a pyramid of levels, of which regions are read. Memory does not grow with the slide.
/// Safe for several threads. Values are those of the file; grey stays one channel, brightfield is RGB.
/// </summary>
public sealed class Slide : IDisposable
{
    private const long MostPixels = 1 << 25;

    private readonly SlideFormat format;

    private Slide(string path, SlideFormat format, double? mpp)
    {
        (Path, this.format) = (path, format);
        (Mpp, MppOrigin) = mpp is double given ? (given, "as given") : (format.PixelSize?.Mpp, format.PixelSize?.Origin ?? "not known");
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The file's name without folder and extension: b of a/b.ome.tif.</summary>
    public string Name => Stem(System.IO.Path.GetFileName(Path));

    /// <summary>What people call the format.</summary>
    public string Format => format.Name;

    /// <summary>The pyramid, the finest level first.</summary>
    public IReadOnlyList<SlideLevel> Levels => format.Levels;

    /// <summary>Pixels across, at level 0.</summary>
    public int Width => Levels[0].Width;

    /// <summary>Pixels down, at level 0.</summary>
    public int Height => Levels[0].Height;

    /// <summary>Samples in a pixel.</summary>
    public int Channels => format.Channels;

    /// <summary>How a sample is stored.</summary>
    public SampleType SampleType => format.SampleType;

    /// <summary>Names, colours and display ranges of the channels, where the file tells them; nothing, or one for each.</summary>
    public IReadOnlyList<SlideChannel> ChannelInfo => format.ChannelInfo;

    /// <summary>
    /// Modality of the slide. RGB is brightfield, unless more than half of an overview is below a quarter of the range in every channel: then it
    /// is fluorescence stored as RGB. One channel is grey under the same condition, unless the file names it or gives it a colour. All other
    /// slides are fluorescence. <see cref="Image.EstimateModality"/> is the rule for images without metadata.
    /// </summary>
    /// <exception cref="TinctorException">The overview is damaged.</exception>
    public Modality Modality => Named(Path, "its overview cannot be read", () => format.Modality);

    /// <summary>Whether the three channels are red, green and blue; false for separate channels, also if there are three.</summary>
    public bool IsRgb => format.IsRgb;

    /// <summary>What a reader should know: planes that are not read, one channel that is stored as RGB.</summary>
    /// <exception cref="TinctorException">The overview is damaged.</exception>
    public IReadOnlyList<string> Remarks => Named(Path, "its overview cannot be read", () => (string[])[.. format.Remarks, .. OnColours()]);

    /// <summary>Micrometres per pixel of level 0; null where nothing tells it.</summary>
    public double? Mpp { get; }

    /// <summary>Who tells the micrometres per pixel.</summary>
    public string MppOrigin { get; }

    /// <summary>Magnification of the objective, where the file tells it.</summary>
    public double? Objective => format.Objective;

    /// <summary>All that the file says of itself.</summary>
    public IReadOnlyDictionary<string, string> Properties => format.Properties;

    /// <summary>Names of the label, macro and other images beside the slide.</summary>
    public IReadOnlyList<string> AssociatedNames => format.AssociatedNames;

    /// <summary>A path without the extension, .ome included: a/b of a/b.ome.tif.</summary>
    public static string Stem(string path)
    {
        string stem = System.IO.Path.ChangeExtension(path, null);
        return stem.EndsWith(".ome", StringComparison.OrdinalIgnoreCase) ? stem[..^4] : stem;
    }

    /// <summary>
    /// Opens an SVS, NDPI, MRXS, SCN, BIF, TIFF or OME-TIFF slide, or a PNG or JPEG image.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="mpp">Micrometres per pixel of level 0, where the file does not tell them or is wrong.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="TinctorException">It is no slide, or damaged; says so in one line that names it.</exception>
    public static Slide Open(string path, double? mpp = null)
    {
        if (mpp is not (null or > 0 and < double.PositiveInfinity))
            throw new ArgumentOutOfRangeException(nameof(mpp), mpp, "micrometres per pixel must be above 0");
        VipsLibrary.Require();
        return new Slide(path, Named(path, "cannot be opened", () => (SlideFormat?)OpenSlideFormat.Open(path) ?? VipsFormat.Open(path)), mpp);
    }

    /// <summary>
    /// Pixels of a level. What lies outside of it is background: white, or what the file names, of brightfield, and black of fluorescence.
    /// </summary>
    /// <param name="level">Which level; 0 is the finest.</param>
    /// <param name="x">Left edge in pixels of that level; may lie outside.</param>
    /// <param name="y">Upper edge.</param>
    /// <param name="width">Pixels across, at least 1.</param>
    /// <param name="height">Pixels down, at least 1.</param>
    /// <exception cref="TinctorException">The file is damaged there, or gone; says so in one line that names it.</exception>
    public Image Read(int level, int x, int y, int width, int height)
    {
        SlideLevel size = Levels[level];
        int left = Math.Max(x, 0), top = Math.Max(y, 0);
        long right = Math.Min((long)x + width, size.Width), bottom = Math.Min((long)y + height, size.Height);
        if (left >= right || top >= bottom) return Empty(width, height);
        Image inside = Named(Path, $"cannot be read at ({left}, {top}) of level {level}",
            () => format.Read(level, left, top, (int)(right - left), (int)(bottom - top)));
        if (inside.Width == width && inside.Height == height) return inside;
        Image region = Empty(width, height);
        region.Paste(inside, left - x, top - y);
        return region;
    }

    /// <summary>The tiles of a region at any resolution, as <see cref="ReadAt"/> gives it: read on all cores some tiles before they are needed.</summary>
    /// <param name="downsample">Pixels of level 0 to a pixel of the region, above 0.</param>
    /// <param name="x">Left edge of the region in pixels of that resolution; may lie outside.</param>
    /// <param name="y">Upper edge.</param>
    /// <param name="spec">Its size and that of its tiles.</param>
    /// <exception cref="TinctorException">The file is damaged there, or gone; says so in one line that names it.</exception>
    public IEnumerable<Image> ReadTiles(double downsample, int x, int y, SlideSpec spec) => ReadAhead
        .Of(spec.Tiles, Environment.ProcessorCount, tile => ReadAt(downsample, x + tile.X, y + tile.Y, tile.Width, tile.Height)).Select(read => read.Result);

    /// <summary>The size of the slide at so many pixels of level 0 a pixel.</summary>
    public (int Width, int Height) SizeAt(double downsample) =>
        (Math.Max(1, (int)Math.Round(Width / downsample)), Math.Max(1, (int)Math.Round(Height / downsample)));

    /// <summary>
    /// A region at any resolution, from the best level: the coarsest that is no coarser. A pixel's place and value do not depend on the region
    /// that it is read with.
    /// </summary>
    /// <param name="downsample">Pixels of level 0 to a pixel of the region, above 0; mpp / <see cref="Mpp"/> for a resolution.</param>
    /// <param name="x">Left edge in pixels of that resolution; may lie outside.</param>
    /// <param name="y">Upper edge.</param>
    /// <param name="width">Pixels across, at least 1.</param>
    /// <param name="height">Pixels down, at least 1.</param>
    /// <exception cref="TinctorException">The file is damaged there, or gone; says so in one line that names it.</exception>
    public Image ReadAt(double downsample, int x, int y, int width, int height)
    {
        if (!(downsample > 0)) throw new ArgumentOutOfRangeException(nameof(downsample), downsample, "must be above 0");
        int level = LevelFor(downsample);
        double scale = downsample / Levels[level].Downsample;
        // The level itself, if pixels do not drift apart by half of one over the whole of it.
        if (Math.Abs(scale - 1) * Math.Max(Levels[level].Width, Levels[level].Height) < 0.5) return Read(level, x, y, width, height);
        if (width * scale * height * scale > MostPixels && (width > 1 || height > 1)) return InHalves(downsample, x, y, width, height);
        const ResizeKernel kernel = ResizeKernel.Cubic;
        int reach = Resampler.Reach(scale, kernel);
        int left = (int)Math.Floor(x * scale) - reach, top = (int)Math.Floor(y * scale) - reach;
        Image source = Read(level, left, top, (int)Math.Ceiling((x + width) * scale) + reach - left,
            (int)Math.Ceiling((y + height) * scale) + reach - top);
        return Resampler.Window(source, left, top, scale, x, y, width, height, kernel);
    }

    /// <summary>The whole slide, no side longer than so many pixels.</summary>
    public Image Thumbnail(int longest)
    {
        double downsample = Math.Max(1, (double)Math.Max(Width, Height) / longest);
        (int width, int height) = SizeAt(downsample);
        return ReadAt(downsample, 0, 0, width, height);
    }

    /// <summary>One of the images beside the slide.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    /// <exception cref="TinctorException">It is damaged.</exception>
    public Image ReadAssociated(string name) => AssociatedNames.Contains(name)
        ? Named(Path, $"the image {name} cannot be read", () => format.ReadAssociated(name))
        : throw new ArgumentException($"{Path}: has no image {name}; it has {string.Join(", ", AssociatedNames)}", nameof(name));

    /// <inheritdoc/>
    public void Dispose() => format.Dispose();

    // A level that is finer by a hair counts as fine enough: factors are not quite whole where sizes are odd.
    private int LevelFor(double downsample) =>
        Math.Max(0, Enumerable.Range(0, Levels.Count).LastOrDefault(level => Levels[level].Downsample <= downsample * 1.005));

    // JPEG leaves some colour in samples that were 0.
    private IEnumerable<string> OnColours()
    {
        if (!IsRgb || Modality != Modality.Fluorescence) yield break;
        Image overview = format.Overview();
        float[] brightest = [.. Enumerable.Range(0, 3).Select(channel => overview.Samples(channel).Max())];
        int lit = Array.IndexOf(brightest, brightest.Max());
        yield return brightest.Count(value => value > brightest[lit] / 4) > 1 ? "fluorescence, stored as RGB"
            : $"fluorescence of one channel, stored as RGB: {new[] { "red", "green", "blue" }[lit]} holds it";
    }

    private Image InHalves(double downsample, int x, int y, int width, int height)
    {
        var whole = new Image(width, height, Channels, SampleType);
        if (width >= height)
        {
            whole.Paste(ReadAt(downsample, x, y, width / 2, height), 0, 0);
            whole.Paste(ReadAt(downsample, x + (width / 2), y, width - (width / 2), height), width / 2, 0);
        }
        else
        {
            whole.Paste(ReadAt(downsample, x, y, width, height / 2), 0, 0);
            whole.Paste(ReadAt(downsample, x, y + (height / 2), width, height - (height / 2)), 0, height / 2);
        }
        return whole;
    }

    private Image Empty(int width, int height)
    {
        var image = new Image(width, height, Channels, SampleType);
        image.Fill(Named(Path, "its overview cannot be read", () => format.Background));
        return image;
    }

    private static T Named<T>(string path, string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is VipsException or EndOfStreamException || (error is TinctorException && !error.Message.StartsWith(path)))
        {
            throw new TinctorException($"{path}: {what} ({error.Message.Replace($"{path}: ", "")}); copy or export the file again", error);
        }
        catch (Exception error) when (error is OverflowException or OutOfMemoryException)
        {
            throw new TinctorException($"{path}: {what}: too large; read smaller regions", error);
        }
    }
}
