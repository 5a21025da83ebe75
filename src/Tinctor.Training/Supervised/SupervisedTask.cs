using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Supervised;

/// <summary>
/// One network and the truth that it learns. Images are batch.Source; a mask or a counterpart is batch.Target, a label is with the pair.
/// </summary>
public abstract class SupervisedTask : Learner
{
    private readonly Optimizer optimizer;

    /// <summary>Takes over the network, puts it on a device and makes its optimiser.</summary>
    protected SupervisedTask(Module network, Device device, Func<IEnumerable<Tensor>, Optimizer> optimise)
    {
        (Network, Device) = (network, device);
        network.to(device);
        network.train();
        optimizer = optimise(network.parameters());
    }

    /// <summary>The network.</summary>
    public Module Network { get; }

    /// <summary>Device of the computation; batches arrive on the CPU.</summary>
    public Device Device { get; }

    /// <inheritdoc/>
    public sealed override Module Trained => Network;

    /// <inheritdoc/>
    public sealed override IReadOnlyDictionary<string, Module> Networks => new Dictionary<string, Module> { ["network"] = Network };

    /// <inheritdoc/>
    public sealed override IReadOnlyDictionary<string, Optimizer> Optimizers =>
        new Dictionary<string, Optimizer> { ["network"] = optimizer };

    /// <summary>Computes the loss to minimise: a scalar with history.</summary>
    public abstract Tensor Loss(Batch batch);

    /// <summary>Name of <see cref="Score"/>: "accuracy", "dice".</summary>
    public abstract string ScoreName { get; }

    /// <summary>
    /// How well the network does on images that it is not trained on; higher is better. It runs in inference mode without gradients;
    /// a batch, and what is computed from it, is freed when the next one comes.
    /// </summary>
    public abstract double Score(IEnumerable<Batch> validation);

    /// <summary>
    /// Writes the finished model (see <see cref="SupervisedModel"/>); the network has its best weights and is set as for scoring.
    /// </summary>
    /// <param name="folder">Where to.</param>
    /// <param name="record">What the training was.</param>
    /// <param name="validation">The validation images once more, for what the card tells of them; may be empty.</param>
    public abstract void WriteModel(string folder, TrainingRecord record, IEnumerable<Batch> validation);

    /// <summary>One update.</summary>
    internal IReadOnlyDictionary<string, Tensor> TrainStep(Batch batch)
    {
        optimizer.zero_grad();
        Tensor loss = Backward(batch);
        optimizer.step();
        return new Dictionary<string, Tensor> { ["loss"] = loss.detach() };
    }

    /// <summary>Leaves the gradients of <see cref="Loss"/> with the weights, and gives the loss.</summary>
    private protected virtual Tensor Backward(Batch batch)
    {
        Tensor loss = Loss(batch);
        loss.backward();
        return loss;
    }
}
