using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Evaluation.Metrics;

/// <summary>An 8-bit RGB image with what several metrics need of it, each computed once and when first asked for. Not thread-safe.</summary>
public sealed class ScoredImage
{
    private readonly Lazy<(float[] Haematoxylin, float[] Dab)> stains;

    /// <summary>Wraps an image, 8-bit RGB.</summary>
    public ScoredImage(Image rgb)
    {
        Image = rgb;
        stains = new(Separate, LazyThreadSafetyMode.None);
    }

    /// <summary>The image.</summary>
    public Image Image { get; }

    /// <summary>Columns.</summary>
    public int Width => Image.Width;

    /// <summary>Rows.</summary>
    public int Height => Image.Height;

    /// <summary>The pixels.</summary>
    public PixelView Pixels => new(Image.Data, Width, Height, 3);

    /// <summary>Optical density of haematoxylin, a number a pixel (decimal logarithm, white 255, densities end at log10 255).</summary>
    public float[] Haematoxylin => stains.Value.Haematoxylin;

    /// <summary>Optical density of DAB, a number a pixel, in the same unit.</summary>
    public float[] Dab => stains.Value.Dab;

    // Ruifrok's H and DAB with a residual at right angles: a negative amount is none.
    private (float[] Haematoxylin, float[] Dab) Separate()
    {
        var (haematoxylin, dab) = (new float[Width * Height], new float[Width * Height]);
        StainMatrix.HaematoxylinDab.SeparatePlanes(Image.Data, haematoxylin, dab);
        return (haematoxylin, dab);
    }
}
