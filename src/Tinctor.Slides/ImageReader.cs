using NetVips;
using Tinctor.Slides.Dicom;
using Tinctor.Slides.Native;
using Tinctor.Slides.Tiff;

namespace Tinctor.Slides;

/// <summary>Reads image files through libvips.</summary>
internal static class ImageReader
{
    public static Image Read(string path, bool keepAlpha) => Run(path, format =>
    {
        using VipsImage source = Open(path, format, out int pages);
        ImageInfo info = Describe(path, source, pages, format);
        var image = new Image(info.Width, info.Height, info.Channels, info.SampleType);
        if (pages > 1)
        {
            var planes = new byte[image.Data.Length];
            source.CopyTo(planes);
            image.Interleave(planes);
            return image;
        }
        source.CopyTo(image.Data);
        if (format == ImageFormat.Tiff && info.Channels == 3 && InspectTiff(path, tiff => tiff.HoldsYCbCrAsRgb())) YCbCrToRgb(image.Data);
        TiffAlpha alpha = AlphaOf(path, source, format);
        image.HasAlpha = alpha != TiffAlpha.None;
        if (IsComposited(alpha, format) && !keepAlpha) image = image.OnWhite();
        return source.OrientationOf() is > 1 and int orientation ? image.Upright(orientation) : image;
    });

    public static ImageInfo ReadInfo(string path, bool keepAlpha) => Run(path, format =>
    {
        using VipsImage source = Open(path, format, out int pages);
        ImageInfo info = Describe(path, source, pages, format);
        if (pages > 1) return info;
        if (!keepAlpha && IsComposited(AlphaOf(path, source, format), format)) info = info with { Channels = info.Channels - 1 };
        return source.OrientationOf() >= 5 ? info with { Width = info.Height, Height = info.Width } : info;
    });

    private static T Run<T>(string path, Func<ImageFormat, T> read)
    {
        ImageFormat format = Identify(path);
        VipsLibrary.Require();
        try
        {
            return read(format);
        }
        catch (VipsException error)
        {
            throw Damaged(error, error.Reason());
        }
        catch (TinctorException error) when (error.File is null)
        {
            throw Damaged(error, error.Problem);
        }
        catch (OutOfMemoryException error)
        {
            throw new TinctorException(path, "too large for the memory of this machine", "Cut it into tiles.", error);
        }

        TinctorException Damaged(Exception error, string reason) =>
            new(path, $"damaged or truncated {Name(format)} ({reason})", "Copy or export the file again.", error);
    }

    /// <summary>Identifies the format by the first bytes.</summary>
    /// <exception cref="TinctorException">The file is missing, a folder, empty, or of a format that is not read.</exception>
    public static ImageFormat Identify(string path)
    {
        byte[] start = Start(path);
        return start switch
        {
            [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => ImageFormat.Png,
            [0xFF, 0xD8, 0xFF, ..] => ImageFormat.Jpeg,
            [(byte)'I', (byte)'I', 42 or 43, 0, ..] or [(byte)'M', (byte)'M', 0, 42 or 43, ..]
                when SlideFormats.FromExtension(path) is not { IsSupported: false } => ImageFormat.Tiff,
            _ => throw (DicomSeries.IsDicom(path)
                ? new TinctorException(path, "is DICOM, but an image is expected", "Export a region of it as PNG or TIFF.")
                : SlideFormats.Unreadable(path, SlideFormats.Identify(path) is { IsSupported: false } format ? format : null, start)),
        };
    }

    /// <summary>Refuses missing files, folders, empty files and files of formats that are known but not supported.</summary>
    public static void RefuseUnsupported(string path)
    {
        byte[] start = Start(path);
        if (SlideFormats.Identify(path) is { IsSupported: false } format) throw SlideFormats.Unreadable(path, format, start);
    }

    private static byte[] Start(string path)
    {
        if (Directory.Exists(path) && SlideFormats.Identify(path) is { } format) throw SlideFormats.Unreadable(path, format, []);
        var start = new byte[8];
        using FileStream file = InputFile.Open(path);
        int read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return read > 0 ? start[..read] : throw new TinctorException(path, "is empty (0 bytes)", "Copy or export the file again.");
    }

    private static VipsImage Open(string path, ImageFormat format, out int pages)
    {
        pages = 1;
        VipsImage image = Load(path, format, Enums.Access.Sequential);
        if (format == ImageFormat.Tiff && image.Bands == 1)
        {
            pages = ChannelPages(path, ref image);
        }
        return image;
    }

    /// <summary>Opens a page of a file for reads of any part of it, upright; transparency is composited on white.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">Its format.</param>
    /// <param name="page">Index of a page of a TIFF.</param>
    /// <param name="smaller">Index of the SubIFD of that page; -1 for the page itself.</param>
    public static VipsImage OpenForRegions(string path, ImageFormat format, int page = 0, int smaller = -1)
    {
        VipsImage image = Load(path, format, Enums.Access.Random, page, smaller: smaller);
        if (IsComposited(AlphaOf(path, image, format), format)) image = Replaced(image, Flatten);
        return image.OrientationOf() > 1 ? Replaced(image, turned => turned.Autorot()) : image;
    }

    /// <summary>Whether <see cref="OpenForRegions"/> composites the first page.</summary>
    public static bool IsComposited(string path, ImageFormat format)
    {
        using VipsImage image = Load(path, format, Enums.Access.Sequential);
        return IsComposited(AlphaOf(path, image, format), format);
    }

    /// <summary>Composites the last channel on white, the background of slides; opaque pixels do not change.</summary>
    public static VipsImage Flatten(VipsImage image) =>
        image.Flatten(background: [image.Format == Enums.BandFormat.Ushort ? ushort.MaxValue : byte.MaxValue]);

    private static VipsImage Replaced(VipsImage image, Func<VipsImage, VipsImage> operation)
    {
        using (image) return operation(image);
    }

    private static TiffAlpha AlphaOf(string path, VipsImage image, ImageFormat format) => (image.Bands, format) switch
    {
        (2 or 4, ImageFormat.Png) => TiffAlpha.Unassociated,
        (2 or 4, ImageFormat.Tiff) => InspectTiff(path, tiff => tiff.Alpha()),
        _ => TiffAlpha.None,
    };

    // Many TIFFs of four channels claim to have unassociated alpha: they keep their channels.
    private static bool IsComposited(TiffAlpha alpha, ImageFormat format) =>
        alpha == TiffAlpha.Associated || (alpha == TiffAlpha.Unassociated && format == ImageFormat.Png);

    private static VipsImage Load(
        string path, ImageFormat format, Enums.Access access, int page = 0, int pages = 1, int smaller = -1)
    {
        const Enums.FailOn strict = Enums.FailOn.Warning;
        VipsLibrary.Require();
        using VipsImage image = format switch
        {
            ImageFormat.Png => VipsImage.Pngload(path, access: access, failOn: strict),
            ImageFormat.Jpeg => VipsImage.Jpegload(path, access: access, failOn: strict),
            _ => VipsImage.Tiffload(path, page: page, n: pages, subifd: smaller, access: access, failOn: strict),
        };
        return OnOneThread(image);
    }

    /// <summary>
    /// Returns an image that is decoded on one thread: with several, libvips 8.14 sometimes loses the error of a truncated file and returns
    /// pixels that were never read.
    /// </summary>
    public static VipsImage OnOneThread(VipsImage image) => image.With("concurrency", 1);

    /// <summary>Replaces the first page by all channel pages, stacked vertically, and returns their number.</summary>
    private static int ChannelPages(string path, ref VipsImage image)
    {
        int pages = InspectTiff(path, tiff => TiffMetadata.AlikePages(tiff.Pages()).Length);
        if (pages == 1) return 1;
        VipsImage all = Load(path, ImageFormat.Tiff, Enums.Access.Sequential, pages: pages);
        image.Dispose();
        image = all;
        return pages;
    }

    private static T InspectTiff<T>(string path, Func<TiffFile, T> inspect)
    {
        using FileStream file = InputFile.Open(path);
        return inspect(new TiffFile(file));
    }

    /// <summary>Converts YCbCr of JFIF (BT.601, full range) to RGB in place.</summary>
    public static void YCbCrToRgb(Span<byte> pixels)
    {
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var (y, cb, cr) = ((float)pixels[i], pixels[i + 1] - 128f, pixels[i + 2] - 128f);
            pixels[i] = (byte)Image.Round(y + 1.402f * cr, 255);
            pixels[i + 1] = (byte)Image.Round(y - 0.344136f * cb - 0.714136f * cr, 255);
            pixels[i + 2] = (byte)Image.Round(y + 1.772f * cb, 255);
        }
    }

    private static ImageInfo Describe(string path, VipsImage image, int pages, ImageFormat format)
    {
        var kind = image.Interpretation switch
        {
            Enums.Interpretation.Cmyk => "CMYK colours",
            Enums.Interpretation.Lab => "CIELAB colours",
            _ => image.Format is Enums.BandFormat.Uchar or Enums.BandFormat.Ushort ? null : "samples that are not unsigned 8 or 16 bit",
        };
        if (kind is not null)
        {
            throw new TinctorException(path, $"has {kind}", "Convert it to 8 or 16 bit grey or RGB.");
        }
        var type = image.Format == Enums.BandFormat.Uchar ? SampleType.UInt8 : SampleType.UInt16;
        var info = new ImageInfo(image.Width, image.Height / pages, image.Bands * pages, type, format);
        var size = (Int128)image.Width * image.Height * image.Bands * Image.BytesPerSample(type);
        return size <= Array.MaxLength
            ? info
            : throw new TinctorException(path, $"{info.Width}x{info.Height}x{info.Channels} samples do not fit in one image (2 GB)",
                "Cut it into tiles.");
    }

    private static string Name(ImageFormat format) => format.ToString().ToUpperInvariant();
}
