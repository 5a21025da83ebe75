using System.Globalization;
using System.Runtime.InteropServices;
using Tinctor.Slides.Native;
using Tinctor.Slides.Tiff;

namespace Tinctor.Slides;

/// <summary>Slide of a scanner, read through OpenSlide (SVS, NDPI, MRXS, SCN, BIF and others); 8-bit RGB.</summary>
internal sealed unsafe class OpenSlideFile : SlideFile
{
    private static readonly ushort[] White = [255, 255, 255];

    // Of Aperio, Leica and Philips, as OpenSlide recognises them.
    private static readonly string[] ScannerDescriptions = ["Aperio", "leica-microsystems.com/scn", "DPUfsImport"];

    private readonly string path;
    private readonly nint slide;
    private readonly ushort[]? namedBackground;

    private OpenSlideFile(string path, nint slide)
    {
        (this.path, this.slide) = (path, slide);
        namedBackground = BackgroundOf(Value(slide, "openslide.background-color"));
        AssociatedNames = [.. Strings(OpenSlideNative.openslide_get_associated_image_names(slide))];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> AssociatedNames { get; }

    /// <inheritdoc/>
    public override ushort[] Background => namedBackground ?? base.Background;

    /// <summary>Opens a slide; null if OpenSlide does not know the format, and for plain TIFF, which is read through libvips.</summary>
    /// <exception cref="TinctorException">The slide is damaged, or OpenSlide is needed but not installed.</exception>
    public static OpenSlideFile? Open(string path)
    {
        if (!OpenSlideNative.IsAvailable)
        {
            RefuseWithoutLibrary(path);
            return null;
        }
        string? vendor = Text(OpenSlideNative.openslide_detect_vendor(path));
        if (vendor is null or "generic-tiff") return null;
        nint slide = OpenSlideNative.openslide_open(path);
        if (slide == 0) throw new TinctorException(path, $"looks like a slide of {vendor}, but cannot be opened",
            "Copy or export the file again.");
        try
        {
            ThrowIfBroken(slide);
            string? Of(string name) => Value(slide, name);
            return new OpenSlideFile(path, slide)
            {
                Name = $"{vendor} slide",
                Levels = [.. Enumerable.Range(0, OpenSlideNative.openslide_get_level_count(slide)).Select(level => LevelOf(slide, level))],
                PixelSize = Size(Number(Of("openslide.mpp-x")), "the file") ?? Size(
                    MppOf(Number(Of("tiff.XResolution")), Of("tiff.ResolutionUnit") switch { "inch" => 2, "centimeter" => 3, _ => 0 }),
                    "the TIFF resolution"),
                Objective = Number(Of("openslide.objective-power")),
                Properties = Strings(OpenSlideNative.openslide_get_property_names(slide))
                    .ToDictionary(name => name, name => Of(name) ?? ""),
            };
        }
        catch
        {
            OpenSlideNative.openslide_close(slide);
            throw;
        }
    }

    /// <summary>Refuses a slide that only OpenSlide reads.</summary>
    /// <exception cref="TinctorException">The slide needs OpenSlide.</exception>
    public static void RefuseWithoutLibrary(string path)
    {
        if (SlideFormats.FromExtension(path) is { NeedsOpenSlide: true } || IsScannerTiff(path))
            throw new TinctorException(path, "slides of this format need OpenSlide, which was not found", OpenSlideNative.Installation);
    }

    // TIFFs of scanners that are named like any TIFF: libvips would read them, but not as the scanner means them.
    private static bool IsScannerTiff(string path)
    {
        using FileStream file = InputFile.Open(path);
        return TiffFile.IsTiff(file) && new TiffFile(file).Pages()[0].Description is string description
            && ScannerDescriptions.Any(known => description.Contains(known, StringComparison.Ordinal));
    }

    /// <inheritdoc/>
    public override Image Read(int level, int x, int y, int width, int height) => Region(level, x, y, width, height, () => Background);

    /// <inheritdoc/>
    public override Image ReadAssociated(string name)
    {
        OpenSlideNative.openslide_get_associated_image_dimensions(slide, name, out long width, out long height);
        // A slide that was found to be damaged has images of -1 x -1 pixels.
        ThrowIfBroken(slide);
        if (width < 1 || height < 1 || Math.BigMul(width, height) > Array.MaxLength / 3)
            throw new TinctorException($"its image {name} has {width} x {height} pixels");
        return Pixels((int)width, (int)height, () => White,
            target => OpenSlideNative.openslide_read_associated_image(slide, name, (uint*)target));
    }

    /// <inheritdoc/>
    public override byte[]? ReadIccProfile()
    {
        // OpenSlide gives profiles from version 4 on; most formats of scanners are TIFFs, which have them in a tag.
        using FileStream stream = InputFile.Open(path);
        return TiffFile.IsTiff(stream) ? new TiffFile(stream).ReadIccProfile() : null;
    }

    /// <inheritdoc/>
    public override void Dispose() => OpenSlideNative.openslide_close(slide);

    /// <inheritdoc/>
    protected internal override Image ReadOnWhite(int level, int x, int y, int width, int height) =>
        Region(level, x, y, width, height, () => White);

    private Image Region(int level, int x, int y, int width, int height, Func<ushort[]> below)
    {
        double downsample = Levels[level].Downsample;
        // OpenSlide takes positions in level 0, even if the factor of a level is not whole.
        (long left, long top) = ((long)Math.Round(x * downsample), (long)Math.Round(y * downsample));
        return Pixels(width, height, below,
            target => OpenSlideNative.openslide_read_region(slide, (uint*)target, left, top, level, width, height));
    }

    private static SlideLevel LevelOf(nint slide, int level)
    {
        OpenSlideNative.openslide_get_level_dimensions(slide, level, out long width, out long height);
        return new(checked((int)width), checked((int)height), OpenSlideNative.openslide_get_level_downsample(slide, level));
    }

    // Pixels are 0xAARRGGBB with premultiplied colours; areas that were not scanned are transparent.
    private Image Pixels(int width, int height, Func<ushort[]> below, Action<nint> read)
    {
        var argb = new uint[width * height];
        fixed (uint* target = argb) read((nint)target);
        ThrowIfBroken(slide);
        ushort[]? background = null;
        var image = new Image(width, height, 3);
        for (int i = 0, j = 0; i < argb.Length; i++, j += 3)
        {
            uint pixel = argb[i], clear = 255 - (pixel >> 24);
            if (clear > 0) background ??= below();
            image.Data[j] = Over((pixel >> 16) & 255, clear, background?[0]);
            image.Data[j + 1] = Over((pixel >> 8) & 255, clear, background?[1]);
            image.Data[j + 2] = Over(pixel & 255, clear, background?[2]);
        }
        return image;
    }

    private static byte Over(uint colour, uint clear, uint? below) =>
        clear == 0 ? (byte)colour : (byte)Math.Min(255, colour + (((clear * below!.Value) + 127) / 255));

    private static void ThrowIfBroken(nint slide)
    {
        if (Text(OpenSlideNative.openslide_get_error(slide)) is string error) throw new TinctorException(error);
    }

    private static string? Value(nint slide, string name) => Text(OpenSlideNative.openslide_get_property_value(slide, name));

    private static ushort[]? BackgroundOf(string? hex) =>
        hex is { Length: 6 } && int.TryParse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int rgb)
            ? [(byte)(rgb >> 16), (byte)(rgb >> 8), (byte)rgb] : null;

    private static IEnumerable<string> Strings(nint* list)
    {
        var strings = new List<string>();
        for (; list is not null && *list != 0; list++) strings.Add(Text(*list)!);
        return strings;
    }

    private static string? Text(nint utf8) => Marshal.PtrToStringUTF8(utf8);
}
