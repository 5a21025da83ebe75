using NetVips;
using Vips = NetVips.NetVips;

namespace Tinctor.Slides.Native;

/// <summary>The libvips of the system, or beside the program, which reads and writes images and slides.</summary>
internal static class VipsLibrary
{
    private static readonly Lazy<string?> Fault = new(Start);

    /// <summary>Whether libvips can be loaded.</summary>
    public static bool IsAvailable => Fault.Value is null;

    /// <summary>Version of libvips, such as 8.14.1.</summary>
    /// <exception cref="DllNotFoundException">libvips is not installed.</exception>
    public static Version Version
    {
        get
        {
            Require();
            return new Version(Vips.Version(0), Vips.Version(1), Vips.Version(2));
        }
    }

    /// <summary>Whether this libvips can decode JPEG 2000.</summary>
    public static bool HasJpeg2000 => Vips.TypeFind("VipsOperation", "jp2kload_buffer") != 0;

    /// <summary>
    /// Number of threads with which libvips writes an image, at least 1; by default the number of cores. Decoding always uses one thread,
    /// so that loader threads do not compete.
    /// </summary>
    /// <exception cref="DllNotFoundException">libvips is not installed.</exception>
    public static int Concurrency
    {
        get
        {
            Require();
            return Vips.Concurrency;
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            Require();
            Vips.Concurrency = value;
        }
    }

    /// <summary>Starts libvips at the first call.</summary>
    /// <exception cref="DllNotFoundException">libvips is not installed.</exception>
    public static void Require()
    {
        if (Fault.Value is string fault) throw new DllNotFoundException(fault);
    }

    /// <summary>Returns the reason of libvips for an error, in one line.</summary>
    public static string Reason(this VipsException error)
    {
        // The first line is that of NetVips, the others come from the error buffer of libvips, which all threads share.
        const StringSplitOptions clean = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        string[] lines = [.. error.Message.Split('\n', clean).Skip(1).Distinct().TakeLast(2)];
        return lines.Length == 0 ? "no reason given" : string.Join("; ", lines);
    }

    private static string? Start()
    {
        if (!ModuleInitializer.VipsInitialized)
        {
            return ModuleInitializer.Exception is not DllNotFoundException and VipsException error
                ? $"libvips does not start ({error.Reason()}): reinstall the package libvips42"
                : OperatingSystem.IsLinux() ? "libvips is not installed: apt-get install -y libvips42"
                : "libvips is missing beside the program: unpack the archive of Tinctor again";
        }
        // Errors are returned by the calls; warnings do not concern the user.
        Log.SetLogHandler("VIPS", (Enums.LogLevelFlags)~0, (_, _, _) => { });
        // Files may change between reads, and cached operations would keep pointers to pixels that are no longer pinned.
        Cache.Max = 0;
        return null;
    }
}
