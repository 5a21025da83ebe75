using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Tinctor.Slides.Native;

/// <summary>Operation of libvips, called by name: set the inputs, run, take the output.</summary>
internal sealed class VipsOperation : SafeHandleZeroOrMinusOneIsInvalid
{
    public VipsOperation(string name)
        : base(ownsHandle: true)
    {
        VipsLibrary.Require();
        SetHandle(VipsNative.vips_operation_new(name));
        if (IsInvalid)
        {
            throw VipsException.FromErrorBuffer();
        }
    }

    /// <summary>Sets a number, flag, text or enumeration in the notation of libvips ("sequential", "lanczos3", "0.5").</summary>
    public VipsOperation Set(string name, string value)
    {
        if (VipsNative.vips_object_set_argument_from_string(handle, name, value) != 0)
        {
            throw VipsException.FromErrorBuffer();
        }
        return this;
    }

    public VipsOperation Set(string name, VipsImage image) => Set(name, image, VipsNative.vips_image_get_type());

    public VipsOperation Set(string name, VipsRowSource rows) => Set(name, rows, VipsNative.vips_source_get_type());

    private VipsOperation Set(string name, SafeHandle thing, nuint type)
    {
        var value = new GValue();
        VipsNative.g_value_init(ref value, type);
        VipsNative.g_value_set_object(ref value, thing.DangerousGetHandle());
        VipsNative.g_object_set_property(handle, name, ref value);
        VipsNative.g_value_unset(ref value);
        return this;
    }

    /// <summary>
    /// Runs the operation and returns its output image, without the operation cache of libvips, as files may change between reads.
    /// </summary>
    public VipsImage RunToImage()
    {
        Build();
        var value = new GValue();
        VipsNative.g_value_init(ref value, VipsNative.vips_image_get_type());
        VipsNative.g_object_get_property(handle, "out", ref value);
        var image = VipsNative.g_value_dup_object(ref value);
        VipsNative.g_value_unset(ref value);
        return new VipsImage(image);
    }

    /// <summary>Runs an operation that writes a file.</summary>
    public void Run() => Build();

    /// <summary>
    /// Runs a save-to-buffer operation and passes its bytes to <paramref name="use"/>; they are valid during the call only.
    /// </summary>
    public unsafe void RunToBytes(ReadOnlySpanAction use)
    {
        Build();
        var value = new GValue();
        VipsNative.g_value_init(ref value, VipsNative.vips_blob_get_type());
        try
        {
            VipsNative.g_object_get_property(handle, "buffer", ref value);
            var bytes = VipsNative.vips_blob_get(VipsNative.g_value_get_boxed(ref value), out var size);
            use(new ReadOnlySpan<byte>((void*)bytes, checked((int)size)));
        }
        finally
        {
            VipsNative.g_value_unset(ref value);
        }
    }

    public delegate void ReadOnlySpanAction(ReadOnlySpan<byte> bytes);

    private void Build()
    {
        if (VipsNative.vips_object_build(handle) != 0)
        {
            throw VipsException.FromErrorBuffer();
        }
    }

    protected override bool ReleaseHandle()
    {
        VipsNative.vips_object_unref_outputs(handle);
        VipsNative.g_object_unref(handle);
        return true;
    }
}
