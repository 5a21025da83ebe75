using System.Runtime.InteropServices;

namespace Tinctor.Slides.Native;

/// <summary>Functions of OpenSlide 3.4 and later. A slide is safe for use by several threads; after an error it is unusable.</summary>
internal static unsafe partial class OpenSlideNative
{
    private const string OpenSlide = "openslide";

    private static readonly nint Library = new[]
    {
        "libopenslide.so.1", "libopenslide.so.0", "libopenslide-1.dll", "libopenslide.1.dylib", "libopenslide.0.dylib",
    }.Select(Load).FirstOrDefault(found => found != 0);

    static OpenSlideNative() => NativeLibrary.SetDllImportResolver(typeof(OpenSlideNative).Assembly,
        (name, _, _) => name == OpenSlide ? Library : 0);

    /// <summary>Whether OpenSlide is installed, on the library path of the system or beside the program.</summary>
    public static bool IsAvailable => Library != 0;

    /// <summary>How to install OpenSlide.</summary>
    public static string Installation => OperatingSystem.IsLinux() ? "Install it: apt-get install -y libopenslide0"
        : OperatingSystem.IsMacOS() ? "Install it: brew install openslide"
        : "Unpack openslide-bin from openslide.org, and put libopenslide-1.dll beside the program or into a folder of PATH";

    /// <summary>Version of OpenSlide, such as 3.4.1.</summary>
    public static string Version => Marshal.PtrToStringUTF8(openslide_get_version()) ?? "";

    [LibraryImport(OpenSlide)]
    private static partial nint openslide_get_version();

    [LibraryImport(OpenSlide, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint openslide_detect_vendor(string path);

    [LibraryImport(OpenSlide, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint openslide_open(string path);

    [LibraryImport(OpenSlide)]
    public static partial void openslide_close(nint slide);

    [LibraryImport(OpenSlide)]
    public static partial nint openslide_get_error(nint slide);

    [LibraryImport(OpenSlide)]
    public static partial int openslide_get_level_count(nint slide);

    [LibraryImport(OpenSlide)]
    public static partial void openslide_get_level_dimensions(nint slide, int level, out long width, out long height);

    [LibraryImport(OpenSlide)]
    public static partial double openslide_get_level_downsample(nint slide, int level);

    [LibraryImport(OpenSlide)]
    public static partial void openslide_read_region(nint slide, uint* target, long x, long y, int level, long width, long height);

    [LibraryImport(OpenSlide)]
    public static partial nint* openslide_get_property_names(nint slide);

    [LibraryImport(OpenSlide, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint openslide_get_property_value(nint slide, string name);

    [LibraryImport(OpenSlide)]
    public static partial nint* openslide_get_associated_image_names(nint slide);

    [LibraryImport(OpenSlide, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void openslide_get_associated_image_dimensions(nint slide, string name, out long width, out long height);

    [LibraryImport(OpenSlide, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void openslide_read_associated_image(nint slide, string name, uint* target);

    private static nint Load(string name) =>
        NativeLibrary.TryLoad(name, typeof(OpenSlideNative).Assembly, null, out nint library) ? library : 0;
}
