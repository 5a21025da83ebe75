using System.Runtime.Intrinsics;

namespace Tinctor.Slides.Colour;

/// <summary>
/// Three stains, each with the direction of its optical density in RGB (colour deconvolution after Ruifrok and Johnston 2001).
/// Pixels are interleaved triples; a target may be the source itself. Thread-safe.
/// </summary>
public sealed class StainMatrix
{
    private static readonly double[] Haematoxylin = [0.65, 0.70, 0.29];
    private static readonly double[] Eosin = [0.07, 0.99, 0.11];
    private static readonly double[] Dab = [0.27, 0.57, 0.78];

    private readonly double[] rows;
    private readonly double[] inverse;
    private readonly Lazy<Vector128<float>[]> amountsOfBytes;

    /// <summary>
    /// Makes a matrix from nine numbers, a row (R, G, B) a stain, taken as they are (not normalised).
    /// Throws <see cref="ArgumentException"/> if the stains are not linearly independent.
    /// </summary>
    public StainMatrix(ReadOnlySpan<double> rows)
    {
        if (rows.Length != 9)
        {
            throw new ArgumentException($"a stain matrix has 9 numbers, got {rows.Length}", nameof(rows));
        }
        this.rows = rows.ToArray();
        inverse = Invert(this.rows);
        amountsOfBytes = new(AmountsOfBytes);
    }

    /// <summary>Haematoxylin, eosin and DAB: Ruifrok's vectors as skimage.color has them (rgb2hed).</summary>
    public static StainMatrix HaematoxylinEosinDab { get; } = new([.. Haematoxylin, .. Eosin, .. Dab]);

    /// <summary>Haematoxylin, DAB and a residual at right angles to both: skimage's hdx, for IHC.</summary>
    public static StainMatrix HaematoxylinDab { get; } = FromStains([0.650, 0.704, 0.286], [0.268, 0.570, 0.776]);

    /// <summary>Haematoxylin, eosin and a residual at right angles to both, for H&amp;E.</summary>
    public static StainMatrix HaematoxylinEosin { get; } = FromStains(Haematoxylin, Eosin);

    /// <summary>The nine numbers, a row (R, G, B) a stain.</summary>
    public ReadOnlySpan<double> Rows => rows;

    /// <summary>The nine numbers of the inverse: density (R, G, B) as a row, times this, gives the amounts.</summary>
    public ReadOnlySpan<double> Inverse => inverse;

    /// <summary>Two stains, as they are, and their cross product as the residual.</summary>
    public static StainMatrix FromStains(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        ReadOnlySpan<double> residual =
        [
            first[1] * second[2] - first[2] * second[1],
            first[2] * second[0] - first[0] * second[2],
            first[0] * second[1] - first[1] * second[0],
        ];
        return new StainMatrix([.. first, .. second, .. residual]);
    }

    /// <summary>Amounts of the stains from optical densities, in the same unit; negative ones are kept.</summary>
    public void Separate(ReadOnlySpan<float> density, Span<float> amounts) => Multiply(density, inverse, amounts);

    /// <summary>
    /// Amounts of the first two stains in 8-bit RGB, each as a plane of its own, in decimal optical density with white 255 (black counts
    /// as 1); negative amounts become 0. One pass: an amount is a sum of three numbers, one a channel, each one of 256.
    /// </summary>
    /// <param name="rgb">Triples, row-major.</param>
    /// <param name="first">One number a pixel.</param>
    /// <param name="second">One number a pixel.</param>
    public void SeparatePlanes(ReadOnlySpan<byte> rgb, Span<float> first, Span<float> second)
    {
        if (rgb.Length % 3 != 0 || first.Length != rgb.Length / 3 || second.Length != first.Length)
        {
            throw new ArgumentException($"{rgb.Length} samples are not RGB of planes of {first.Length} and {second.Length} pixels");
        }
        var tables = amountsOfBytes.Value;
        ReadOnlySpan<Vector128<float>> red = tables.AsSpan(0, 256), green = tables.AsSpan(256, 256), blue = tables.AsSpan(512, 256);
        for (int i = 0, j = 0; i < first.Length; i++, j += 3)
        {
            var amounts = Vector128.Max(red[rgb[j]] + green[rgb[j + 1]] + blue[rgb[j + 2]], Vector128<float>.Zero);
            first[i] = amounts.GetElement(0);
            second[i] = amounts.GetElement(1);
        }
    }

    /// <summary>Optical densities from amounts of the stains, in the same unit; undoes <see cref="Separate"/>.</summary>
    public void Combine(ReadOnlySpan<float> amounts, Span<float> density) => Multiply(amounts, rows, density);

    /// <summary>
    /// Amounts of the stains in RGB light of [0, 1], in skimage's unit and manner (separate_stains, rgb2hed of 0.19 and later):
    /// light is at least 1e-6, an amount is a sixth of the decimal density's, negative amounts become 0.
    /// </summary>
    public void SeparateLight(ReadOnlySpan<float> rgb, Span<float> amounts)
    {
        OpticalDensity.FromLight(rgb, amounts, floor: OpticalDensity.SkimageFloor);
        Separate(amounts[..rgb.Length], amounts);
        for (var i = 0; i < rgb.Length; i++)
        {
            amounts[i] = MathF.Max(amounts[i] / 6, 0);
        }
    }

    /// <summary>RGB light, clamped to [0, 1], from amounts of the stains as skimage gives it (combine_stains, hed2rgb).</summary>
    public void CombineLight(ReadOnlySpan<float> amounts, Span<float> rgb)
    {
        Combine(amounts, rgb);
        var light = rgb[..amounts.Length];
        for (var i = 0; i < light.Length; i++)
        {
            light[i] *= 6;
        }
        OpticalDensity.ToLight(light, light);
        for (var i = 0; i < light.Length; i++)
        {
            light[i] = Math.Clamp(light[i], 0, 1);
        }
    }

    // For each channel and value what it adds to the amounts of the stains.
    private Vector128<float>[] AmountsOfBytes()
    {
        var tables = new Vector128<float>[3 * 256];
        for (var i = 0; i < tables.Length; i++)
        {
            var (channel, density) = (i / 256, Math.Log10(255.0 / Math.Max(1, i % 256)));
            tables[i] = Vector128.Create(
                (float)(density * inverse[3 * channel]), (float)(density * inverse[3 * channel + 1]), (float)(density * inverse[3 * channel + 2]), 0);
        }
        return tables;
    }

    private static void Multiply(ReadOnlySpan<float> pixels, double[] matrix, Span<float> target)
    {
        if (pixels.Length % 3 != 0 || target.Length < pixels.Length)
        {
            throw new ArgumentException($"pixels of 3 samples expected, got {pixels.Length} samples and room for {target.Length}");
        }
        Span<float> m = stackalloc float[9];
        for (var i = 0; i < 9; i++)
        {
            m[i] = (float)matrix[i];
        }
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var (a, b, c) = (pixels[i], pixels[i + 1], pixels[i + 2]);
            target[i] = a * m[0] + b * m[3] + c * m[6];
            target[i + 1] = a * m[1] + b * m[4] + c * m[7];
            target[i + 2] = a * m[2] + b * m[5] + c * m[8];
        }
    }

    private static double[] Invert(double[] m)
    {
        double[] adjugate =
        [
            m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
            m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
            m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3],
        ];
        var determinant = m[0] * adjugate[0] + m[1] * adjugate[3] + m[2] * adjugate[6];
        return Math.Abs(determinant) > 1e-9
            ? Array.ConvertAll(adjugate, value => value / determinant)
            : throw new ArgumentException("the three stains are not linearly independent");
    }
}
