using Tinctor.Slides;

namespace Tinctor.Transforms;

/// <summary>Coordinate frame of a slide or image: its pixels at level 0.</summary>
/// <param name="Path">File; empty for an image in memory.</param>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Pixels down.</param>
/// <param name="Mpp">Micrometres per pixel; null if unknown.</param>
public sealed record ImageFrame(string Path, int Width, int Height, double? Mpp = null)
{
    /// <summary>Creates the frame of a slide.</summary>
    public static ImageFrame From(Slide slide) => new(slide.Path, slide.Width, slide.Height, slide.Mpp);

    /// <summary>Creates the frame of an image in memory.</summary>
    public static ImageFrame From(Image image) => new("", image.Width, image.Height);

    /// <summary>Length of the diagonal in pixels.</summary>
    public double Diagonal => double.Hypot(Width, Height);
}
