using NetVips;
using Tinctor.Slides.Native;

namespace Tinctor.Slides;

/// <summary>Pixels and metadata of libvips images.</summary>
internal static class VipsImages
{
    private const string Orientation = "orientation", IccProfile = "icc-profile-data";

    /// <summary>ICC profile of sRGB.</summary>
    public static byte[] SrgbProfile => VipsImage.ProfileLoad("srgb");

    /// <summary>Converts RGB colours to sRGB.</summary>
    /// <param name="image">Image of three channels.</param>
    /// <param name="profile">ICC profile of its colours.</param>
    /// <exception cref="TinctorException">The profile is not of RGB.</exception>
    public static Image ToSrgb(this Image image, byte[] profile)
    {
        // libvips takes colours for sRGB if their profile is damaged.
        if (profile.Length < 128 || !profile.AsSpan(36).StartsWith("acsp"u8) || !profile.AsSpan(16).StartsWith("RGB "u8))
            throw new TinctorException("it is no ICC profile of RGB");
        using VipsImage source = image.ToVips(ImageWriter.Interpretation(image, ImageFormat.Png)), tagged = source.WithIccProfile(profile);
        using VipsImage converted = tagged.IccTransform("srgb", intent: Enums.Intent.Relative, embedded: true,
            depth: 8 * Image.BytesPerSample(image.SampleType));
        var result = new Image(image.Width, image.Height, 3, image.SampleType);
        converted.CopyTo(result.Data);
        return result;
    }

    /// <summary>Wraps the samples of an image without a copy, as long as the result is not disposed.</summary>
    public static VipsImage ToVips(this Image image, Enums.Interpretation interpretation)
    {
        VipsLibrary.Require();
        using VipsImage memory = VipsImage.NewFromMemory<byte>(image.Data.AsMemory(), image.Width, image.Height, image.Channels,
            image.SampleType == SampleType.UInt8 ? Enums.BandFormat.Uchar : Enums.BandFormat.Ushort);
        return memory.Copy(interpretation: interpretation);
    }

    /// <summary>Computes the pixels into a buffer of Width x Height x Bands samples.</summary>
    public static unsafe void CopyTo(this VipsImage image, Span<byte> pixels)
    {
        fixed (byte* target = pixels)
        {
            using var memory = VipsImage.NewFromMemory((nint)target, (ulong)pixels.Length, image.Width, image.Height, image.Bands,
                image.Format);
            image.Write(memory);
        }
    }

    /// <summary>Returns the image with a number in its metadata.</summary>
    public static VipsImage With(this VipsImage image, string name, int value) =>
        image.Mutate(copy => copy.Set(GValue.GIntType, name, value));

    /// <summary>EXIF orientation, 1 (upright) to 8.</summary>
    public static int OrientationOf(this VipsImage image) =>
        image.Contains(Orientation) && image.Get(Orientation) is int and >= 1 and <= 8 and int orientation ? orientation : 1;

    /// <summary>Returns the image rotated and mirrored as an EXIF orientation demands.</summary>
    public static VipsImage Upright(this VipsImage image, int orientation)
    {
        using VipsImage oriented = image.With(Orientation, orientation);
        return oriented.Autorot();
    }

    /// <summary>ICC profile of the colours; null if there is none.</summary>
    public static byte[]? ReadIccProfile(this VipsImage image) => image.Contains(IccProfile) ? (byte[])image.Get(IccProfile) : null;

    /// <summary>Returns the image with an ICC profile, which savers embed.</summary>
    public static VipsImage WithIccProfile(this VipsImage image, byte[] profile) =>
        image.Mutate(copy => copy.Set(GValue.BlobType, IccProfile, profile));
}
