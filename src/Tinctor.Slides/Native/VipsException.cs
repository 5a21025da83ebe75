using System.Runtime.InteropServices;

namespace Tinctor.Slides.Native;

/// <summary>Failure of a libvips call; the message is that of libvips, in one line.</summary>
internal sealed class VipsException(string message) : Exception(message)
{
    /// <summary>Creates an exception from the error buffer of libvips, which is shared by all threads of the process.</summary>
    public static VipsException FromErrorBuffer()
    {
        var text = VipsNative.vips_error_buffer_copy();
        try
        {
            const StringSplitOptions clean = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
            var lines = (Marshal.PtrToStringUTF8(text) ?? "").Split('\n', clean);
            return new VipsException(lines.Length == 0 ? "no reason given" : string.Join("; ", lines.Distinct().TakeLast(2)));
        }
        finally
        {
            VipsNative.g_free(text);
        }
    }
}
