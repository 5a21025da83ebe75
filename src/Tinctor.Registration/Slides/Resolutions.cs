using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Slides;

/// <summary>Images at several resolutions, and the transforms between them.</summary>
internal static class Resolutions
{
    /// <summary>Resizes an image with antialiasing; returns the image itself if its size does not change.</summary>
    public static Tensor Resize(Tensor image, double scale)
    {
        (long height, long width) = (Length(image.size(2), scale), Length(image.size(3), scale));
        return (height, width) == (image.size(2), image.size(3)) ? image
            : F.interpolate(image, size: (height, width), mode: "bilinear", antialias: true);
    }

    /// <summary>Reduces source and target by the same factor, so that the longer side of the source has at most this many pixels.</summary>
    public static (Tensor Source, Tensor Target) Reduce(Tensor source, Tensor target, int side)
    {
        double scale = Math.Min(1, (double)side / Math.Max(source.size(2), source.size(3)));
        return (Resize(source, scale), Resize(target, scale));
    }

    /// <summary>Creates the transform from the pixels of one resolution to those of another.</summary>
    public static AffineTransform Scaling(Tensor from, Tensor to) =>
        AffineTransform.Scaling((double)to.size(3) / from.size(3), (double)to.size(2) / from.size(2));

    private static long Length(long length, double scale) => Math.Max(8, (long)Math.Round(length * scale));
}
