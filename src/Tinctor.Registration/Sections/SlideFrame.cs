using Tinctor.Slides;

namespace Tinctor.Registration.Sections;

/// <summary>The plane of a slide: its pixels at level 0.</summary>
/// <param name="Path">The file; empty for an image in memory.</param>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Pixels down.</param>
/// <param name="Mpp">Micrometres per pixel, where known.</param>
public sealed record SlideFrame(string Path, int Width, int Height, double? Mpp = null)
{
    /// <summary>That of a slide.</summary>
    public static SlideFrame Of(Slide slide) => new(slide.Path, slide.Width, slide.Height, slide.Mpp);

    /// <summary>That of an image in memory.</summary>
    public static SlideFrame Of(Image image) => new("", image.Width, image.Height);

    /// <summary>From corner to corner, in pixels.</summary>
    public double Diagonal => double.Hypot(Width, Height);
}
