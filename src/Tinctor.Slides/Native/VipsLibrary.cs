using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tinctor.Slides.Native;

/// <summary>What is known about the installed libvips, which reads and writes images and slides.</summary>
public static class VipsLibrary
{
    private const int AllLogLevels = ~0;

    private static readonly Lazy<string?> Loaded = new(() => Load(VipsNative.Vips));

    /// <summary>True if libvips can be loaded.</summary>
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

    /// <summary>Version of libvips, for example 8.14.1. Throws <see cref="FileNotFoundException"/> if it is not installed.</summary>
    public static Version Version
    {
        get
        {
            Require();
            return new Version(VipsNative.vips_version(0), VipsNative.vips_version(1), VipsNative.vips_version(2));
        }
    }

    /// <summary>Full path of the loaded library, or null if the system does not tell it.</summary>
    public static string? Path
    {
        get
        {
            Require();
            return Loaded.Value;
        }
    }

    /// <summary>True if libvips opens whole slides through OpenSlide.</summary>
    public static bool HasOpenSlide
    {
        get
        {
            Require();
            return VipsNative.vips_type_find("VipsOperation", "openslideload") != 0;
        }
    }

    /// <summary>
    /// Threads that libvips uses to write one image, at least 1; all cores by default. Decoding always takes one thread,
    /// so that loader threads do not get in each other's way.
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

    /// <summary>Loads and starts libvips once for the process and returns its path.</summary>
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
            throw new FileNotFoundException($"libvips does not start ({reason}): apt-get install --reinstall libvips42");
        }
        // A cached operation would keep pointers to pixels that are no longer pinned.
        VipsNative.vips_cache_set_max(0);
        return PathOf(name);
    }

    private static string? PathOf(string name) =>
        File.ReadLines("/proc/self/maps")
            .Select(line => line[(line.LastIndexOf(' ') + 1)..])
            .FirstOrDefault(path => System.IO.Path.GetFileName(path).StartsWith(name, StringComparison.Ordinal));

    /// <summary>libvips' warnings go nowhere: what matters comes back as an error of the call.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Discard(nint domain, int level, nint message, nint userData)
    {
    }
}
