using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// InfoNCE (van den Oord et al. 2018) as CEFF has it (Jia et al. 2025, equation 1; models/Encoder.py): the cosine similarities of a
/// query to all keys of the batch, over a temperature, classify which key is its own.
/// </summary>
public static class InfoNce
{
    /// <summary>The mean over the batch; a scalar.</summary>
    /// <param name="query">[N,D], of any length.</param>
    /// <param name="key">[N,D]; row i belongs to row i of the query.</param>
    /// <param name="temperature">Small ones heed the hardest negatives most.</param>
    /// <param name="bothWays">The mean with the same loss of the keys as queries.</param>
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
