using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Measurement;

/// <summary>
/// Optical densities of haematoxylin and DAB in an 8-bit RGB image, computed on first use by colour deconvolution (Ruifrok and Johnston
/// 2001, with an orthogonal residual). Negative densities become 0. Thread-safe.
/// </summary>
internal sealed class StainDensities
{
    private readonly Lazy<(float[] Haematoxylin, float[] Dab)> planes;

    /// <summary>Wraps an 8-bit RGB image.</summary>
    public StainDensities(Image rgb)
    {
        (Width, Height) = (rgb.Width, rgb.Height);
        planes = new(() =>
        {
            var (haematoxylin, dab) = (new float[rgb.Width * rgb.Height], new float[rgb.Width * rgb.Height]);
            StainMatrix.HaematoxylinDab.SeparatePlanes(rgb.Data, haematoxylin, dab);
            return (haematoxylin, dab);
        });
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Decimal optical density of haematoxylin for each pixel; white is 255, the largest density is log10 255.</summary>
    public float[] Haematoxylin => planes.Value.Haematoxylin;

    /// <summary>Decimal optical density of DAB for each pixel, in the same unit.</summary>
    public float[] Dab => planes.Value.Dab;
}
