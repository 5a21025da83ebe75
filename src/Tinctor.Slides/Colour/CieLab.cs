namespace Tinctor.Slides.Colour;

/// <summary>
/// Conversion between sRGB and CIE 1976 L*a*b* (white D65, 2 degree observer) with the constants of scikit-image (rgb2lab, lab2rgb).
/// Pixels are interleaved triples; target and source may be the same span. Thread-safe.
/// </summary>
internal static class CieLab
{
    private const float WhiteX = 0.95047f, WhiteZ = 1.08883f;

    /// <summary>Converts RGB light in [0, 1] to L* (0 to 100), a* and b* (around 0).</summary>
    public static void FromRgb(ReadOnlySpan<float> rgb, Span<float> lab)
    {
        Check(rgb.Length, lab.Length);
        for (var i = 0; i < rgb.Length; i += 3)
        {
            FromLinear(Linear(rgb[i]), Linear(rgb[i + 1]), Linear(rgb[i + 2]), lab[i..]);
        }
    }

    /// <summary>Converts 8-bit RGB to L* (0 to 100), a* and b* (around 0).</summary>
    public static float[] FromBytes(ReadOnlySpan<byte> rgb)
    {
        Span<float> linear = stackalloc float[256];
        for (var value = 0; value < linear.Length; value++) linear[value] = Linear(value / 255f);
        var lab = new float[rgb.Length];
        for (var i = 0; i < rgb.Length; i += 3) FromLinear(linear[rgb[i]], linear[rgb[i + 1]], linear[rgb[i + 2]], lab.AsSpan(i));
        return lab;
    }

    /// <summary>Converts L*a*b* to RGB light; colours outside of sRGB are clamped to [0, 1].</summary>
    public static void ToRgb(ReadOnlySpan<float> lab, Span<float> rgb)
    {
        Check(lab.Length, rgb.Length);
        for (var i = 0; i < lab.Length; i += 3)
        {
            var y = (lab[i] + 16) / 116;
            var (a, b) = (lab[i + 1], lab[i + 2]);
            var (x, z) = (Expand(y + a / 500) * WhiteX, Expand(MathF.Max(0, y - b / 200)) * WhiteZ);
            y = Expand(y);
            rgb[i] = Gamma(3.24048134f * x - 1.53715152f * y - 0.49853633f * z);
            rgb[i + 1] = Gamma(-0.96925495f * x + 1.87599f * y + 0.04155593f * z);
            rgb[i + 2] = Gamma(0.05564664f * x - 0.20404134f * y + 1.05731107f * z);
        }
    }

    private static void FromLinear(float r, float g, float b, Span<float> lab)
    {
        var x = Compress((0.412453f * r + 0.357580f * g + 0.180423f * b) / WhiteX);
        var y = Compress(0.212671f * r + 0.715160f * g + 0.072169f * b);
        var z = Compress((0.019334f * r + 0.119193f * g + 0.950227f * b) / WhiteZ);
        (lab[0], lab[1], lab[2]) = (116 * y - 16, 500 * (x - y), 200 * (y - z));
    }

    private static float Linear(float light) => light > 0.04045f ? MathF.Pow((light + 0.055f) / 1.055f, 2.4f) : light / 12.92f;

    private static float Gamma(float linear) =>
        Math.Clamp(linear > 0.0031308f ? 1.055f * MathF.Pow(linear, 1 / 2.4f) - 0.055f : 12.92f * linear, 0, 1);

    private static float Compress(float t) => t > 0.008856f ? MathF.Cbrt(t) : 7.787f * t + 16f / 116;

    private static float Expand(float t) => t > 0.2068966f ? t * t * t : (t - 16f / 116) / 7.787f;

    private static void Check(int source, int target)
    {
        if (source % 3 != 0 || target < source)
        {
            throw new ArgumentException($"pixels of 3 samples expected, got {source} samples and room for {target}");
        }
    }
}
