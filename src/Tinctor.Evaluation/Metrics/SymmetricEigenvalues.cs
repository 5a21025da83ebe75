using System.Numerics.Tensors;
using Tinctor.Evaluation.Features;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Eigenvalues of symmetric matrices without eigenvectors, by Householder's tridiagonalisation and the implicit QL algorithm (Golub and Van
/// Loan, Matrix Computations, sections 8.3.1 and 8.3.3). Much faster than a decomposition with eigenvectors.
/// </summary>
internal static class SymmetricEigenvalues
{
    private const int MostIterations = 60;

    /// <summary>Computes the eigenvalues, in no order.</summary>
    /// <param name="matrix">Symmetric matrix, overwritten. Asymmetry by rounding is averaged.</param>
    public static double[] Compute(FeatureMatrix matrix)
    {
        (double[] diagonal, double[] beside) = Tridiagonalise(matrix);
        Diagonalise(diagonal, beside);
        return diagonal;
    }

    // Each reflection's update of a row is followed by the next reflection's product with it, so the matrix is read once for each.
    private static (double[] Diagonal, double[] Beside) Tridiagonalise(FeatureMatrix a)
    {
        int n = a.Rows;
        for (int i = 0; i < n; i++)
            for (int k = 0; k < i; k++) a.Row(i)[k] = a.Row(k)[i] = (a[i, k] + a[k, i]) / 2;
        double[] diagonal = new double[n], beside = new double[n], v = new double[n], w = new double[n], next = new double[n],
            product = new double[n];
        for (int step = 0; step < n; step++)
        {
            // Of the reflection before: a -= v w' + w v', whose row of this step comes first.
            int from = step + 1, length = n - from;
            if (step > 0) Update(a.Row(step), v, w, step, step);
            diagonal[step] = a[step, step];
            if (length == 0) break;
            double scale = Reflection(a.Row(step)[from..], next.AsSpan(from), out beside[step]);
            int start = step;
            Parallel.For(from, n, i =>
            {
                Span<double> row = a.Row(i);
                if (start > 0) Update(row, v, w, i, from);
                product[i] = scale * TensorPrimitives.Dot<double>(row[from..], next.AsSpan(from));
            });
            double half = scale / 2 * TensorPrimitives.Dot<double>(product.AsSpan(from), next.AsSpan(from));
            TensorPrimitives.MultiplyAdd(next.AsSpan(from), -half, product.AsSpan(from), w.AsSpan(from));
            next.AsSpan(from).CopyTo(v.AsSpan(from));
        }
        return (diagonal, beside);
    }

    private static void Update(Span<double> row, double[] v, double[] w, int i, int from)
    {
        Span<double> part = row[from..];
        TensorPrimitives.MultiplyAdd(w.AsSpan(from), -v[i], part, part);
        TensorPrimitives.MultiplyAdd(v.AsSpan(from), -w[i], part, part);
    }

    // Vector v and factor s of I - s v v', which maps x to (norm, 0, ..., 0).
    private static double Reflection(ReadOnlySpan<double> x, Span<double> v, out double norm)
    {
        x.CopyTo(v);
        double length = TensorPrimitives.Norm(x);
        norm = x[0] > 0 ? -length : length;
        v[0] -= norm;
        double squared = TensorPrimitives.SumOfSquares<double>(v);
        return squared == 0 ? 0 : 2 / squared;
    }

    private static void Diagonalise(double[] d, double[] e)
    {
        int n = d.Length;
        for (int l = 0; l < n; l++)
        {
            for (int iteration = 0; ; iteration++)
            {
                int m = l;
                while (m < n - 1 && Math.Abs(e[m]) + Size(m) != Size(m)) m++;
                if (m == l) break;
                if (iteration == MostIterations) throw new ArithmeticException("the eigenvalues do not converge");
                Sweep(d, e, l, m);
            }
        }

        double Size(int m) => Math.Abs(d[m]) + Math.Abs(d[m + 1]);
    }

    // One implicit QL step on rows l to m.
    private static void Sweep(double[] d, double[] e, int l, int m)
    {
        double g = (d[l + 1] - d[l]) / (2 * e[l]), r = double.Hypot(g, 1);
        g = d[m] - d[l] + (e[l] / (g + Math.CopySign(r, g)));
        double sine = 1, cosine = 1, shift = 0;
        for (int i = m - 1; i >= l; i--)
        {
            double f = sine * e[i], b = cosine * e[i];
            r = double.Hypot(f, g);
            e[i + 1] = r;
            if (r == 0)
            {
                d[i + 1] -= shift;
                e[m] = 0;
                return;
            }
            (sine, cosine) = (f / r, g / r);
            g = d[i + 1] - shift;
            r = ((d[i] - g) * sine) + (2 * cosine * b);
            shift = sine * r;
            d[i + 1] = g + shift;
            g = (cosine * r) - b;
        }
        d[l] -= shift;
        (e[l], e[m]) = (g, 0);
    }
}
