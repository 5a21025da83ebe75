using System.Numerics.Tensors;
using Tinctor.Evaluation.Features;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Fréchet distance of two Gaussians fitted to features (FID; Heusel et al. 2017):
/// |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), at least 0, lower is better. Computed in float64, as pytorch-fid does.
/// tr (S1 S2)^(1/2) is the sum of the square roots of the eigenvalues of the symmetric L' S2 L with S1 = L L', which is also valid for
/// singular covariances.
/// </summary>
internal static class FrechetDistance
{
    /// <summary>The distance of two sets.</summary>
    /// <exception cref="InvalidOperationException">A set has fewer than two vectors.</exception>
    public static double Compute(FeatureStatistics first, FeatureStatistics second)
    {
        FeatureMatrix covariance1 = first.Covariance(), covariance2 = second.Covariance();
        double means = TensorPrimitives.Distance(first.Mean, second.Mean);
        double distance = (means * means) + Trace(covariance1) + Trace(covariance2) - (2 * TraceOfRoot(covariance1, covariance2));
        return Math.Max(0, distance);
    }

    /// <summary>tr (S1 S2)^(1/2).</summary>
    public static double TraceOfRoot(FeatureMatrix covariance1, FeatureMatrix covariance2)
    {
        FeatureMatrix factor = PivotedCholesky.Factor(covariance1);
        if (factor.Columns == 0) return 0;
        FeatureMatrix transposed = factor.Transpose();
        return SymmetricEigenvalues.Compute(transposed.Times(covariance2).Times(factor)).Sum(value => Math.Sqrt(Math.Max(0, value)));
    }

    private static double Trace(FeatureMatrix matrix) => Enumerable.Range(0, matrix.Rows).Sum(i => matrix[i, i]);
}
