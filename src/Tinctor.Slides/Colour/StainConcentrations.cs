namespace Tinctor.Slides.Colour;

/// <summary>
/// Concentrations of two stains in a pixel by non-negative least squares, or non-negative lasso if <paramref name="sparsity"/> is above 0:
/// min 1/2 |density - a first - b second|² + sparsity (a + b), a and b at least 0. Two stains have a closed form.
/// </summary>
/// <param name="first">Direction of the first stain, of length 1.</param>
/// <param name="second">Direction of the second stain, of length 1.</param>
/// <param name="sparsity">Weight of the L1 penalty, in the unit of the densities.</param>
internal readonly struct StainConcentrations(double[] first, double[] second, double sparsity = 0)
{
    private readonly double a0 = first[0], a1 = first[1], a2 = first[2];
    private readonly double b0 = second[0], b1 = second[1], b2 = second[2];
    private readonly double overlap = (first[0] * second[0]) + (first[1] * second[1]) + (first[2] * second[2]);

    /// <summary>Returns both concentrations in the unit of the density.</summary>
    public (double First, double Second) Solve(double red, double green, double blue)
    {
        double u = (a0 * red) + (a1 * green) + (a2 * blue) - sparsity;
        double v = (b0 * red) + (b1 * green) + (b2 * blue) - sparsity;
        double scale = 1 / (1 - (overlap * overlap));
        (double a, double b) = ((u - (overlap * v)) * scale, (v - (overlap * u)) * scale);
        return a < 0 ? (0, Math.Max(v, 0)) : b < 0 ? (Math.Max(u, 0), 0) : (a, b);
    }
}
