using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Evaluation.Metrics;

/// <summary>An 8-bit RGB image with planes that several metrics share, computed on first use. Not thread-safe.</summary>
public sealed class ScoredImage
{
    private readonly Lazy<(float[] Haematoxylin, float[] Dab)> stains;

    /// <summary>Wraps an 8-bit RGB image.</summary>
    public ScoredImage(Image rgb)
    {
        Image = rgb;
        stains = new(Separate, LazyThreadSafetyMode.None);
    }

    /// <summary>The image.</summary>
    public Image Image { get; }

    /// <summary>Width in pixels.</summary>
    public int Width => Image.Width;

    /// <summary>Height in pixels.</summary>
    public int Height => Image.Height;

    /// <summary>The pixels.</summary>
    internal PixelView Pixels => new(Image.Data, Width, Height, 3);

    /// <summary>Decimal optical density of haematoxylin for each pixel; white is 255, the largest density is log10 255.</summary>
    public float[] Haematoxylin => stains.Value.Haematoxylin;

    /// <summary>Decimal optical density of DAB for each pixel, in the same unit.</summary>
    public float[] Dab => stains.Value.Dab;

    // Ruifrok's H and DAB with an orthogonal residual; negative concentrations become 0.
    private (float[] Haematoxylin, float[] Dab) Separate()
    {
        var (haematoxylin, dab) = (new float[Width * Height], new float[Width * Height]);
        StainMatrix.HaematoxylinDab.SeparatePlanes(Image.Data, haematoxylin, dab);
        return (haematoxylin, dab);
    }
}
