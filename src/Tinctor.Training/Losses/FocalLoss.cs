using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Cross entropy that looks away from what is already sure: -(1 - p)^gamma log(p), p the probability of the true class (Lin et al. 2017).
/// </summary>
public static class FocalLoss
{
    /// <summary>The mean loss; finite, and so is its gradient, however large the logits are.</summary>
    /// <param name="logits">[N,classes], of any floating type; half types are computed in float32.</param>
    /// <param name="truth">The true classes, int64 [N].</param>
    /// <param name="gamma">How far it looks away; 0 is plain cross entropy.</param>
    public static Tensor Compute(Tensor logits, Tensor truth, double gamma = 2)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(gamma);
        using DisposeScope temporaries = torch.NewDisposeScope();
        if (logits.element_size() < 4) logits = logits.to(ScalarType.Float32);
        Tensor log = F.log_softmax(logits, 1).gather(1, truth.unsqueeze(1));
        // 1 - p without cancellation; never 0, where a power below 1 has no slope.
        Tensor doubt = (-log.expm1()).clamp(min: 1e-12);
        return (-(doubt.pow(gamma) * log).mean()).MoveToOuterDisposeScope();
    }
}
