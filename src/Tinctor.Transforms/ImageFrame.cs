using Tinctor.Slides;

namespace Tinctor.Transforms;

/// <summary>Coordinate frame of a slide or image: its pixels at level 0.</summary>
/// <param name="Path">File; empty for an image in memory.</param>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Pixels down.</param>
/// <param name="Mpp">Micrometres per pixel; null if unknown.</param>
public sealed record ImageFrame(string Path, int Width, int Height, double? Mpp = null)
{
    private const double SameSizeRatio = 1.3;

    /// <summary>Creates the frame of a slide.</summary>
    public static ImageFrame From(Slide slide) => new(slide.Path, slide.Width, slide.Height, slide.Mpp);

    /// <summary>Creates the frame of an image in memory.</summary>
    public static ImageFrame From(Image image) => new("", image.Width, image.Height);

    /// <summary>
    /// Gets the expected size of a target pixel's tissue: target pixels per source pixel, by the pixel sizes if both are known. Otherwise
    /// sizes within 30% of each other mean pixels of the same size, and other sizes mean the same field of view.
    /// </summary>
    internal double ExpectedScale(ImageFrame target)
    {
        if (Mpp is double own && target.Mpp is double other) return own / other;
        double ratio = (double)Math.Max(target.Width, target.Height) / Math.Max(Width, Height);
        return ratio is > SameSizeRatio or < 1 / SameSizeRatio ? ratio : 1;
    }

    /// <summary>Length of the diagonal in pixels.</summary>
    public double Diagonal => double.Hypot(Width, Height);
}
