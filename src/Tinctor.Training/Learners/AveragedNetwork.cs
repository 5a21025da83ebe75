using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;

namespace Tinctor.Training.Learners;

/// <summary>
/// Replaces the weights of a network by their running average until disposal, in evaluation mode. The running statistics of its batch norms
/// are recomputed for the averaged weights (torch.optim.swa_utils.update_bn; Izmailov et al. 2018). Disposal restores both.
/// </summary>
internal sealed class AveragedNetwork : IDisposable
{
    private readonly Guard weights;
    private readonly List<(BatchNorm2d Norm, double? Momentum, Tensor Mean, Tensor Variance, Tensor Batches)> before = [];

    /// <summary>Replaces the weights and recomputes the running statistics as means over batches.</summary>
    /// <param name="average">Running average of the network's parameters.</param>
    /// <param name="network">Network; statistics of frozen batch norms are kept.</param>
    /// <param name="pass">Passes training batches through the network.</param>
    public AveragedNetwork(ExponentialMovingAverage average, Module network, Action pass)
    {
        weights = average.average_parameters();
        network.eval();
        foreach (BatchNorm2d norm in network.modules().OfType<BatchNorm2d>())
        {
            if (norm is not
                { running_mean: { } mean, running_var: { } variance, num_batches_tracked: { } batches, weight.requires_grad: true })
                continue;
            before.Add((norm, norm.momentum, Copy(mean), Copy(variance), Copy(batches)));
            norm.momentum = null;
            batches.zero_();
            norm.train();
        }
        if (before.Count > 0)
        {
            using Guard quiet = torch.no_grad();
            pass();
        }
        network.eval();

        static Tensor Copy(Tensor tensor) => tensor.clone().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using Guard quiet = torch.no_grad();
        foreach ((BatchNorm2d norm, double? momentum, Tensor mean, Tensor variance, Tensor batches) in before)
        {
            norm.momentum = momentum;
            Restore(norm.running_mean!, mean);
            Restore(norm.running_var!, variance);
            Restore(norm.num_batches_tracked!, batches);
        }
        before.Clear();
        weights.Dispose();

        static void Restore(Tensor present, Tensor earlier)
        {
            present.copy_(earlier);
            earlier.Dispose();
        }
    }
}
