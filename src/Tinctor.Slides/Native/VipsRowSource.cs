using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Tinctor.Slides.Native;

/// <summary>
/// Source of an image whose rows are computed while libvips reads them, from the top, each once. They are passed as a PNM stream, which
/// libvips reads without keeping it. An exception of the enumeration ends the reading and is kept in <see cref="Failure"/>.
/// </summary>
internal sealed unsafe class VipsRowSource : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly IEnumerator<ReadOnlyMemory<byte>> rows;
    private readonly bool wide;
    private GCHandle self;
    private ReadOnlyMemory<byte> pending;
    private int taken;

    /// <summary>Wraps rows of 1 or 3 channels.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="wide">Whether samples have 16 bits, in native byte order, instead of 8.</param>
    /// <param name="rows">Samples of one or more complete rows per item.</param>
    public VipsRowSource(int width, int height, int channels, bool wide, IEnumerable<ReadOnlyMemory<byte>> rows)
        : base(ownsHandle: true)
    {
        VipsLibrary.Require();
        this.rows = rows.GetEnumerator();
        this.wide = wide;
        pending = Encoding.ASCII.GetBytes($"P{(channels == 1 ? 5 : 6)}\n{width} {height}\n{(wide ? 65535 : 255)}\n");
        SetHandle(VipsNative.vips_source_custom_new());
        if (IsInvalid) throw VipsException.FromErrorBuffer();
        self = GCHandle.Alloc(this);
        VipsNative.g_signal_connect_data(handle, "read", &Read, GCHandle.ToIntPtr(self), 0, 0);
    }

    /// <summary>Exception of the enumeration; null for none.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Opens the rows as an image.</summary>
    public VipsImage Open()
    {
        using VipsOperation load = new VipsOperation("ppmload_source").Set("source", this).Set("access", "sequential");
        return load.RunToImage();
    }

    protected override bool ReleaseHandle()
    {
        VipsNative.g_object_unref(handle);
        self.Free();
        rows.Dispose();
        return true;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Read(nint source, byte* buffer, long length, nint data)
    {
        var rows = (VipsRowSource)GCHandle.FromIntPtr(data).Target!;
        try
        {
            return rows.Take(new Span<byte>(buffer, (int)Math.Min(length, int.MaxValue)));
        }
        catch (Exception error)
        {
            // An exception cannot pass through C.
            rows.Failure ??= error;
            return -1;
        }
    }

    private int Take(Span<byte> target)
    {
        while (taken == pending.Length)
        {
            if (!rows.MoveNext()) return 0;
            (pending, taken) = (wide ? LargerByteFirst(rows.Current.Span) : rows.Current, 0);
        }
        int count = Math.Min(target.Length, pending.Length - taken);
        pending.Span.Slice(taken, count).CopyTo(target);
        taken += count;
        return count;
    }

    // PNM has big-endian samples.
    private static byte[] LargerByteFirst(ReadOnlySpan<byte> native)
    {
        var swapped = new byte[native.Length];
        BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, ushort>(native), MemoryMarshal.Cast<byte, ushort>(swapped.AsSpan()));
        return swapped;
    }
}
