using NetVips;
using Tinctor.Slides.Dicom;
using Tinctor.Slides.Native;

namespace Tinctor.Slides;

/// <summary>
/// Slide in DICOM: a series of VL Whole Slide Microscopy images in a folder. Brightfield is RGB; optical paths of fluorescence are channels
/// of 8 or 16 bits. The first focal plane is read.
/// </summary>
internal sealed class DicomFile : SlideFile
{
    private const long CachedBytes = 32 << 20;
    private const string Label = "LABEL", Thumbnail = "THUMBNAIL";

    private static readonly HashSet<string> Macros = ["OVERVIEW", "LOCALIZER"];

    private readonly DicomPlane[][] planes; // by level, one for each channel
    private readonly Dictionary<string, DicomPlane> associated;
    private readonly Dictionary<DicomInstance, DicomFrames> files = [];
    private readonly FrameCache<(DicomInstance File, int Frame)> cache = new(CachedBytes);

    private DicomFile(DicomPlane[][] planes, Dictionary<string, DicomPlane> associated)
    {
        (this.planes, this.associated) = (planes, associated);
        try
        {
            foreach (DicomPlane plane in planes.SelectMany(level => level).Concat(associated.Values))
                foreach (DicomInstance part in plane.Parts)
                    if (!files.ContainsKey(part)) files[part] = new(part);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> AssociatedNames => [.. associated.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Opens the slide of a DICOM file, or of a folder with such files; null for other paths.</summary>
    /// <exception cref="TinctorException">The slide is damaged or not supported, or the folder holds several.</exception>
    public static DicomFile? Open(string path)
    {
        if (DicomSeries.Find(path) is not DicomSeries series) return null;
        // Copies of a file have its identifier.
        ILookup<string?, DicomInstance> roles = series.Files.Select(file => DicomInstance.Read(file))
            .DistinctBy(part => (part.Whole, part.FrameOffset)).ToLookup(NameOf);
        if (!roles.Contains(null))
            throw new TinctorException(path,
                $"the series has no image of role VOLUME, only {string.Join(", ", roles.Select(role => role.Key))}",
                "Copy the whole series.");
        var notes = new List<string>();
        DicomPlane[][] levels = [.. roles[null].GroupBy(part => (part.Width, part.Height))
            .OrderByDescending(level => (long)level.Key.Width * level.Key.Height).Select(level => PlanesOf([.. level], notes))];
        DicomInstance finest = levels[0][0].First;
        if (levels.FirstOrDefault(level => ShapeOf(level) != ShapeOf(levels[0])) is [DicomPlane other, ..])
            throw new TinctorException(other.First.Path, "differs from the finest level in number or type of channels",
                "Export the slide again.");
        if (finest.FocalPlanes > 1) notes.Add($"only the first of {finest.FocalPlanes} focal planes is read");
        if (finest.Coding == DicomCoding.Jpeg2000 && !VipsLibrary.HasJpeg2000)
            throw new TinctorException(path, "is compressed with JPEG 2000, which this libvips cannot decode",
                "Use a libvips with OpenJPEG, or export the slide with JPEG.");
        int channels = finest.Samples * levels[0].Length;
        return new DicomFile(levels, roles.Where(role => role.Key is not null)
            .ToDictionary(role => role.Key!, role => new DicomPlane(role.GroupBy(part => part.Whole).First(), 0)))
        {
            Name = "DICOM slide",
            Files = series.Files,
            Levels = [.. levels.Select(level => level[0].First).Select(level => new SlideLevel(level.Width, level.Height,
                ((double)finest.Width / level.Width + (double)finest.Height / level.Height) / 2))],
            Channels = channels,
            SampleType = finest.SampleBytes == 1 ? SampleType.UInt8 : SampleType.UInt16,
            HasSeparateChannels = levels[0].Length > 1,
            ChannelInfo = finest.Samples == 1 && levels[0].Length > 1 ? [.. levels[0].Select(plane => ChannelOf(plane.OpticalPath))] : [],
            PixelSize = Size(finest.Mpp, "the DICOM metadata"),
            Objective = levels[0][0].OpticalPath.Objective,
            Properties = finest.Properties,
            Notes = notes,
        };
    }

    /// <inheritdoc/>
    public override Image Read(int level, int x, int y, int width, int height) =>
        Region(planes[level], x, y, width, height, () => Background);

    /// <inheritdoc/>
    public override Image ReadAssociated(string name)
    {
        if (!associated.TryGetValue(name, out DicomPlane? plane)) return base.ReadAssociated(name);
        return Region([plane], 0, 0, plane.First.Width, plane.First.Height, () => White(plane.First.Samples)).ToRgb8();
    }

    /// <inheritdoc/>
    public override byte[]? ReadIccProfile() => planes[0][0].OpticalPath.Profile;

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (DicomFrames file in files.Values) file.Dispose();
    }

    /// <inheritdoc/>
    protected internal override Image ReadOnWhite(int level, int x, int y, int width, int height) =>
        Region(planes[level], x, y, width, height, () => White(Channels));

    private static ushort[] White(int channels) => [.. Enumerable.Repeat(ushort.MaxValue, channels)];

    // Names of associated images, as OpenSlide has them; null for levels.
    private static string? NameOf(DicomInstance instance) => instance.Role switch
    {
        Label => "label",
        Thumbnail => "thumbnail",
        string role when Macros.Contains(role) => "macro",
        _ => null,
    };

    private static SlideChannel ChannelOf(DicomOpticalPath path) => new(path.Description.Length > 0 ? path.Description : path.Identifier);

    private static (int Samples, int Bytes, int Channels) ShapeOf(DicomPlane[] level) =>
        (level[0].First.Samples, level[0].First.SampleBytes, level.Length);

    // One plane for colours; for fluorescence one for each optical path, in one file or in a file each.
    private static DicomPlane[] PlanesOf(DicomInstance[] instances, List<string> notes)
    {
        DicomPlane[] all = [.. instances.GroupBy(instance => instance.Whole)
            .SelectMany(parts => Enumerable.Range(0, parts.First().OpticalPaths.Count).Select(path => new DicomPlane(parts, path)))];
        DicomPlane[] planes = [.. all.DistinctBy(plane => plane.First.Samples == 1 ? plane.OpticalPath.Identifier : "")];
        DicomInstance first = planes[0].First;
        if (planes.Length < all.Length)
            notes.Add($"only the first of {all.Length / planes.Length} images of {first.Width}x{first.Height} pixels is read");
        return planes;
    }

    private Image Region(DicomPlane[] level, int x, int y, int width, int height, Func<ushort[]> below)
    {
        Image[] parts = Array.ConvertAll(level, plane => Part(plane, x, y, width, height, below));
        return parts.Length == 1 ? parts[0] : Image.Joined(parts);
    }

    private Image Part(DicomPlane plane, int x, int y, int width, int height, Func<ushort[]> below)
    {
        DicomInstance first = plane.First;
        var image = new Image(width, height, first.Samples, SampleType);
        DicomFrame[] frames = [.. plane.Covering(x, y, width, height)];
        // Sparse images leave out what is empty.
        if (!first.IsFull) image.Fill(below().AsSpan(0, first.Samples));
        foreach (DicomFrame frame in frames)
        {
            Image pixels = cache.Get((plane.Parts[frame.Part], frame.Frame), key => Decode(key.File, files[key.File].Read(key.Frame)));
            int left = Math.Max(x, frame.X), top = Math.Max(y, frame.Y);
            int right = Math.Min(x + width, frame.X + pixels.Width), bottom = Math.Min(y + height, frame.Y + pixels.Height);
            image.Paste(pixels.Crop(left - frame.X, top - frame.Y, right - left, bottom - top), left - x, top - y);
        }
        return image;
    }

    private static Image Decode(DicomInstance file, byte[] frame)
    {
        var image = new Image(file.Columns, file.Rows, file.Samples, file.SampleBytes == 1 ? SampleType.UInt8 : SampleType.UInt16);
        switch (file.Coding)
        {
            case DicomCoding.Jpeg:
                byte[] marked = WithColours(frame, file.Photometric);
                using (var jpeg = VipsImage.JpegloadBuffer(marked, failOn: Enums.FailOn.Warning)) Copy(jpeg, image);
                return image;
            case DicomCoding.Jpeg2000:
                using (var jpeg = VipsImage.Jp2kloadBuffer(frame, failOn: Enums.FailOn.Warning)) Copy(jpeg, image);
                break;
            case DicomCoding.Rle:
                RunLengths.Decode(frame, file.Columns * file.Rows, file.Samples, file.SampleBytes).CopyTo(image.Data, 0);
                break;
            default:
                if (file.IsPlanar) image.Interleave(frame);
                else frame.CopyTo(image.Data, 0);
                break;
        }
        if (file.Photometric == "YBR_FULL") ImageReader.YCbCrToRgb(image.Data);
        return image;
    }

    private static void Copy(VipsImage frame, Image image)
    {
        Enums.BandFormat format = image.SampleType == SampleType.UInt8 ? Enums.BandFormat.Uchar : Enums.BandFormat.Ushort;
        if ((frame.Width, frame.Height, frame.Bands, frame.Format) != (image.Width, image.Height, image.Channels, format))
            throw new TinctorException($"a frame has {frame.Width}x{frame.Height}x{frame.Bands} samples of type {frame.Format} instead of "
                + $"{image.Width}x{image.Height}x{image.Channels} {format}");
        using VipsImage single = ImageReader.OnOneThread(frame);
        single.CopyTo(image.Data);
    }

    // A JPEG without markers of its colours counts as YCbCr: RGB gets the marker of Adobe, behind the start of the image.
    private static byte[] WithColours(byte[] jpeg, string photometric)
    {
        const byte app0 = 0xE0, app14 = 0xEE;
        if (photometric != "RGB" || jpeg is not [0xFF, 0xD8, ..] || Markers(jpeg).Any(marker => marker is app0 or app14)) return jpeg;
        return [0xFF, 0xD8, 0xFF, app14, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0, .. jpeg[2..]];
    }

    // Of the segments before the samples.
    private static IEnumerable<byte> Markers(byte[] jpeg)
    {
        const byte startOfScan = 0xDA;
        for (int at = 2; at + 4 <= jpeg.Length && jpeg[at] == 0xFF && jpeg[at + 1] != startOfScan;)
        {
            yield return jpeg[at + 1];
            at += 2 + (jpeg[at + 2] << 8 | jpeg[at + 3]);
        }
    }
}
