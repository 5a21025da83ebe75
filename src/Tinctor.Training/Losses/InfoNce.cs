using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// InfoNCE (van den Oord et al. 2018) as in CEFF (Jia et al. 2025, equation 1; models/Encoder.py): cross entropy of the cosine similarities
/// of a query to all keys of the batch, divided by a temperature; the correct class is the query's own key.
/// </summary>
public static class InfoNce
{
    /// <summary>Computes the mean loss over the batch, a scalar.</summary>
    /// <param name="query">Embeddings [N,D]; need not be normalised.</param>
    /// <param name="key">Embeddings [N,D]; row i belongs to row i of the query.</param>
    /// <param name="temperature">Temperature; small values emphasise hard negatives.</param>
    /// <param name="bothWays">Whether to average with the loss of keys as queries.</param>
    public static Tensor Compute(Tensor query, Tensor key, double temperature = 0.07, bool bothWays = false)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor logits = F.normalize(query, dim: -1).matmul(F.normalize(key, dim: -1).transpose(0, 1)) / temperature;
        Tensor own = torch.arange(query.size(0), device: query.device);
        Tensor loss = F.cross_entropy(logits, own);
        if (bothWays) loss = (loss + F.cross_entropy(logits.transpose(0, 1), own)) / 2;
        return loss.MoveToOuterDisposeScope();
    }
}
