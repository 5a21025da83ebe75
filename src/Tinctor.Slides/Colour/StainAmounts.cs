namespace Tinctor.Slides.Colour;

/// <summary>
/// Amounts of two stains in a density, by least squares with neither below zero (non-negative lasso where <paramref name="sparsity"/> is
/// above 0): min 1/2 |density - a first - b second|² + sparsity (a + b). With two stains this has a closed form.
/// </summary>
/// <param name="first">A direction of length 1.</param>
/// <param name="second">Another one.</param>
/// <param name="sparsity">In the unit of the densities.</param>
internal readonly struct StainAmounts(double[] first, double[] second, double sparsity = 0)
{
    private readonly double a0 = first[0], a1 = first[1], a2 = first[2];
    private readonly double b0 = second[0], b1 = second[1], b2 = second[2];
    private readonly double overlap = first[0] * second[0] + first[1] * second[1] + first[2] * second[2];

    /// <summary>The amounts, in the unit of the density.</summary>
    public (double First, double Second) Of(double red, double green, double blue)
    {
        var u = a0 * red + a1 * green + a2 * blue - sparsity;
        var v = b0 * red + b1 * green + b2 * blue - sparsity;
        var scale = 1 / (1 - overlap * overlap);
        var (a, b) = ((u - overlap * v) * scale, (v - overlap * u) * scale);
        return a < 0 ? (0, Math.Max(v, 0)) : b < 0 ? (Math.Max(u, 0), 0) : (a, b);
    }
}
