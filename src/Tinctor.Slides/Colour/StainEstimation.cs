namespace Tinctor.Slides.Colour;

/// <summary>Estimates the optical density directions of two stains.</summary>
internal static class StainEstimation
{
    /// <summary>
    /// Estimates stains by the method of Macenko et al. 2009: the plane of the two stains is spanned by the principal axes of the optical
    /// densities, and the stains are its extreme directions.
    /// </summary>
    /// <param name="density">RGB triples in decimal optical density.</param>
    /// <param name="minimum">Pixels with a channel below this density are background and ignored.</param>
    /// <param name="percentile">Percentage of directions at either end that are outliers.</param>
    /// <returns>Haematoxylin (more red density), the other stain, both of length 1, and their cross product.</returns>
    /// <exception cref="TinctorException">Fewer than 100 pixels are stained, or there is only one stain.</exception>
    public static StainMatrix Macenko(ReadOnlySpan<float> density, double minimum = 0.15, double percentile = 1)
    {
        var stained = Stained(density, minimum);
        if (stained.Length < 100)
        {
            throw new TinctorException($"only {stained.Length} pixels are stained, but at least 100 are needed to estimate the stains");
        }
        var (first, second) = MainPlane(stained);
        var angles = Array.ConvertAll(stained, pixel => Math.Atan2(Dot(pixel, second), Dot(pixel, first)));
        var (low, high) = (Percentile(angles, percentile), Percentile(angles, 100 - percentile));
        // The rounding of 8-bit samples alone spreads one colour over one or two degrees.
        if (high - low < 0.05)
        {
            throw new TinctorException("all stained pixels have one colour, but two stains are expected");
        }
        var (a, b) = (InPlane(first, second, low), InPlane(first, second, high));
        return HaematoxylinFirst(a, b);
    }

    /// <summary>
    /// Estimates stains by the method of Vahadane et al. 2016, sparse non-negative matrix factorisation: min 1/2 |V - WH|² + sparsity |H|₁,
    /// with columns of W of length 1. Starts from Macenko's stains and alternates the exact H and one round of block coordinate descent on
    /// W (Mairal et al. 2010) until convergence. Deterministic. Result and exceptions are those of <see cref="Macenko"/>.
    /// </summary>
    /// <param name="density">RGB triples of stained pixels in decimal optical density.</param>
    /// <param name="sparsity">Weight of the L1 penalty as in the paper, in natural optical density.</param>
    public static StainMatrix Vahadane(ReadOnlySpan<float> density, double sparsity = 0.1)
    {
        var start = Macenko(density, minimum: 0);
        double[][] stains = [NonNegativeUnit([.. start.Rows[..3]]), NonNegativeUnit([.. start.Rows[3..6]])];
        for (var round = 0; round < 500; round++)
        {
            var (concentrations, products) = Factors(density, new StainConcentrations(stains[0], stains[1], sparsity / Math.Log(10)));
            var moved = 0.0;
            for (var j = 0; j < 2; j++)
            {
                // A stain without concentration in any pixel does not change.
                if (concentrations[j, j] > 0)
                {
                    var next = NonNegativeUnit([.. Enumerable.Range(0, 3).Select(c => stains[j][c]
                        + (products[c, j] - stains[0][c] * concentrations[0, j] - stains[1][c] * concentrations[1, j])
                            / concentrations[j, j])]);
                    moved = Math.Max(moved, next.Zip(stains[j], (x, y) => Math.Abs(x - y)).Max());
                    stains[j] = next;
                }
            }
            if (moved < 1e-6)
            {
                break;
            }
        }
        return HaematoxylinFirst(stains[0], stains[1]);
    }

    /// <summary>Computes H Hᵀ and V Hᵀ, summed over the pixels.</summary>
    private static (double[,] Concentrations, double[,] Products) Factors(ReadOnlySpan<float> density, StainConcentrations coder)
    {
        double aa = 0, ab = 0, bb = 0;
        var products = new double[3, 2];
        for (var i = 0; i + 2 < density.Length; i += 3)
        {
            var (a, b) = coder.Solve(density[i], density[i + 1], density[i + 2]);
            (aa, ab, bb) = (aa + a * a, ab + a * b, bb + b * b);
            for (var c = 0; c < 3; c++)
            {
                products[c, 0] += density[i + c] * a;
                products[c, 1] += density[i + c] * b;
            }
        }
        return (new[,] { { aa, ab }, { ab, bb } }, products);
    }

    /// <summary>Puts haematoxylin first: it absorbs more red light than eosin and DAB.</summary>
    private static StainMatrix HaematoxylinFirst(double[] a, double[] b) =>
        a[0] > b[0] ? StainMatrix.FromStains(a, b) : StainMatrix.FromStains(b, a);

    private static double[] NonNegativeUnit(double[] v)
    {
        double[] positive = Array.ConvertAll(v, x => Math.Max(x, 0));
        var length = Math.Sqrt(Dot(positive, positive));
        return Array.ConvertAll(positive, x => x / length);
    }

    /// <summary>Computes a percentile with linear interpolation, as NumPy; sorts the values.</summary>
    internal static double Percentile(double[] values, double percent)
    {
        Array.Sort(values);
        return SampleStatistics.Quantile(values, percent / 100);
    }

    private static double[][] Stained(ReadOnlySpan<float> density, double minimum)
    {
        var stained = new List<double[]>();
        for (var i = 0; i + 2 < density.Length; i += 3)
        {
            if (density[i] >= minimum && density[i + 1] >= minimum && density[i + 2] >= minimum)
            {
                stained.Add([density[i], density[i + 1], density[i + 2]]);
            }
        }
        return [.. stained];
    }

    /// <summary>Computes the two principal axes of the covariance; the first has a positive sum, as densities have.</summary>
    private static (double[] First, double[] Second) MainPlane(double[][] pixels)
    {
        var mean = Enumerable.Range(0, 3).Select(i => pixels.Average(pixel => pixel[i])).ToArray();
        var covariance = new double[3, 3];
        foreach (var pixel in pixels)
        {
            for (var i = 0; i < 9; i++)
            {
                covariance[i / 3, i % 3] += (pixel[i / 3] - mean[i / 3]) * (pixel[i % 3] - mean[i % 3]) / pixels.Length;
            }
        }
        var axes = Eigenvectors(covariance);
        return (axes[0].Sum() < 0 ? Array.ConvertAll(axes[0], x => -x) : axes[0], axes[1]);
    }

    /// <summary>Computes the eigenvectors of a symmetric 3x3 matrix by Jacobi rotations, in descending order of eigenvalues.</summary>
    private static double[][] Eigenvectors(double[,] m)
    {
        double[][] vectors = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
        for (var sweep = 0; sweep < 50; sweep++)
        {
            foreach (var (p, q) in new[] { (0, 1), (0, 2), (1, 2) })
            {
                var angle = 0.5 * Math.Atan2(2 * m[p, q], m[p, p] - m[q, q]);
                var (sin, cos) = Math.SinCos(angle);
                for (var k = 0; k < 3; k++)
                {
                    (m[k, p], m[k, q]) = (cos * m[k, p] + sin * m[k, q], cos * m[k, q] - sin * m[k, p]);
                }
                for (var k = 0; k < 3; k++)
                {
                    (m[p, k], m[q, k]) = (cos * m[p, k] + sin * m[q, k], cos * m[q, k] - sin * m[p, k]);
                    (vectors[p][k], vectors[q][k]) = (cos * vectors[p][k] + sin * vectors[q][k], cos * vectors[q][k] - sin * vectors[p][k]);
                }
            }
        }
        return [.. Enumerable.Range(0, 3).OrderByDescending(i => m[i, i]).Select(i => vectors[i])];
    }

    private static double[] InPlane(double[] first, double[] second, double angle) =>
        [.. first.Zip(second, (a, b) => Math.Cos(angle) * a + Math.Sin(angle) * b)];

    private static double Dot(double[] a, double[] b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
