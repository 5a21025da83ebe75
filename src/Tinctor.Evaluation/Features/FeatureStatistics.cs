using Tinctor.Torch;

namespace Tinctor.Evaluation.Features;

/// <summary>
/// Mean and covariance of feature vectors in float64, updated batch by batch with constant memory (Chan, Golub and LeVeque 1979), which
/// avoids the cancellation of sums of squares.
/// </summary>
internal sealed class FeatureStatistics : IDisposable
{
    private Tensor? mean, scatter;

    /// <summary>Number of vectors.</summary>
    public long Count { get; private set; }

    /// <summary>Length of the vectors; 0 before the first batch.</summary>
    public long Dimension => mean?.size(0) ?? 0;

    /// <summary>Mean, float64 [D].</summary>
    public Tensor Mean => mean ?? throw new InvalidOperationException("no features were added");

    /// <summary>Covariance with divisor n - 1 (NumPy's cov), float64 [D, D].</summary>
    /// <exception cref="InvalidOperationException">Fewer than two vectors were added.</exception>
    public Tensor Covariance => Count > 1 ? scatter! / (Count - 1) : throw new InvalidOperationException("a covariance needs two features");

    /// <summary>Adds vectors [N, D] of any floating type and device.</summary>
    public void Add(Tensor features)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor batch = features.to(Device.CPU).to(ScalarType.Float64);
        long n = batch.size(0);
        Tensor batchMean = batch.mean([0]), centred = batch - batchMean, batchScatter = centred.t().mm(centred);
        if (mean is null)
        {
            (mean, scatter) = (batchMean.DetachFromDisposeScope(), batchScatter.DetachFromDisposeScope());
        }
        else
        {
            Tensor shift = batchMean - mean;
            scatter!.add_(batchScatter).add_(shift.unsqueeze(1).mm(shift.unsqueeze(0)) * (Count * n / (double)(Count + n)));
            mean.add_(shift * (n / (double)(Count + n)));
        }
        Count += n;
    }

    /// <summary>Frees both.</summary>
    public void Dispose()
    {
        mean?.Dispose();
        scatter?.Dispose();
    }
}
