using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Tinctor.Slides.Native;

/// <summary>Reference to a libvips image: pixels in memory, or a pipeline that computes them on demand.</summary>
internal sealed class VipsImage : SafeHandleZeroOrMinusOneIsInvalid
{
    public const int UChar = 0;
    public const int UShort = 2;
    private const string IccProfileName = "icc-profile-data";

    public VipsImage(nint reference)
        : base(ownsHandle: true)
    {
        if (reference == 0)
        {
            throw VipsException.FromErrorBuffer();
        }
        SetHandle(reference);
    }

    public int Width => VipsNative.vips_image_get_width(handle);
    public int Height => VipsNative.vips_image_get_height(handle);
    public int Bands => VipsNative.vips_image_get_bands(handle);
    public int Format => VipsNative.vips_image_get_format(handle);
    public int Interpretation => VipsNative.vips_image_get_interpretation(handle);
    public int Pages => VipsNative.vips_image_get_n_pages(handle);

    /// <summary>EXIF orientation, 1 (upright) to 8.</summary>
    public int Orientation => VipsNative.vips_image_get_orientation(handle);

    /// <summary>Wraps pixels without a copy; they must be pinned until this image, and all images made from it, are disposed.</summary>
    public static unsafe VipsImage Wrap(byte* pixels, long size, int width, int height, int bands, int format)
    {
        VipsLibrary.Require();
        return new VipsImage(VipsNative.vips_image_new_from_memory(pixels, (nuint)size, width, height, bands, format));
    }

    /// <summary>Sets the EXIF orientation for the next operation.</summary>
    public void SetOrientation(int orientation) => VipsNative.vips_image_set_int(handle, "orientation", orientation);

    /// <summary>Marks the image as an endless animation whose frames are stacked vertically.</summary>
    public void SetPages(int height, int milliseconds)
    {
        VipsNative.vips_image_set_int(handle, "page-height", height);
        VipsNative.vips_image_set_int(handle, "loop", 0);
        int[] delays = new int[Height / height];
        Array.Fill(delays, milliseconds);
        VipsNative.vips_image_set_array_int(handle, "delay", delays, delays.Length);
    }

    /// <summary>ICC profile of the colours; null if there is none.</summary>
    public byte[]? IccProfile
    {
        get
        {
            if (VipsNative.vips_image_get_typeof(handle, IccProfileName) == 0) return null;
            if (VipsNative.vips_image_get_blob(handle, IccProfileName, out nint data, out nuint length) != 0)
                throw VipsException.FromErrorBuffer();
            var profile = new byte[checked((int)length)];
            Marshal.Copy(data, profile, 0, profile.Length);
            return profile;
        }
    }

    /// <summary>Attaches an ICC profile, which savers embed.</summary>
    public unsafe void SetIccProfile(ReadOnlySpan<byte> profile)
    {
        fixed (byte* data = profile) VipsNative.vips_image_set_blob_copy(handle, IccProfileName, data, (nuint)profile.Length);
    }

    /// <summary>
    /// Decodes a file into a buffer of Width x Height x Bands samples, on one thread: with several threads, libvips 8.14 sometimes loses
    /// the error of a truncated file and returns pixels that were never read.
    /// </summary>
    public void Decode(Span<byte> pixels)
    {
        VipsNative.vips_image_set_int(handle, "concurrency", 1);
        CopyTo(pixels);
    }

    /// <summary>Runs the pipeline into a buffer of Width x Height x Bands samples.</summary>
    public unsafe void CopyTo(Span<byte> pixels)
    {
        fixed (byte* target = pixels)
        {
            using var memory = Wrap(target, pixels.Length, Width, Height, Bands, Format);
            if (VipsNative.vips_image_write(handle, memory.handle) != 0)
            {
                throw VipsException.FromErrorBuffer();
            }
        }
    }

    protected override bool ReleaseHandle()
    {
        VipsNative.g_object_unref(handle);
        return true;
    }
}
