using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tinctor.Slides.Native;

/// <summary>The installed libvips, which reads and writes images and slides.</summary>
internal static class VipsLibrary
{
    private const int AllLogLevels = ~0;

    private static readonly Lazy<string?> Loaded = new(() => Load(VipsNative.Vips));

    /// <summary>Whether libvips can be loaded.</summary>
    public static bool IsAvailable
    {
        get
        {
            try
            {
                Require();
                return true;
            }
            catch (FileNotFoundException)
            {
                return false;
            }
        }
    }

    /// <summary>Version of libvips, such as 8.14.1.</summary>
    /// <exception cref="FileNotFoundException">libvips is not installed.</exception>
    public static Version Version
    {
        get
        {
            Require();
            return new Version(VipsNative.vips_version(0), VipsNative.vips_version(1), VipsNative.vips_version(2));
        }
    }

    /// <summary>Full path of the loaded library; null if unknown.</summary>
    public static string? Path
    {
        get
        {
            Require();
            return Loaded.Value;
        }
    }

    /// <summary>Whether libvips can open slides through OpenSlide.</summary>
    public static bool HasOpenSlide
    {
        get
        {
            Require();
            return VipsNative.vips_type_find("VipsOperation", "openslideload") != 0;
        }
    }

    /// <summary>
    /// Number of threads with which libvips writes an image, at least 1; by default the number of cores. Decoding always uses one thread,
    /// so that loader threads do not compete.
    /// </summary>
    public static int Concurrency
    {
        get
        {
            Require();
            return VipsNative.vips_concurrency_get();
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            Require();
            VipsNative.vips_concurrency_set(value);
        }
    }

    internal static void Require() => _ = Loaded.Value;

    /// <summary>Loads and starts libvips, and returns its path.</summary>
    internal static unsafe string? Load(string name)
    {
        if (!NativeLibrary.TryLoad(name, out _))
        {
            throw new FileNotFoundException($"libvips is not installed ({name} was not found): apt-get install libvips42");
        }
        VipsNative.g_log_set_handler("VIPS", AllLogLevels, &Discard, 0);
        if (VipsNative.vips_init("tinctor") != 0)
        {
            var reason = VipsException.FromErrorBuffer().Message;
            throw new FileNotFoundException($"libvips does not start ({reason}). Reinstall the package libvips42.");
        }
        // Cached operations would keep pointers to pixels that are no longer pinned.
        VipsNative.vips_cache_set_max(0);
        return PathOf(name);
    }

    private static string? PathOf(string name) =>
        File.ReadLines("/proc/self/maps")
            .Select(line => line[(line.LastIndexOf(' ') + 1)..])
            .FirstOrDefault(path => System.IO.Path.GetFileName(path).StartsWith(name, StringComparison.Ordinal));

    /// <summary>Discards warnings of libvips: errors are returned by its calls.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Discard(nint domain, int level, nint message, nint userData)
    {
    }
}
