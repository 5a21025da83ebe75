using Tinctor.Evaluation.Features;
using Tinctor.Torch;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Fréchet distance of two Gaussians fitted to features (FID; Heusel et al. 2017):
/// |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), at least 0, lower is better. Computed in float64, as pytorch-fid does.
/// tr (S1 S2)^(1/2) is the sum of the square roots of the eigenvalues of the symmetric S1^(1/2) S2 S1^(1/2), which is also valid for
/// singular covariances.
/// </summary>
internal static class FrechetDistance
{
    /// <summary>The distance of two sets.</summary>
    /// <exception cref="InvalidOperationException">A set has fewer than two vectors.</exception>
    public static double Compute(FeatureStatistics first, FeatureStatistics second)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Compute(first.Mean, first.Covariance, second.Mean, second.Covariance);
    }

    /// <summary>The distance of Gaussians with means [D] and covariances [D, D], float64.</summary>
    public static double Compute(Tensor mean1, Tensor covariance1, Tensor mean2, Tensor covariance2)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double means = (mean1 - mean2).pow(2).sum().item();
        double distance = means + covariance1.trace().item() + covariance2.trace().item() - (2 * TraceOfRoot(covariance1, covariance2));
        return Math.Max(0, distance);
    }

    /// <summary>tr (S1 S2)^(1/2).</summary>
    public static double TraceOfRoot(Tensor covariance1, Tensor covariance2)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor values, Tensor vectors) = torch.linalg.eigh(covariance1);
        Tensor root = (vectors * values.clamp(0).sqrt()).mm(vectors.t());
        Tensor product = root.mm(covariance2).mm(root);
        // Rounding makes the product slightly asymmetric.
        (Tensor eigenvalues, _) = torch.linalg.eigh((product + product.t()) / 2);
        return eigenvalues.clamp(0).sqrt().sum().item();
    }
}
