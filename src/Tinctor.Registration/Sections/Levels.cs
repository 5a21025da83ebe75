using Tinctor.Torch;

namespace Tinctor.Registration.Sections;

/// <summary>Images at several sizes, and what a transform is between these.</summary>
internal static class Levels
{
    /// <summary>The image at another size, antialiased; the image itself where that is its own.</summary>
    public static Tensor Resize(Tensor image, double scale)
    {
        (long height, long width) = (Length(image.size(2), scale), Length(image.size(3), scale));
        return (height, width) == (image.size(2), image.size(3)) ? image
            : F.interpolate(image, size: (height, width), mode: "bilinear", antialias: true);
    }

    /// <summary>Source and target so much smaller that the source's longer side has these pixels; not made larger.</summary>
    public static (Tensor Source, Tensor Target) Reduce(Tensor source, Tensor target, int side)
    {
        double scale = Math.Min(1, (double)side / Math.Max(source.size(2), source.size(3)));
        return (Resize(source, scale), Resize(target, scale));
    }

    /// <summary>From the pixels of one size to those of another.</summary>
    public static AffineTransform Scaling(Tensor from, Tensor to) =>
        AffineTransform.Scaling((double)to.size(3) / from.size(3), (double)to.size(2) / from.size(2));

    private static long Length(long length, double scale) => Math.Max(8, (long)Math.Round(length * scale));
}
