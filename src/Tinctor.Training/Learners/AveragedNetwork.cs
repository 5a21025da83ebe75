using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;

namespace Tinctor.Training.Learners;

/// <summary>
/// A network that has the running average of its weights while this lives, set as for staining. Its batch norms' running statistics are
/// measured anew (torch.optim.swa_utils.update_bn; Izmailov et al. 2018): averaged weights have seen no batch, and what they compute
/// varies less than what the weights in training do. Disposing brings the training's weights and statistics back.
/// </summary>
internal sealed class AveragedNetwork : IDisposable
{
    private readonly Guard weights;
    private readonly List<(BatchNorm2d Norm, double? Momentum, Tensor Mean, Tensor Variance, Tensor Batches)> before = [];

    /// <summary>Takes the average and measures: the plain mean over batches of what each batch has.</summary>
    /// <param name="average">Of the network's parameters.</param>
    /// <param name="network">Only norms that are trained themselves are measured.</param>
    /// <param name="pass">Passes training batches through the network.</param>
    public AveragedNetwork(ExponentialMovingAverage average, Module network, Action pass)
    {
        weights = average.average_parameters();
        network.eval();
        foreach (BatchNorm2d norm in network.modules().OfType<BatchNorm2d>())
        {
            if (norm is not { running_mean: { } mean, running_var: { } variance, num_batches_tracked: { } batches, weight.requires_grad: true })
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
