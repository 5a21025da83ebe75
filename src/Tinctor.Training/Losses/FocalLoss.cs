using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Focal loss (Lin et al. 2017): -(1 - p)^gamma log(p) with the probability p of the true class; reduces the weight of easy samples.
/// </summary>
public static class FocalLoss
{
    /// <summary>Computes the mean loss; loss and gradient are finite for logits of any size.</summary>
    /// <param name="logits">Logits [N,classes] of any floating type; half types are computed in float32.</param>
    /// <param name="truth">True classes, int64 [N].</param>
    /// <param name="gamma">Focusing parameter; 0 gives cross entropy.</param>
    /// <param name="classWeights">Factors of the loss of each class, alpha in the paper; null for 1. The mean is over samples.</param>
    public static Tensor Compute(Tensor logits, Tensor truth, double gamma = 2, IReadOnlyList<double>? classWeights = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(gamma);
        using DisposeScope temporaries = torch.NewDisposeScope();
        if (logits.element_size() < 4) logits = logits.to(ScalarType.Float32);
        Tensor log = F.log_softmax(logits, 1).gather(1, truth.unsqueeze(1));
        // 1 - p without cancellation; never 0, where powers below 1 have an infinite gradient.
        Tensor doubt = (-log.expm1()).clamp(min: 1e-12);
        Tensor losses = doubt.pow(gamma) * log;
        if (classWeights is not null)
            losses *= torch.tensor([.. classWeights], classWeights.Count, 1).to(logits.device, logits.dtype).index_select(0, truth);
        return (-losses.mean()).MoveToOuterDisposeScope();
    }
}
