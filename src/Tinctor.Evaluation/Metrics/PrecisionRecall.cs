using System.Numerics.Tensors;
using Tinctor.Evaluation.Features;

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

    /// <summary>Computes precision and recall of stained and real features [N, D] and [M, D].</summary>
    /// <exception cref="ArgumentException">A set has fewer than four vectors.</exception>
    public static (double Precision, double Recall) Compute(FeatureMatrix stained, FeatureMatrix real)
    {
        if (Math.Min(stained.Rows, real.Rows) <= Neighbours)
            throw new ArgumentException($"precision and recall need more than {Neighbours} images");
        return (ShareWithin(stained, real, Radii(real)), ShareWithin(real, stained, Radii(stained)));
    }

    /// <summary>Squared distance of each vector to its third nearest other one.</summary>
    private static double[] Radii(FeatureMatrix x)
    {
        var radii = new double[x.Rows];
        ForEachRow(x, x, (i, distances) =>
        {
            // The nearest neighbour is the vector itself.
            Span<double> nearest = stackalloc double[Neighbours + 1];
            nearest.Fill(double.PositiveInfinity);
            foreach (double distance in distances)
            {
                if (!(distance < nearest[Neighbours])) continue;
                nearest[Neighbours] = distance;
                nearest.Sort();
            }
            radii[i] = nearest[Neighbours];
        });
        return radii;
    }

    private static double ShareWithin(FeatureMatrix queries, FeatureMatrix manifold, double[] radii)
    {
        int within = 0;
        ForEachRow(queries, manifold, (_, distances) =>
        {
            for (int k = 0; k < distances.Length; k++)
            {
                if (!(distances[k] <= radii[k])) continue;
                Interlocked.Increment(ref within);
                return;
            }
        });
        return within / (double)queries.Rows;
    }

    private delegate void RowAction(int row, Span<double> squaredDistances);

    // Squared distances of each row of a to all of b, at least 0 in spite of rounding.
    private static void ForEachRow(FeatureMatrix a, FeatureMatrix b, RowAction use)
    {
        double[] ofA = SquaredLengths(a), ofB = SquaredLengths(b);
        for (int start = 0; start < a.Rows; start += Rows)
        {
            int count = Math.Min(Rows, a.Rows - start);
            FeatureMatrix products = a.RowsTimesTransposed(start, count, b);
            Parallel.For(0, count, i =>
            {
                Span<double> row = products.Row(i);
                TensorPrimitives.MultiplyAdd(row, -2, ofB, row);
                TensorPrimitives.Add(row, ofA[start + i], row);
                TensorPrimitives.Max(row, 0, row);
                use(start + i, row);
            });
        }
    }

    private static double[] SquaredLengths(FeatureMatrix x) =>
        [.. Enumerable.Range(0, x.Rows).Select(i => TensorPrimitives.SumOfSquares<double>(x.Row(i)))];
}
