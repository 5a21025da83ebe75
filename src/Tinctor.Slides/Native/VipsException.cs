using System.Runtime.InteropServices;

namespace Tinctor.Slides.Native;

/// <summary>A failed libvips call; the message is libvips' own, on one line.</summary>
internal sealed class VipsException(string message) : Exception(message)
{
    /// <summary>Takes what libvips has noted since the last failure. The note is shared by all threads of the process.</summary>
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
