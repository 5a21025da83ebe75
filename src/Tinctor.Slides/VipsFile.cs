using NetVips;
using Tinctor.Slides.Tiff;

namespace Tinctor.Slides;

/// <summary>
/// Slide or image read through libvips: TIFF, OME-TIFF, QPTIFF and ImageJ TIFF with and without a pyramid (smaller pages or
/// SubIFDs), PNG and JPEG; 8 or 16 bits. The first focal plane and time point of a stack are read.
/// </summary>
internal sealed class VipsFile : SlideFile
{
    private const string CompositeNote = "has an alpha channel, which is composited on white";

    private readonly VipsImage[][] planes; // by level, one image for each channel or one of all channels
    private readonly bool[] yCbCr; // by level
    private readonly Dictionary<string, VipsImage> associated = [];

    private VipsFile(VipsImage[][] planes, bool[] yCbCr) => (this.planes, this.yCbCr) = (planes, yCbCr);

    /// <inheritdoc/>
    public override IReadOnlyList<string> AssociatedNames => [.. associated.Keys];

    /// <summary>Opens a file, identified by content.</summary>
    public static VipsFile Open(string path)
    {
        ImageFormat format = ImageReader.Identify(path);
        if (format == ImageFormat.Tiff) return OpenTiff(path);
        VipsImage image = ImageReader.OpenForRegions(path, format);
        return new VipsFile([[image]], [false])
        {
            Name = $"{format.ToString().ToUpperInvariant()} image",
            Levels = [new(image.Width, image.Height, 1)],
            Channels = image.Bands,
            SampleType = SampleOf(image),
            Notes = ImageReader.IsComposited(path, format) ? [CompositeNote] : [],
        };
    }

    /// <inheritdoc/>
    public override Image Read(int level, int x, int y, int width, int height)
    {
        Image[] parts = Array.ConvertAll(planes[level], plane => Part(plane, x, y, width, height));
        if (parts.Length > 1) return Image.Joined(parts);
        if (yCbCr[level]) ImageReader.YCbCrToRgb(parts[0].Data);
        return parts[0];
    }

    /// <inheritdoc/>
    public override Image ReadAssociated(string name) => associated.TryGetValue(name, out VipsImage? image)
        ? Part(image, 0, 0, image.Width, image.Height) : base.ReadAssociated(name);

    /// <inheritdoc/>
    public override byte[]? ReadIccProfile() => planes[0][0].ReadIccProfile();

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (VipsImage image in planes.SelectMany(level => level).Concat(associated.Values)) image.Dispose();
    }

    private static VipsFile OpenTiff(string path)
    {
        using FileStream stream = InputFile.Open(path);
        var tiff = new TiffFile(stream);
        IReadOnlyList<TiffPage> pages = tiff.Pages();
        TiffPage first = pages[0];
        TiffMetadata metadata = TiffMetadata.Read(pages, tiff.Little);
        IReadOnlyList<int> channels = metadata.ChannelPages;
        (int Page, int Smaller)[] levels = LevelsOf(pages, channels);
        VipsImage[][] planes = [.. levels.Select(level => channels
            .Select(channel => ImageReader.OpenForRegions(path, ImageFormat.Tiff, channel + level.Page, level.Smaller)).ToArray())];
        VipsImage finest = planes[0][0];
        if (planes.Any(level => level.Any(plane => (plane.Bands, plane.Format) != (finest.Bands, finest.Format))))
            throw new TinctorException(path, "its levels differ in number or type of samples", "Export the slide again.");
        int count = finest.Bands * channels.Count;
        TiffPage PageOf((int Page, int Smaller) level) => level.Smaller < 0 ? pages[level.Page] : first.Smaller[level.Smaller];
        var file = new VipsFile(planes, [.. levels.Select(level => PageOf(level).HoldsYCbCrAsRgb)])
        {
            Name = metadata.Format,
            Levels = [.. planes.Select(level => new SlideLevel(level[0].Width, level[0].Height,
                ((double)finest.Width / level[0].Width + (double)finest.Height / level[0].Height) / 2))],
            Channels = count,
            SampleType = SampleOf(finest),
            ChannelInfo = metadata.Channels.Count == count ? metadata.Channels : [],
            HasSeparateChannels = channels.Count > 1,
            Notes = first.Alpha == TiffAlpha.Associated ? [.. metadata.Notes, CompositeNote] : metadata.Notes,
            PixelSize = Size(metadata.PixelSize?.Mpp, metadata.PixelSize?.Origin)
                ?? Size(MppOf(first.Resolution, first.ResolutionUnit), "the TIFF resolution"),
            Objective = metadata.Objective,
            Properties = first.Description is null ? new Dictionary<string, string>()
                : new Dictionary<string, string> { ["tiff.ImageDescription"] = first.Description },
        };
        HashSet<int> used = [.. levels.SelectMany(level => channels.Select(channel => channel + level.Page))];
        foreach (int page in Enumerable.Range(0, pages.Count).Where(page => !used.Contains(page)))
        {
            if (metadata.Associated.TryGetValue(page, out string? name) || metadata.ListsOtherPages)
                file.associated[name ?? $"page {page}"] = ImageReader.OpenForRegions(path, ImageFormat.Tiff, page);
        }
        return file;
    }

    // Levels as pages, relative to the page of a channel, or as SubIFDs of it; -1 is the page itself.
    private static (int Page, int Smaller)[] LevelsOf(IReadOnlyList<TiffPage> pages, IReadOnlyList<int> channels)
    {
        if (pages[0].Smaller.Count > 0) return [.. Enumerable.Range(-1, pages[0].Smaller.Count + 1).Select(smaller => (0, smaller))];
        bool together = channels.SequenceEqual(Enumerable.Range(0, channels.Count));
        return [(0, -1), .. together ? SmallerPages(pages, channels.Count).Select(page => (page, -1)) : []];
    }

    // Runs of one page per channel with the shape of the first page, each smaller than the run before.
    private static IEnumerable<int> SmallerPages(IReadOnlyList<TiffPage> pages, int channels)
    {
        TiffPage last = pages[0];
        for (int i = channels; i <= pages.Count - channels; i++)
        {
            double factor = (double)pages[0].Width / pages[i].Width;
            bool sameShape = Math.Abs((pages[0].Height / factor) - pages[i].Height) <= 1.5 && pages[i].Samples == pages[0].Samples;
            bool isLevel = sameShape && pages[i].Width < last.Width
                && Enumerable.Range(i, channels).All(page => pages[page].IsLike(pages[i]));
            if (!isLevel) continue;
            last = pages[i];
            yield return i;
            i += channels - 1;
        }
    }

    private static SampleType SampleOf(VipsImage image) => image.Format switch
    {
        Enums.BandFormat.Uchar => SampleType.UInt8,
        Enums.BandFormat.Ushort => SampleType.UInt16,
        _ => throw new TinctorException(null, "has samples that are not unsigned 8 or 16 bit", "Convert it to 8 or 16 bit grey or RGB."),
    };

    private static Image Part(VipsImage image, int x, int y, int width, int height)
    {
        using VipsImage part = image.ExtractArea(x, y, width, height);
        var pixels = new Image(width, height, part.Bands, SampleOf(part));
        part.CopyTo(pixels.Data);
        return pixels;
    }
}
