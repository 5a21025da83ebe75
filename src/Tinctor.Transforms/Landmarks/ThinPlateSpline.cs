using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace Tinctor.Transforms.Landmarks;

/// <summary>
/// Smoothing thin-plate spline in the plane (Bookstein 1989; Wahba, Spline Models for Observational Data, 1990): an affine function plus
/// weighted kernels r² log r at the nodes, which minimises the squared residuals plus n times the smoothing times the bending energy.
/// </summary>
internal sealed class ThinPlateSpline
{
    private readonly double[] xs, ys;
    private readonly double centreX, centreY, unit;
    private readonly double[][] coefficients; // of each value: weights of the nodes, then constant, x, y

    private ThinPlateSpline(double[] xs, double[] ys, (double X, double Y, double Unit) frame, double[][] coefficients, double[] errors)
    {
        (this.xs, this.ys, this.coefficients) = (xs, ys, coefficients);
        (centreX, centreY, unit) = frame;
        LeaveOneOut = errors;
    }

    /// <summary>Distance at each node between its values and those of the spline through the other nodes.</summary>
    public IReadOnlyList<double> LeaveOneOut { get; }

    /// <summary>Fits a spline.</summary>
    /// <param name="positions">Nodes, at least four that are not on a line.</param>
    /// <param name="values">Two values for each node.</param>
    /// <param name="smoothing">Weight of the bending energy, above 0, in units of the nodes' root mean square distance.</param>
    public static ThinPlateSpline Fit(IReadOnlyList<(double X, double Y)> positions, IReadOnlyList<(double X, double Y)> values,
        double smoothing)
    {
        int n = positions.Count;
        double centreX = positions.Average(p => p.X), centreY = positions.Average(p => p.Y);
        double unit = Math.Sqrt(positions.Average(p => Square(p.X - centreX) + Square(p.Y - centreY)));
        double[] xs = [.. positions.Select(p => (p.X - centreX) / unit)], ys = [.. positions.Select(p => (p.Y - centreY) / unit)];
        var system = new DenseMatrix(n + 3, n + 3);
        for (int i = 0; i < n; i++)
        {
            for (int k = 0; k < n; k++) system[i, k] = Kernel(xs[i] - xs[k], ys[i] - ys[k]);
            system[i, i] += n * smoothing;
            (system[i, n], system[i, n + 1], system[i, n + 2]) = (1, xs[i], ys[i]);
            (system[n, i], system[n + 1, i], system[n + 2, i]) = (1, xs[i], ys[i]);
        }
        Matrix<double> inverse = system.Inverse();
        double[][] coefficients = [.. new Func<(double X, double Y), double>[] { value => value.X, value => value.Y }
            .Select(part => (inverse * DenseVector.OfEnumerable([.. values.Select(part), 0, 0, 0])).ToArray())];
        // The residual without a node is its weight over its diagonal element of the inverse (Wahba 1990, section 4.2).
        double[] errors = [.. Enumerable.Range(0, n).Select(i =>
            double.Hypot(coefficients[0][i] / inverse[i, i], coefficients[1][i] / inverse[i, i]))];
        return new(xs, ys, (centreX, centreY, unit), coefficients, errors);
    }

    /// <summary>Gets the values at a position.</summary>
    public (double X, double Y) At(double x, double y)
    {
        (double atX, double atY) = ((x - centreX) / unit, (y - centreY) / unit);
        int n = xs.Length;
        double[] a = coefficients[0], b = coefficients[1];
        double u = a[n] + (a[n + 1] * atX) + (a[n + 2] * atY), v = b[n] + (b[n + 1] * atX) + (b[n + 2] * atY);
        for (int i = 0; i < n; i++)
        {
            double kernel = Kernel(atX - xs[i], atY - ys[i]);
            (u, v) = (u + (a[i] * kernel), v + (b[i] * kernel));
        }
        return (u, v);
    }

    private static double Kernel(double dx, double dy) => Square(dx) + Square(dy) is > 0 and var square ? square * Math.Log(square) / 2 : 0;

    private static double Square(double value) => value * value;
}
