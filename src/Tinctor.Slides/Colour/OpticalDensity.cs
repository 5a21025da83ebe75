using System.Numerics;

namespace Tinctor.Slides.Colour;

/// <summary>
/// Conversion between light and optical density (Beer-Lambert law): OD = -log10(max(light, floor) / white), light = white * 10^-OD.
/// The logarithm is decimal, as in Ruifrok and Johnston, QuPath and ImageJ. Target and source may be the same span. Thread-safe.
/// </summary>
public static class OpticalDensity
{
    /// <summary>Least light in scikit-image's stain separation, for light in [0, 1]; the largest density is 6.</summary>
    public const float SkimageFloor = 1e-6f;

    private const float Ln10 = 2.3025851f;

    /// <summary>
    /// Computes densities of light; light brighter than <paramref name="white"/>, the background, has a negative density.
    /// </summary>
    public static void FromLight(ReadOnlySpan<float> light, Span<float> density, float white = 1, float floor = SkimageFloor)
    {
        Check(light.Length, density.Length, white);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(floor);
        var (offset, scale) = (MathF.Log(white) / Ln10, -1 / Ln10);
        var i = 0;
        for (; i <= light.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var log = Vector.Log(Vector.Max(new Vector<float>(light[i..]), new Vector<float>(floor)));
            (log * scale + new Vector<float>(offset)).CopyTo(density[i..]);
        }
        for (; i < light.Length; i++)
        {
            density[i] = MathF.Log(MathF.Max(light[i], floor)) * scale + offset;
        }
    }

    /// <summary>
    /// Computes densities of 8-bit samples; black counts as <paramref name="floor"/>, so the largest density is log10(white / floor).
    /// </summary>
    public static void FromLight(ReadOnlySpan<byte> light, Span<float> density, float white = 255, float floor = 1)
    {
        Check(light.Length, density.Length, white);
        Span<float> samples = stackalloc float[256];
        for (var value = 0; value < samples.Length; value++)
        {
            samples[value] = value;
        }
        FromLight(samples, samples, white, floor);
        for (var i = 0; i < light.Length; i++)
        {
            density[i] = samples[light[i]];
        }
    }

    /// <summary>Computes the transmitted light of densities; not clamped.</summary>
    public static void ToLight(ReadOnlySpan<float> density, Span<float> light, float white = 1)
    {
        Check(density.Length, light.Length, white);
        var i = 0;
        for (; i <= density.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (Vector.Exp(new Vector<float>(density[i..]) * -Ln10) * white).CopyTo(light[i..]);
        }
        for (; i < density.Length; i++)
        {
            light[i] = MathF.Exp(density[i] * -Ln10) * white;
        }
    }

    /// <summary>Computes 8-bit samples of the transmitted light, clamped to 0 to 255 and rounded to nearest.</summary>
    public static void ToLight(ReadOnlySpan<float> density, Span<byte> light, float white = 255)
    {
        Check(density.Length, light.Length, white);
        Span<float> block = stackalloc float[1024];
        for (var start = 0; start < density.Length; start += block.Length)
        {
            var count = Math.Min(block.Length, density.Length - start);
            ToLight(density.Slice(start, count), block, white);
            for (var i = 0; i < count; i++)
            {
                light[start + i] = (byte)Image.Round(block[i], 255);
            }
        }
    }

    private static void Check(int source, int target, float white)
    {
        if (target < source)
        {
            throw new ArgumentException($"the target holds {target} samples, {source} are needed");
        }
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(white);
    }
}
