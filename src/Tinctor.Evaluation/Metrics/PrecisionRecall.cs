using Tinctor.Torch;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Improved precision and recall (Kynkäänniemi et al. 2019), each in [0, 1], higher is better: the share of stained images within the
/// manifold of the real ones, and of real ones within that of the stained. A manifold is the union of balls around its vectors, whose
/// radius is the distance to the third nearest neighbour.
/// </summary>
internal static class PrecisionRecall
{
    private const int Neighbours = 3;
    private const int Rows = 256;

    /// <summary>Computes precision and recall of stained and real features [N, D] and [M, D], float64.</summary>
    /// <exception cref="ArgumentException">A set has fewer than four vectors.</exception>
    public static (double Precision, double Recall) Compute(Tensor stained, Tensor real)
    {
        if (Math.Min(stained.size(0), real.size(0)) <= Neighbours)
            throw new ArgumentException($"precision and recall need more than {Neighbours} images");
        using DisposeScope scope = torch.NewDisposeScope();
        return (ShareWithin(stained, real, Radii(real)), ShareWithin(real, stained, Radii(stained)));
    }

    /// <summary>Squared distance of each vector to its third nearest other one, [N].</summary>
    private static Tensor Radii(Tensor x) => torch.cat([.. x.split(Rows).Select(rows =>
    {
        using DisposeScope scope = torch.NewDisposeScope();
        // The nearest neighbour is the vector itself.
        return SquaredDistances(rows, x).topk(Neighbours + 1, largest: false).values.amax([1]).MoveToOuterDisposeScope();
    })], 0);

    private static double ShareWithin(Tensor queries, Tensor manifold, Tensor radii)
    {
        double within = 0;
        foreach (Tensor rows in queries.split(Rows))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            within += SquaredDistances(rows, manifold).le(radii.unsqueeze(0)).any(1).to(ScalarType.Float64).sum().item();
        }
        return within / queries.size(0);
    }

    // The distance of a vector to itself must be 0 in spite of rounding.
    private static Tensor SquaredDistances(Tensor a, Tensor b) =>
        (a.pow(2).sum([1]).unsqueeze(1) + b.pow(2).sum([1]).unsqueeze(0) - (a.mm(b.t()) * 2)).clamp(0);
}
