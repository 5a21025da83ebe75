using Tinctor.Slides.Dicom;

namespace Tinctor.Slides;

/// <summary>Formats of slides and images: those that are read, and those that are known but not supported.</summary>
internal static class SlideFormats
{
    private const int SignatureLength = 132;
    private const long LargestImage = 64_000_000;
    private const string Tiff = "TIFF", Dicom = "DICOM";
    private const string BioFormats = "bfconvert (Bio-Formats)", ImageMagick = "magick (ImageMagick)",
        Vendor = "the software of the scanner";

    // Files that accompany slides and images, and are not expected to be read.
    private static readonly HashSet<string> Companions =
    [
        ".txt", ".csv", ".tsv", ".json", ".geojson", ".xml", ".yaml", ".yml", ".md", ".html", ".htm",
        ".css", ".js", ".log", ".ini", ".dat", ".opt",
        ".annotations", ".pts", ".xlsx", ".docx", ".py", ".sh", ".safetensors",
        ".pth", ".pt", ".md5", ".sha256", ".db", ".lock", ".part", ".dzi",
    ];

    /// <summary>All known formats.</summary>
    public static IReadOnlyList<SlideFormat> All { get; } =
    [
        OfOpenSlide("Aperio SVS", ".svs"),
        OfOpenSlide("Hamamatsu NDPI", ".ndpi"),
        OfOpenSlide("Hamamatsu VMS", ".vms", ".vmu"),
        OfOpenSlide("3DHISTECH MRXS", ".mrxs"),
        OfOpenSlide("Leica SCN", ".scn"),
        OfOpenSlide("Ventana BIF", ".bif"),
        OfOpenSlide("Sakura SVSLIDE", ".svslide"),
        Scanner(Dicom, ".dcm", ".dicom") with { Signatures = [(128, "DICM"u8.ToArray())] },
        Scanner("Akoya QPTIFF", ".qptiff"),
        Scanner("OME-TIFF", ".ome.tif", ".ome.tiff"),
        new(Tiff, ".tif", ".tiff", ".btf", ".tf8")
        {
            Signatures = [(0, "II*\0"u8.ToArray()), (0, "II+\0"u8.ToArray()), (0, "MM\0*"u8.ToArray()), (0, "MM\0+"u8.ToArray())],
        },
        new("PNG", ".png") { Signatures = [(0, [0x89, (byte)'P', (byte)'N', (byte)'G'])] },
        new("JPEG", ".jpg", ".jpeg") { Signatures = [(0, [0xFF, 0xD8, 0xFF])] },
        Unsupported("Zeiss CZI", BioFormats, ".czi") with { Signatures = [(0, "ZISRAWFILE"u8.ToArray())] },
        Unsupported("Leica LIF", BioFormats, ".lif") with { Signatures = [(0, [0x70, 0, 0, 0])] },
        Unsupported("Olympus VSI", BioFormats, ".vsi", ".ets"),
        Unsupported("Nikon ND2", BioFormats, ".nd2") with { Signatures = [(0, [0xDA, 0xCE, 0xBE, 0x0A])] },
        Unsupported("Imaris", BioFormats, ".ims"),
        Unsupported("HDF5", BioFormats, ".h5", ".hdf5") with { Signatures = [(0, [0x89, (byte)'H', (byte)'D', (byte)'F'])] },
        Unsupported("OME-Zarr", "raw2ometiff", ".zarr"),
        Unsupported("Philips iSyntax", "isyntax2raw and raw2ometiff", ".isyntax"),
        Unsupported("KFBIO KFB", Vendor, ".kfb"),
        Unsupported("SQRAY SDPC", Vendor, ".sdpc"),
        Unsupported("Motic MDS", Vendor, ".mds", ".mdsx"),
        Unsupported("PDF", "pdftoppm -png (Poppler)", ".pdf") with { ConvertsTo = "PNG", Signatures = [(0, "%PDF"u8.ToArray())] },
        Unsupported("JPEG 2000", "opj_decompress (OpenJPEG)", ".jp2", ".j2k", ".jpx", ".jpf") with
        {
            ConvertsTo = "TIFF",
            Signatures = [(0, [0, 0, 0, 0x0C, (byte)'j', (byte)'P']), (0, [0xFF, 0x4F, 0xFF, 0x51])],
        },
        Unsupported("HEIF", "heif-convert (libheif)", ".heic", ".heif", ".avif") with { ConvertsTo = "PNG" },
        Unsupported("WebP", ImageMagick, ".webp") with { ConvertsTo = "PNG", Signatures = [(8, "WEBP"u8.ToArray())] },
        Unsupported("GIF", ImageMagick, ".gif") with { ConvertsTo = "PNG", Signatures = [(0, "GIF8"u8.ToArray())] },
        Unsupported("BMP", ImageMagick, ".bmp") with { ConvertsTo = "PNG" },
    ];

    /// <summary>Formats that are read.</summary>
    public static IReadOnlyList<SlideFormat> Supported { get; } = [.. All.Where(format => format.IsSupported)];

    /// <summary>Extensions of the formats that are read.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [.. Supported.SelectMany(format => format.Extensions)];

    /// <summary>Extensions of the formats of images in general that are read: PNG, JPEG and TIFF.</summary>
    public static IReadOnlyList<string> ImageExtensions { get; } =
        [.. Supported.Where(format => !format.IsOfScanners).SelectMany(format => format.Extensions)];

    /// <summary>Finds a format by the extension of a path, in any case; null for none.</summary>
    public static SlideFormat? FromExtension(string path)
    {
        string name = Path.GetFileName(path);
        return All.SelectMany(format => format.Extensions, (format, extension) => (Format: format, Extension: extension))
            .Where(pair => name.EndsWith(pair.Extension, StringComparison.OrdinalIgnoreCase))
            .OrderByDescending(pair => pair.Extension.Length).FirstOrDefault().Format;
    }

    /// <summary>
    /// Identifies the format of a file or folder: by its first bytes, except that TIFF is what the extension says (VSI, for instance,
    /// starts like a TIFF), and by extension if the content is not known; null if neither is.
    /// </summary>
    /// <exception cref="TinctorException">The file cannot be opened.</exception>
    public static SlideFormat? Identify(string path)
    {
        SlideFormat? named = FromExtension(path), found = File.Exists(path) ? FromContent(path) : null;
        bool isSpecific = named is { IsOfScanners: true } or { IsSupported: false };
        return isSpecific && (found is null || found.Name == Tiff) ? named : found;
    }

    /// <summary>
    /// Whether a file is to be processed as a slide, tile by tile: it is of a scanner's format or OME-TIFF, has a pyramid or separate
    /// channels, or more than 64 million pixels. False for files that cannot be opened.
    /// </summary>
    public static bool IsSlide(string path)
    {
        if (FromExtension(path) is { IsOfScanners: true, IsSupported: true }) return true;
        if (IsSlideFolder(path) || DicomSeries.IsDicom(path)) return true;
        try
        {
            using var slide = Slide.Open(path);
            return slide.Levels.Count > 1 || slide.HasSeparateChannels || (long)slide.Width * slide.Height > LargestImage;
        }
        catch (TinctorException)
        {
            return false;
        }
    }

    /// <summary>Whether a folder is one slide: it holds the files of one series of DICOM, and nothing else but texts and tables.</summary>
    /// <exception cref="TinctorException">The metadata of a file is damaged.</exception>
    public static bool IsSlideFolder(string path) =>
        Directory.Exists(path) && DicomSeries.IsAllOf(path, IsCompanion) && DicomSeries.In(path).Count == 1;

    /// <summary>Files of a slide: the file itself, or the files of a folder in ordinal order.</summary>
    public static IReadOnlyList<string> FilesOf(string path) =>
        Directory.Exists(path) ? [.. Directory.EnumerateFiles(path).Order(StringComparer.Ordinal)] : [path];

    /// <summary>Whether there is a file, or a folder that is a slide.</summary>
    public static bool Exists(string path) => File.Exists(path) || IsSlideFolder(path);

    /// <summary>
    /// Lists the slides and images of a folder, subfolders included, and the files that are left out. A folder that is one slide in DICOM
    /// is listed as such; of several series in one folder, the first file of each is listed. Hidden files, and texts, tables and
    /// the like, are in neither list. Files without a known extension are identified by content, as they are if they are named alone.
    /// </summary>
    /// <exception cref="TinctorException">There is no such folder.</exception>
    public static SlideFolder List(string folder)
    {
        if (!Directory.Exists(folder)) throw new TinctorException(folder, "no such folder", "Check the path.");
        return List(folder, Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories));
    }

    /// <summary>Lists the slides and images among the files of a folder; see <see cref="List(string)"/>.</summary>
    /// <param name="folder">The folder; it is not itself listed as a slide.</param>
    /// <param name="paths">Files in the folder and its subfolders.</param>
    public static SlideFolder List(string folder, IEnumerable<string> paths)
    {
        var files = new List<string>();
        var skipped = new List<SkippedFile>();
        var dicom = new List<string>();
        foreach (string path in paths.Order(StringComparer.Ordinal))
        {
            if (Path.GetFileName(path)[0] == '.') continue;
            SlideFormat? format = FromExtension(path);
            if (format is null && IsCompanion(path)) continue;
            if (format is not { IsSupported: true, Name: not Dicom }) format = IdentifyOrNull(path);
            if (format is { IsSupported: true, Name: Dicom }) dicom.Add(path);
            else if (format is { IsSupported: true }) files.Add(path);
            else skipped.Add(new(path, format is null ? "its format is not known" : $"{format.Name} is not supported"));
        }
        foreach (IGrouping<string, string> holder in dicom.GroupBy(path => Path.GetDirectoryName(path)!))
        {
            IReadOnlyList<DicomSeries> series = DicomSeries.In(holder.Key);
            files.AddRange(holder.Key != folder && IsSlideFolder(holder.Key) ? [holder.Key] : series.Select(one => one.Files[0]));
            skipped.AddRange(holder.Except(series.SelectMany(one => one.Files))
                .Select(path => new SkippedFile(path, "is no whole-slide image in DICOM")));
        }
        return new([.. files.Order(StringComparer.Ordinal)], [.. skipped.OrderBy(file => file.Path, StringComparer.Ordinal)]);
    }

    private static bool IsCompanion(string path) => Companions.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>Error about a file of an unsupported or unknown format.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">Its format; null if it is not known.</param>
    /// <param name="start">Its first bytes.</param>
    internal static TinctorException Unreadable(string path, SlideFormat? format, ReadOnlySpan<byte> start)
    {
        string supported = $"supported are {string.Join(", ", Supported.Select(known => known.Name))}";
        return format is null
            ? new(path, $"is not a known image or slide format (it starts with the bytes {Convert.ToHexString(start)}); {supported}",
                "Convert it to one of these.")
            : new(path, $"is {format.Name}, which is not supported; {supported}",
                $"Convert it to {format.ConvertsTo} with {format.Converter}.");
    }

    private static SlideFormat? IdentifyOrNull(string path)
    {
        try
        {
            return Identify(path);
        }
        catch (Exception error) when (error is TinctorException or IOException)
        {
            return null;
        }
    }

    private static SlideFormat? FromContent(string path)
    {
        var start = new byte[SignatureLength];
        using FileStream file = InputFile.Open(path);
        int length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return All.FirstOrDefault(format => format.Signatures.Any(signature => signature.At + signature.Bytes.Length <= length
            && start.AsSpan(signature.At, signature.Bytes.Length).SequenceEqual(signature.Bytes)));
    }

    private static SlideFormat Scanner(string name, params IReadOnlyList<string> extensions) =>
        new(name, extensions) { IsOfScanners = true };

    private static SlideFormat OfOpenSlide(string name, params IReadOnlyList<string> extensions) =>
        Scanner(name, extensions) with { NeedsOpenSlide = true };

    private static SlideFormat Unsupported(string name, string converter, params IReadOnlyList<string> extensions) =>
        new(name, extensions) { Converter = converter };
}
