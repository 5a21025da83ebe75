using System.Runtime.Intrinsics;

namespace Tinctor.Slides.Colour;

/// <summary>
/// Optical density directions of three stains in RGB, for colour deconvolution (Ruifrok and Johnston 2001). Pixels are interleaved
/// triples; target and source may be the same span. Thread-safe.
/// </summary>
public sealed class StainMatrix
{
    private static readonly double[] Haematoxylin = [0.65, 0.70, 0.29];
    private static readonly double[] Eosin = [0.07, 0.99, 0.11];
    private static readonly double[] Dab = [0.27, 0.57, 0.78];

    private readonly double[] rows;
    private readonly double[] inverse;
    private readonly Lazy<Vector128<float>[]> byteTables;

    /// <summary>
    /// Creates a matrix from nine numbers, one row (R, G, B) per stain. Rows are not normalised.
    /// </summary>
    /// <exception cref="ArgumentException">There are not nine numbers, or the stains are not linearly independent.</exception>
    public StainMatrix(ReadOnlySpan<double> rows)
    {
        if (rows.Length != 9)
        {
            throw new ArgumentException($"{rows.Length} numbers, but a stain matrix has 9", nameof(rows));
        }
        this.rows = rows.ToArray();
        inverse = Invert(this.rows);
        byteTables = new(ByteTables);
    }

    /// <summary>Haematoxylin, eosin and DAB: Ruifrok's vectors, as in scikit-image (rgb2hed).</summary>
    public static StainMatrix HaematoxylinEosinDab { get; } = new([.. Haematoxylin, .. Eosin, .. Dab]);

    /// <summary>Haematoxylin, DAB and an orthogonal residual, for IHC; scikit-image's hdx.</summary>
    public static StainMatrix HaematoxylinDab { get; } = FromStains([0.650, 0.704, 0.286], [0.268, 0.570, 0.776]);

    /// <summary>Haematoxylin, eosin and an orthogonal residual, for H&amp;E.</summary>
    public static StainMatrix HaematoxylinEosin { get; } = FromStains(Haematoxylin, Eosin);

    /// <summary>The nine numbers, one row (R, G, B) per stain.</summary>
    public ReadOnlySpan<double> Rows => rows;

    /// <summary>The inverse matrix: a row of densities (R, G, B) times the inverse yields the stain concentrations.</summary>
    public ReadOnlySpan<double> Inverse => inverse;

    /// <summary>Creates a matrix of two stains, which are not normalised, and their cross product as the residual.</summary>
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

    /// <summary>Computes stain concentrations from optical densities, in the same unit; they may be negative.</summary>
    public void Separate(ReadOnlySpan<float> density, Span<float> concentrations) => Multiply(density, inverse, concentrations);

    /// <summary>
    /// Computes the concentrations of the first two stains from 8-bit RGB, one plane per stain, in decimal optical density. White is 255,
    /// black counts as 1, and negative concentrations become 0. Tables with 256 entries per channel are summed.
    /// </summary>
    /// <param name="rgb">Pixels, row by row.</param>
    /// <param name="first">Concentration of the first stain for each pixel.</param>
    /// <param name="second">Concentration of the second stain for each pixel.</param>
    public void SeparatePlanes(ReadOnlySpan<byte> rgb, Span<float> first, Span<float> second)
    {
        if (rgb.Length % 3 != 0 || first.Length != rgb.Length / 3 || second.Length != first.Length)
        {
            throw new ArgumentException($"{rgb.Length} samples are not RGB of planes of {first.Length} and {second.Length} pixels");
        }
        var tables = byteTables.Value;
        ReadOnlySpan<Vector128<float>> red = tables.AsSpan(0, 256), green = tables.AsSpan(256, 256), blue = tables.AsSpan(512, 256);
        for (int i = 0, j = 0; i < first.Length; i++, j += 3)
        {
            var concentrations = Vector128.Max(red[rgb[j]] + green[rgb[j + 1]] + blue[rgb[j + 2]], Vector128<float>.Zero);
            first[i] = concentrations.GetElement(0);
            second[i] = concentrations.GetElement(1);
        }
    }

    /// <summary>Computes optical densities from stain concentrations, in the same unit; the inverse of <see cref="Separate"/>.</summary>
    public void Combine(ReadOnlySpan<float> concentrations, Span<float> density) => Multiply(concentrations, rows, density);

    /// <summary>
    /// Computes stain concentrations from RGB light in [0, 1] as scikit-image does (separate_stains, rgb2hed, 0.19 and later): light is at
    /// least 1e-6, the unit is a sixth of the decimal density, and negative concentrations become 0.
    /// </summary>
    public void SeparateRgb(ReadOnlySpan<float> rgb, Span<float> concentrations)
    {
        OpticalDensity.FromLight(rgb, concentrations, floor: OpticalDensity.SkimageFloor);
        Separate(concentrations[..rgb.Length], concentrations);
        for (var i = 0; i < rgb.Length; i++)
        {
            concentrations[i] = MathF.Max(concentrations[i] / 6, 0);
        }
    }

    /// <summary>Computes the concentrations of <see cref="SeparateRgb"/> from 8-bit RGB, one plane per stain.</summary>
    /// <param name="rgb">Pixels, row by row.</param>
    /// <param name="planes">Three planes with one number for each pixel.</param>
    internal void SeparateRgbPlanes(ReadOnlySpan<byte> rgb, float[][] planes)
    {
        Span<float> density = stackalloc float[256];
        for (var value = 0; value < density.Length; value++) density[value] = value / 255f;
        OpticalDensity.FromLight(density, density, floor: OpticalDensity.SkimageFloor);
        for (var stain = 0; stain < 3; stain++)
        {
            var (r, g, b) = ((float)inverse[stain] / 6, (float)inverse[3 + stain] / 6, (float)inverse[6 + stain] / 6);
            float[] plane = planes[stain];
            for (int i = 0, j = 0; i < plane.Length; i++, j += 3)
                plane[i] = MathF.Max(density[rgb[j]] * r + density[rgb[j + 1]] * g + density[rgb[j + 2]] * b, 0);
        }
    }

    /// <summary>
    /// Computes RGB light, clamped to [0, 1], from concentrations of <see cref="SeparateRgb"/> (combine_stains, hed2rgb).
    /// </summary>
    public void CombineRgb(ReadOnlySpan<float> concentrations, Span<float> rgb)
    {
        Combine(concentrations, rgb);
        var light = rgb[..concentrations.Length];
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

    // Contribution of each value of each channel to the concentrations.
    private Vector128<float>[] ByteTables()
    {
        var tables = new Vector128<float>[3 * 256];
        for (var i = 0; i < tables.Length; i++)
        {
            var (channel, density) = (i / 256, Math.Log10(255.0 / Math.Max(1, i % 256)));
            tables[i] = Vector128.Create(
                (float)(density * inverse[3 * channel]), (float)(density * inverse[3 * channel + 1]),
                    (float)(density * inverse[3 * channel + 2]), 0);
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
