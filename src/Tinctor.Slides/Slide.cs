using System.Globalization;
using NetVips;
using Tinctor.Slides.Native;

namespace Tinctor.Slides;

/// <summary>
/// Whole slide, or an image that is treated as one: a pyramid of levels from which regions are read. Memory does not grow with the slide.
/// Safe for use by several threads. Samples are those of the file: grey has one channel, brightfield is RGB.
/// </summary>
public sealed class Slide : IDisposable
{
    private const long MostPixels = 1 << 25;
    private const double EnlargementTolerance = 0.005;
    private const string NoOverview = "its overview cannot be read", CopyAgain = "Copy or export the file again.";

    private readonly SlideFile file;

    private Slide(string path, SlideFile file, double? mpp)
    {
        (Path, this.file) = (System.IO.Path.TrimEndingDirectorySeparator(path), file);
        (Mpp, MppOrigin) = mpp is double given ? (given, "as given") : (file.PixelSize?.Mpp, file.PixelSize?.Origin ?? "not known");
    }

    /// <summary>Path of the file or, for DICOM, of the folder.</summary>
    public string Path { get; }

    /// <summary>Files that hold the slide: <see cref="Path"/>, or the files of a series of DICOM.</summary>
    internal IReadOnlyList<string> Files => file.Files.Count > 0 ? file.Files : [Path];

    /// <summary>Name of the file without folder and extension: b for a/b.ome.tif; name of the folder for a folder.</summary>
    public string Name => NameOf(Path);

    /// <summary>Name of the format, such as "OME-TIFF" or "aperio slide".</summary>
    public string Format => file.Name;

    /// <summary>Levels of the pyramid, from the finest.</summary>
    public IReadOnlyList<SlideLevel> Levels => file.Levels;

    /// <summary>Width of level 0 in pixels.</summary>
    public int Width => Levels[0].Width;

    /// <summary>Height of level 0 in pixels.</summary>
    public int Height => Levels[0].Height;

    /// <summary>Samples per pixel.</summary>
    public int Channels => file.Channels;

    /// <summary>Type of the samples.</summary>
    public SampleType SampleType => file.SampleType;

    /// <summary>Names, colours and display ranges of the channels: one for each, or none if the file has none.</summary>
    /// <exception cref="TinctorException">The overview is damaged.</exception>
    public IReadOnlyList<SlideChannel> ChannelInfo => file.ChannelInfo.Count == 0 && Channels == 3 && !IsRgb
        ? [.. Enumerable.Range(0, Channels).Select(_ => new SlideChannel(""))] : file.ChannelInfo;

    /// <summary>
    /// Modality of the slide. RGB is brightfield, unless more than half of an overview is below a quarter of the range in every channel:
    /// then it is fluorescence stored as RGB. One channel is grey under the same condition, unless the file names it or gives it a colour.
    /// All other slides are fluorescence. <see cref="Image.EstimateModality"/> is the rule for images without metadata.
    /// </summary>
    /// <exception cref="TinctorException">The overview is damaged.</exception>
    public Modality Modality => Attempt(NoOverview, () => file.Modality);

    /// <summary>
    /// Whether the three channels are red, green and blue. False for separate channels, except for three without names and colours that are
    /// bright in most places.
    /// </summary>
    /// <exception cref="TinctorException">The overview is damaged.</exception>
    public bool IsRgb => Attempt(NoOverview, () => file.IsRgb);

    /// <summary>Whether channels are stored in pages of their own.</summary>
    internal bool HasSeparateChannels => file.HasSeparateChannels;

    /// <summary>Notes for the user: planes that are not read, transparency, fluorescence that is stored as RGB.</summary>
    /// <exception cref="TinctorException">The overview is damaged.</exception>
    public IReadOnlyList<string> Notes => Attempt(NoOverview, () => (string[])[.. file.Notes, .. ColourNotes()]);

    /// <summary>Micrometres per pixel of level 0; null if unknown.</summary>
    public double? Mpp { get; private init; }

    /// <summary>Source of <see cref="Mpp"/>, such as "the OME-XML".</summary>
    public string MppOrigin { get; private init; }

    /// <summary>Magnification of the objective; null if unknown.</summary>
    public double? Objective => file.Objective;

    /// <summary>Whether the file is a single field of view rather than a slide: one level, and no pixel size.</summary>
    internal bool IsField => Levels.Count == 1 && Mpp is null;

    /// <summary>Metadata of the file by name.</summary>
    public IReadOnlyDictionary<string, string> Properties => file.Properties;

    /// <summary>
    /// Reads the ICC profile of the colours; null if the file has none or its channels are separate. Samples are not converted by it.
    /// </summary>
    /// <exception cref="TinctorException">The profile is damaged.</exception>
    public byte[]? ReadIccProfile() => file.HasSeparateChannels ? null : Attempt("its ICC profile cannot be read", file.ReadIccProfile);

    /// <summary>
    /// Returns the slide as 8-bit RGB: grey is repeated, and 16 bits are divided by 257. Disposing the result disposes this slide.
    /// </summary>
    /// <exception cref="TinctorException">The slide has channels that are neither grey nor colours.</exception>
    public Slide AsRgb8()
    {
        if (Channels == 3 && SampleType == SampleType.UInt8) return this;
        if (Channels is not (1 or 3))
            throw new TinctorException(Path, $"{Channels} channels are neither grey nor RGB", "Use a model for these channels.");
        return With(image => image.ToRgb8(), Channels == 3 ? ReadIccProfile() : null, "the slide was converted to 8-bit RGB");
    }

    /// <summary>
    /// Returns the slide with colours that are converted to sRGB by its ICC profile (relative colorimetric). Disposing the result disposes
    /// this slide, which is returned itself if it has no profile.
    /// </summary>
    /// <exception cref="TinctorException">The profile is damaged, or not of RGB.</exception>
    public Slide AsSrgb() => IsRgb && ReadIccProfile() is byte[] profile ? Attempt("its ICC profile cannot be applied",
        () => With(image => image.ToSrgb(profile), VipsImages.SrgbProfile, "colours were converted to sRGB by the ICC profile")) : this;

    /// <summary>Names of associated images, such as label, macro and thumbnail.</summary>
    public IReadOnlyList<string> AssociatedNames => file.AssociatedNames;

    /// <summary>
    /// Returns a path without its extension, .ome included: a/b for a/b.ome.tif. Digits are no extension, as in names of DICOM files.
    /// </summary>
    public static string Stem(string path)
    {
        if (System.IO.Path.GetExtension(path) is [_, .. string last] && last.All(char.IsAsciiDigit)) return path;
        string stem = System.IO.Path.ChangeExtension(path, null);
        return stem.EndsWith(".ome", StringComparison.OrdinalIgnoreCase) ? stem[..^4] : stem;
    }

    /// <summary>Returns the name of a slide: that of a folder, or of a file without its extension.</summary>
    public static string NameOf(string path)
    {
        string trimmed = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        return Directory.Exists(trimmed) ? System.IO.Path.GetFileName(trimmed) : Stem(System.IO.Path.GetFileName(trimmed));
    }

    /// <summary>Opens a slide or image of one of the formats of <see cref="SlideFormats.Supported"/>.</summary>
    /// <param name="path">The file; for DICOM, a file of the series or a folder that holds one series.</param>
    /// <param name="mpp">Micrometres per pixel of level 0, above 0, if the metadata of the file is missing or wrong.</param>
    /// <exception cref="TinctorException">The file is missing, damaged, or of another format.</exception>
    public static Slide Open(string path, double? mpp = null)
    {
        if (mpp is not (null or > 0 and < double.PositiveInfinity))
            throw new ArgumentOutOfRangeException(nameof(mpp), mpp, "micrometres per pixel must be above 0");
        VipsLibrary.Require();
        return new Slide(path, Attempt(path, "cannot be opened", () => OpenFile(path)), mpp);
    }

    /// <summary>
    /// Reads pixels of a level. Pixels outside of it are background: white or the colour that the file names for brightfield, black for
    /// others.
    /// </summary>
    /// <param name="level">Index of the level; 0 is the finest.</param>
    /// <param name="x">Left edge in pixels of that level; may lie outside.</param>
    /// <param name="y">Upper edge in pixels of that level; may lie outside.</param>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <exception cref="TinctorException">The file is damaged there, or gone.</exception>
    public Image Read(int level, int x, int y, int width, int height)
    {
        SlideLevel size = Levels[level];
        int left = Math.Max(x, 0), top = Math.Max(y, 0);
        long right = Math.Min((long)x + width, size.Width), bottom = Math.Min((long)y + height, size.Height);
        if (left >= right || top >= bottom) return Empty(width, height);
        Image inside = Attempt($"cannot be read at ({left}, {top}) of level {level}",
            () => file.Read(level, left, top, (int)(right - left), (int)(bottom - top)));
        if (inside.Width == width && inside.Height == height) return inside;
        Image region = Empty(width, height);
        region.Paste(inside, left - x, top - y);
        return region;
    }

    /// <summary>
    /// Reads the tiles of a region at any resolution, like <see cref="ReadAt"/>; later tiles are read ahead on all cores.
    /// </summary>
    /// <param name="downsample">Pixels of level 0 per pixel of the region, above 0.</param>
    /// <param name="x">Left edge of the region in pixels of that resolution; may lie outside.</param>
    /// <param name="y">Upper edge of the region in pixels of that resolution; may lie outside.</param>
    /// <param name="spec">Size of the region and of its tiles.</param>
    /// <exception cref="TinctorException">The file is damaged there, or gone.</exception>
    public IEnumerable<Image> ReadTiles(double downsample, int x, int y, SlideSpec spec) => ReadAhead
        .Of(spec.Tiles, Environment.ProcessorCount, tile => ReadAt(downsample, x + tile.X, y + tile.Y, tile.Width, tile.Height))
        .Select(read => read.Result);

    /// <summary>Note on a downsample below 1, which enlarges the slide beyond the resolution of the scan; null if it does not.</summary>
    public string? EnlargementNote(double downsample)
    {
        if (downsample > 1 - EnlargementTolerance) return null;
        string scan = Mpp is double mpp ? string.Create(CultureInfo.InvariantCulture, $" ({mpp:0.####} um per pixel)") : "";
        string factor = (1 / downsample).ToString("0.##", CultureInfo.InvariantCulture);
        return $"enlarged {factor} times beyond the resolution of the scan{scan}; no detail is gained";
    }

    /// <summary>Checks that a region lies inside of the slide.</summary>
    /// <param name="region">Region in pixels of level 0.</param>
    /// <exception cref="TinctorException">It does not; the message has the size of the slide.</exception>
    internal void RequireInside(PixelArea region)
    {
        (int x, int y, int width, int height) = (region.X, region.Y, region.Width, region.Height);
        if (x >= 0 && y >= 0 && width > 0 && height > 0 && x <= Width - width && y <= Height - height) return;
        throw new TinctorException(Path,
            $"the region of {width}x{height} pixels at ({x}, {y}) is not inside of the slide, which has {Width}x{Height}",
            "Move it or make it smaller.");
    }

    /// <summary>Size of the slide in pixels at a given downsample (pixels of level 0 per pixel).</summary>
    public (int Width, int Height) SizeAt(double downsample) =>
        (Math.Max(1, (int)Math.Round(Width / downsample)), Math.Max(1, (int)Math.Round(Height / downsample)));

    /// <summary>
    /// Reads a region at any resolution, from the coarsest level that is fine enough. Position and value of a pixel do not depend on the
    /// region that it is read with.
    /// </summary>
    /// <param name="downsample">
    /// Pixels of level 0 per pixel of the region, above 0; for a resolution, its mpp divided by <see cref="Mpp"/>.
    /// </param>
    /// <param name="x">Left edge in pixels of that resolution; may lie outside.</param>
    /// <param name="y">Upper edge in pixels of that resolution; may lie outside.</param>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <exception cref="TinctorException">The file is damaged there, or gone.</exception>
    public Image ReadAt(double downsample, int x, int y, int width, int height)
    {
        if (!(downsample > 0)) throw new ArgumentOutOfRangeException(nameof(downsample), downsample, "must be above 0");
        int level = LevelFor(downsample);
        double scale = downsample / Levels[level].Downsample;
        // The level itself, if pixels drift apart by less than half of one over the whole of it.
        if (Math.Abs(scale - 1) * Math.Max(Levels[level].Width, Levels[level].Height) < 0.5) return Read(level, x, y, width, height);
        if (width * scale * height * scale > MostPixels && (width > 1 || height > 1)) return ReadHalves(downsample, x, y, width, height);
        const ResizeKernel kernel = ResizeKernel.Cubic;
        int reach = Resampler.Reach(scale, kernel);
        int left = (int)Math.Floor(x * scale) - reach, top = (int)Math.Floor(y * scale) - reach;
        Image source = Read(level, left, top, (int)Math.Ceiling((x + width) * scale) + reach - left,
            (int)Math.Ceiling((y + height) * scale) + reach - top);
        return Resampler.Window(source, left, top, scale, x, y, width, height, kernel);
    }

    /// <summary>Reads the whole slide, reduced so that no side is longer than the given number of pixels; never enlarged.</summary>
    public Image Thumbnail(int longest)
    {
        double downsample = Math.Max(1, (double)Math.Max(Width, Height) / longest);
        (int width, int height) = SizeAt(downsample);
        return ReadAt(downsample, 0, 0, width, height);
    }

    /// <summary>Reads an associated image.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    /// <exception cref="TinctorException">It is damaged.</exception>
    public Image ReadAssociated(string name) => AssociatedNames.Contains(name)
        ? Attempt($"the image {name} cannot be read", () => file.ReadAssociated(name))
        : throw new ArgumentException($"{Path}: has no image {name}; it has {string.Join(", ", AssociatedNames)}", nameof(name));

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private static SlideFile OpenFile(string path)
    {
        if (DicomFile.Open(path) is DicomFile dicom) return dicom;
        ImageReader.RefuseUnsupported(path);
        return (SlideFile?)OpenSlideFile.Open(path) ?? VipsFile.Open(path);
    }

    private Slide With(Func<Image, Image> convert, byte[]? profile, string note) => new(Path, new ConvertedFile(file, convert, profile)
    {
        Name = file.Name,
        Levels = file.Levels,
        Notes = [.. file.Notes, note],
    }, null)
    { Mpp = Mpp, MppOrigin = MppOrigin };

    // A level within 0.5 % counts as fine enough: factors are not quite whole where sizes are odd.
    private int LevelFor(double downsample) =>
        Math.Max(0, Enumerable.Range(0, Levels.Count).LastOrDefault(level => Levels[level].Downsample <= downsample * 1.005));

    // JPEG leaves some colour in samples that were 0.
    private IEnumerable<string> ColourNotes()
    {
        if (!file.IsRgb || file.Modality != Modality.Fluorescence) yield break;
        Image overview = file.Overview();
        float[] brightest = [.. Enumerable.Range(0, 3).Select(channel => overview.Samples(channel).Max())];
        int lit = Array.IndexOf(brightest, brightest.Max());
        yield return brightest.Count(value => value > brightest[lit] / 4) > 1 ? "fluorescence, stored as RGB"
            : $"fluorescence of one channel, stored as RGB: {new[] { "red", "green", "blue" }[lit]} holds it";
    }

    private Image ReadHalves(double downsample, int x, int y, int width, int height)
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
        image.Fill(Attempt(NoOverview, () => file.Background));
        return image;
    }

    private T Attempt<T>(string failure, Func<T> read) => Attempt(Path, failure, read);

    // Readers do not know the name of the file, except for those that refuse it before it is opened.
    private static T Attempt<T>(string path, string failure, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (TinctorException error) when (error.File is null)
        {
            throw new TinctorException(path, $"{failure} ({error.Problem.Replace($"{path}: ", "")})", error.Remedy ?? CopyAgain, error);
        }
        catch (Exception error) when (error is VipsException or EndOfStreamException)
        {
            string reason = error is VipsException vips ? vips.Reason() : error.Message;
            throw new TinctorException(path, $"{failure} ({reason.Replace($"{path}: ", "")})", CopyAgain, error);
        }
        catch (Exception error) when (error is OverflowException or OutOfMemoryException)
        {
            throw new TinctorException(path, $"{failure}: too large", "Read smaller regions.", error);
        }
    }
}
