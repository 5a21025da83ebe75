using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Torch.Distributed;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Supervised;

/// <summary>
/// Supervised training of a network. Images are in batch.Source, masks or target images in batch.Target, labels in batch.Pairs.
/// </summary>
internal abstract class SupervisedTask : Learner
{
    private readonly Optimizer optimizer;

    /// <summary>Takes ownership of the network, moves it to a device and creates its optimiser.</summary>
    protected SupervisedTask(Module network, Device device, Func<IEnumerable<Tensor>, Optimizer> optimise)
    {
        (Network, Device) = (network, device);
        network.to(device);
        network.train();
        optimizer = optimise(network.parameters());
    }

    /// <summary>Trained network.</summary>
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

    /// <summary>Computes the loss, a scalar with gradients.</summary>
    public abstract Tensor Loss(Batch batch);

    /// <summary>Name of <see cref="Score"/>: "accuracy", "dice".</summary>
    public abstract string ScoreName { get; }

    /// <summary>
    /// Computes the validation score; higher is better. It runs in inference mode; each batch, with the tensors computed from it, is freed
    /// before the next one.
    /// </summary>
    public abstract double Score(IEnumerable<Batch> validation);

    /// <summary>
    /// Writes the finished model (see <see cref="SupervisedModel"/>); the network has its best weights and is in evaluation mode.
    /// </summary>
    /// <param name="folder">Model folder.</param>
    /// <param name="record">Record of the training.</param>
    /// <param name="validation">Validation images, for the statistics in the card; may be empty.</param>
    public abstract void WriteModel(string folder, TrainingRecord record, IEnumerable<Batch> validation);

    /// <summary>ONNX files of the finished model; the network is in evaluation mode.</summary>
    internal abstract IReadOnlyList<OnnxExport> OnnxExports { get; }

    /// <summary>Updates the weights once.</summary>
    internal IReadOnlyDictionary<string, Tensor> TrainStep(Batch batch)
    {
        optimizer.zero_grad();
        Tensor loss = Backward(batch);
        optimizer.step();
        return new Dictionary<string, Tensor> { ["loss"] = loss.detach() };
    }

    /// <summary>Computes <see cref="Loss"/> and the gradients of the weights; returns the share of this rank in the loss.</summary>
    private protected virtual Tensor Backward(Batch batch)
    {
        Tensor loss = ShareOf(Loss(batch));
        using Guard final = DistributedDataParallel.FinalBackward();
        loss.backward();
        return loss;
    }

    /// <summary>Gets the share of this rank in the mean of a loss over the ranks.</summary>
    private protected static Tensor ShareOf(Tensor loss) => BatchAcrossRanks.Ranks is { } ranks ? loss / ranks.WorldSize : loss;
}
