using Tinctor.Slides.Native;

namespace Tinctor.Slides.Formats;

/// <summary>
/// TIFF and OME-TIFF with and without a pyramid (smaller pages, or SubIFDs), PNG and JPEG, through libvips; 8 or 16 bits. Of an OME-TIFF's
/// planes, those of the first depth and time are read, as channels.
/// </summary>
internal sealed class VipsFormat : SlideFormat
{
    private readonly VipsImage[][] planes; // of each level, one image for each channel, or one of all channels
    private readonly bool[] yCbCr; // of each level
    private readonly Dictionary<string, VipsImage> associated = [];

    private VipsFormat(VipsImage[][] planes, bool[] yCbCr) => (this.planes, this.yCbCr) = (planes, yCbCr);

    /// <inheritdoc/>
    public override IReadOnlyList<string> AssociatedNames => [.. associated.Keys];

    /// <summary>Opens a file by its content.</summary>
    public static VipsFormat Open(string path)
    {
        ImageFormat format = ImageReader.Identify(path);
        if (format == ImageFormat.Tiff) return OpenTiff(path);
        VipsImage image = ImageReader.OpenForRegions(path, format);
        return new VipsFormat([[image]], [false])
        {
            Name = $"{format.ToString().ToUpperInvariant()} image",
            Levels = [new(image.Width, image.Height, 1)],
            Channels = image.Bands,
            SampleType = SampleOf(image),
        };
    }

    /// <inheritdoc/>
    public override Image Read(int level, int x, int y, int width, int height)
    {
        Image[] parts = Array.ConvertAll(planes[level], plane => Part(plane, x, y, width, height));
        if (parts.Length > 1) return Joined(parts);
        if (yCbCr[level]) ImageReader.YCbCrToRgb(parts[0].Data);
        return parts[0];
    }

    /// <inheritdoc/>
    public override Image ReadAssociated(string name) => associated.TryGetValue(name, out VipsImage? image)
        ? Part(image, 0, 0, image.Width, image.Height) : base.ReadAssociated(name);

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (VipsImage image in planes.SelectMany(level => level).Concat(associated.Values)) image.Dispose();
    }

    private static VipsFormat OpenTiff(string path)
    {
        using FileStream file = File.OpenRead(path);
        IReadOnlyList<TiffPage> pages = new TiffFile(file).Pages();
        TiffPage first = pages[0];
        OmeXml? ome = OmeXml.Parse(first.Description);
        int[] channels = ChannelPages(pages, ome);
        // A pyramid is written as SubIFDs of each page, or as pages that follow.
        (int Page, int Smaller)[] levels = first.Smaller.Count > 0
            ? [.. Enumerable.Range(-1, first.Smaller.Count + 1).Select(smaller => (0, smaller))]
            : [(0, -1), .. channels.Length > 1 ? [] : SmallerPages(pages).Select(page => (page, -1))];
        TiffPage Of((int Page, int Smaller) level) => level.Smaller < 0 ? pages[level.Page] : first.Smaller[level.Smaller];
        VipsImage[][] planes = [.. levels.Select(level => channels
            .Select(channel => ImageReader.OpenForRegions(path, ImageFormat.Tiff, channel + level.Page, level.Smaller)).ToArray())];
        VipsImage finest = planes[0][0];
        if (planes.Any(level => level.Any(plane => (plane.Bands, plane.Format) != (finest.Bands, finest.Format))))
            throw new TinctorException("its levels differ in their samples");
        var format = new VipsFormat(planes, [.. levels.Select(level => Of(level).YCbCrAsRgb)])
        {
            Name = ome is null ? "TIFF" : "OME-TIFF",
            Levels = [.. planes.Select(level => new SlideLevel(level[0].Width, level[0].Height,
                ((double)finest.Width / level[0].Width + (double)finest.Height / level[0].Height) / 2))],
            Channels = finest.Bands * channels.Length,
            SampleType = SampleOf(finest),
            ChannelInfo = finest.Bands == 1 && ome?.Channels.Count == channels.Length ? ome.Channels : [],
            HasSeparateChannels = channels.Length > 1 && finest.Bands == 1 && ome?.Channels.Count == channels.Length,
            Remarks = RemarksOn(ome, pages),
            PixelSize = Size(ome?.Mpp, "the OME-XML") ?? Size(MppOf(first.Resolution, first.ResolutionUnit), "the TIFF resolution"),
            Objective = ome?.Objective,
            Properties = first.Description is null ? new Dictionary<string, string>()
                : new Dictionary<string, string> { ["tiff.ImageDescription"] = first.Description },
        };
        foreach (int page in Enumerable.Range(0, pages.Count).Except(channels).Except(levels.Select(level => level.Page)))
            if (ome is null) format.associated[$"page {page}"] = ImageReader.OpenForRegions(path, ImageFormat.Tiff, page);
        return format;
    }

    // Pages of one sample and of the first one's size are channels, but for an OME-TIFF's further depths and times.
    private static int[] ChannelPages(IReadOnlyList<TiffPage> pages, OmeXml? ome)
    {
        int alike = pages[0].Samples > 1 ? 1 : pages.TakeWhile(page => (page.Width, page.Height, page.Samples, page.Bits)
            == (pages[0].Width, pages[0].Height, 1, pages[0].Bits)).Count();
        if (ome is null || alike != ome.SizeC * ome.SizeZ * ome.SizeT) return [.. Enumerable.Range(0, alike)];
        int stride = ome.ChannelsFirst ? 1 : alike / ome.SizeC;
        return [.. Enumerable.Range(0, ome.SizeC).Select(channel => channel * stride)];
    }

    private static string[] RemarksOn(OmeXml? ome, IReadOnlyList<TiffPage> pages)
    {
        if (ome is null) return [];
        int told = ome.SizeZ * ome.SizeT * (pages[0].Samples > 1 ? 1 : ome.SizeC);
        if (told > pages.Count) return [$"the OME-XML tells of {told} planes, the file holds {pages.Count}; what is in other files is not read"];
        return ome.SizeZ * ome.SizeT > 1 ? [$"of {ome.SizeZ} focal planes and {ome.SizeT} times the first is read"] : [];
    }

    // Those of the first page's shape, each smaller than the one before.
    private static IEnumerable<int> SmallerPages(IReadOnlyList<TiffPage> pages)
    {
        TiffPage last = pages[0];
        for (int i = 1; i < pages.Count; i++)
        {
            double factor = (double)pages[0].Width / pages[i].Width;
            bool sameShape = Math.Abs((pages[0].Height / factor) - pages[i].Height) <= 1.5 && pages[i].Samples == pages[0].Samples;
            if (!sameShape || pages[i].Width >= last.Width) continue;
            last = pages[i];
            yield return i;
        }
    }

    private static SampleType SampleOf(VipsImage image) => image.Format switch
    {
        VipsImage.UChar => SampleType.UInt8,
        VipsImage.UShort => SampleType.UInt16,
        _ => throw new TinctorException("has samples that are not unsigned 8 or 16 bit; convert it to 8 or 16 bit grey or RGB"),
    };

    private static Image Part(VipsImage image, int x, int y, int width, int height)
    {
        using VipsOperation crop = new VipsOperation("extract_area").Set("input", image).Set("left", $"{x}").Set("top", $"{y}")
            .Set("width", $"{width}").Set("height", $"{height}");
        using VipsImage part = crop.RunToImage();
        var pixels = new Image(width, height, image.Bands, SampleOf(image));
        part.Decode(pixels.Data);
        return pixels;
    }

    private static Image Joined(Image[] planes)
    {
        var image = new Image(planes[0].Width, planes[0].Height, planes.Length, planes[0].SampleType);
        var all = new byte[image.Data.Length];
        for (int c = 0; c < planes.Length; c++) planes[c].Data.CopyTo(all, c * planes[c].Data.Length);
        image.Interleave(all);
        return image;
    }
}
