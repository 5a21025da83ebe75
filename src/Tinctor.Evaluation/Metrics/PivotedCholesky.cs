using System.Numerics.Tensors;
using Tinctor.Evaluation.Features;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Cholesky factorisation of positive semidefinite matrices with diagonal pivoting (Higham, Accuracy and Stability of Numerical Algorithms,
/// section 10.3), which finds the rank of singular ones.
/// </summary>
internal static class PivotedCholesky
{
    private const double RoundingUnit = 1.1102230246251565e-16;

    /// <summary>Computes a factor L [n, rank] of a symmetric matrix S = L L'. The rows keep the order of the matrix.</summary>
    public static FeatureMatrix Factor(FeatureMatrix matrix)
    {
        int n = matrix.Rows, rank = 0;
        var factor = new double[n][];
        var rest = new double[n];
        for (int i = 0; i < n; i++) (factor[i], rest[i]) = (new double[n], matrix[i, i]);
        double smallest = n * RoundingUnit * Math.Max(0, rest.Max());
        for (; rank < n; rank++)
        {
            int pivot = TensorPrimitives.IndexOfMax<double>(rest);
            if (!(rest[pivot] > smallest)) break;
            int k = rank;
            double root = Math.Sqrt(rest[pivot]);
            Parallel.For(0, n, i =>
            {
                if (double.IsNegativeInfinity(rest[i]) || i == pivot) return;
                double product = TensorPrimitives.Dot<double>(factor[i].AsSpan(0, k), factor[pivot].AsSpan(0, k));
                double element = factor[i][k] = (matrix[i, pivot] - product) / root;
                rest[i] -= element * element;
            });
            (factor[pivot][k], rest[pivot]) = (root, double.NegativeInfinity);
        }
        var values = new double[n * rank];
        for (int i = 0; i < n; i++) factor[i].AsSpan(0, rank).CopyTo(values.AsSpan(i * rank));
        return new(n, rank, values);
    }
}
