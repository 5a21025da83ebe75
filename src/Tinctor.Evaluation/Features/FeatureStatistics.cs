using System.Numerics.Tensors;

namespace Tinctor.Evaluation.Features;

/// <summary>
/// Mean and covariance of feature vectors in float64, updated batch by batch with constant memory (Chan, Golub and LeVeque 1979), which
/// avoids the cancellation of sums of squares.
/// </summary>
internal sealed class FeatureStatistics
{
    // Scatter: sum of the products of centred vectors, its lower triangle row by row.
    private double[] mean = [];
    private double[][] scatter = [];

    /// <summary>Number of vectors.</summary>
    public long Count { get; private set; }

    /// <summary>Length of the vectors; 0 before the first batch.</summary>
    public int Dimension => mean.Length;

    /// <summary>Mean of the vectors.</summary>
    public ReadOnlySpan<double> Mean => mean;

    /// <summary>Covariance with divisor n - 1 (NumPy's cov), [D, D].</summary>
    /// <exception cref="InvalidOperationException">Fewer than two vectors were added.</exception>
    public FeatureMatrix Covariance()
    {
        if (Count < 2) throw new InvalidOperationException("a covariance needs two features");
        var values = new double[Dimension * Dimension];
        for (int i = 0; i < Dimension; i++)
            for (int k = 0; k <= i; k++) values[(i * Dimension) + k] = values[(k * Dimension) + i] = scatter[i][k] / (Count - 1);
        return new(Dimension, Dimension, values);
    }

    /// <summary>Adds vectors in the rows of a matrix.</summary>
    public void Add(FeatureMatrix batch)
    {
        if (Count == 0) (mean, scatter) = (new double[batch.Columns], [.. Enumerable.Range(1, batch.Columns).Select(i => new double[i])]);
        var batchMean = new double[Dimension];
        for (int i = 0; i < batch.Rows; i++) TensorPrimitives.Add(batchMean, batch.Row(i), batchMean);
        TensorPrimitives.Divide(batchMean, batch.Rows, batchMean);
        double[][] centred = [.. Enumerable.Range(0, batch.Rows).Select(i => Difference(batch.Row(i), batchMean))];
        double[] shift = Difference(batchMean, mean);
        double weight = Count * batch.Rows / (double)(Count + batch.Rows);
        Parallel.For(0, Dimension, i =>
        {
            Span<double> row = scatter[i];
            foreach (double[] vector in centred) TensorPrimitives.MultiplyAdd(vector.AsSpan(0, row.Length), vector[i], row, row);
            TensorPrimitives.MultiplyAdd(shift.AsSpan(0, row.Length), shift[i] * weight, row, row);
        });
        Count += batch.Rows;
        TensorPrimitives.MultiplyAdd(shift, batch.Rows / (double)Count, mean, mean);
    }

    private static double[] Difference(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var difference = new double[a.Length];
        TensorPrimitives.Subtract(a, b, difference);
        return difference;
    }
}
