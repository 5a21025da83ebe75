using Tinctor.Measurement;
using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Evaluation.Metrics;

/// <summary>An 8-bit RGB image with planes that several metrics share, computed on first use. Thread-safe.</summary>
public sealed class ScoredImage
{
    private float[]? lab;
    private float[][]? haematoxylinEosinDab;

    /// <summary>Wraps an 8-bit RGB image.</summary>
    public ScoredImage(Image rgb)
    {
        Image = rgb;
        Stains = new(rgb);
    }

    /// <summary>The image.</summary>
    public Image Image { get; }

    /// <summary>Width in pixels.</summary>
    public int Width => Image.Width;

    /// <summary>Height in pixels.</summary>
    public int Height => Image.Height;

    /// <summary>The pixels.</summary>
    internal PixelView Pixels => new(Image.Data, Width, Height, 3);

    /// <summary>The optical densities of haematoxylin and DAB.</summary>
    internal StainDensities Stains { get; }

    /// <summary>Decimal optical density of haematoxylin for each pixel; white is 255, the largest density is log10 255.</summary>
    public float[] Haematoxylin => Stains.Haematoxylin;

    /// <summary>Decimal optical density of DAB for each pixel, in the same unit.</summary>
    public float[] Dab => Stains.Dab;

    /// <summary>L*, a* and b* of each pixel, interleaved.</summary>
    internal float[] Lab => LazyInitializer.EnsureInitialized(ref lab, () => CieLab.FromBytes(Image.Data));

    /// <summary>Densities of haematoxylin, eosin and DAB for each pixel, as in scikit-image's rgb2hed.</summary>
    internal float[][] HaematoxylinEosinDab => LazyInitializer.EnsureInitialized(ref haematoxylinEosinDab, SeparateStains);

    private float[][] SeparateStains()
    {
        var planes = new[] { new float[Width * Height], new float[Width * Height], new float[Width * Height] };
        StainMatrix.HaematoxylinEosinDab.SeparateRgbPlanes(Image.Data, planes);
        return planes;
    }
}
