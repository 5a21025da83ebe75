using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Methods;

/// <summary>
/// A published way to stain: which networks, which losses, one training step, and how it stains. Loops, files and devices are
/// the trainer's; images come in and go out as [N,C,H,W] in [-1,1].
/// </summary>
public abstract class Method : Learner
{
    /// <summary>The network that stains.</summary>
    public abstract Module<Tensor, Tensor> Generator { get; }

    /// <inheritdoc/>
    public sealed override Module Trained => Generator;

    /// <inheritdoc/>
    public sealed override void Pass(Batch batch, Device device) => Generator.forward(batch.Source.to(device));

    /// <summary>One update of all networks.</summary>
    /// <param name="source">[N,Cin,H,W].</param>
    /// <param name="target">[N,Cout,H,W].</param>
    /// <param name="labels">The label of each pair, null where it has none; null for none at all.</param>
    /// <returns>The losses by name, as tensors without history: reading them is left to the caller.</returns>
    public abstract IReadOnlyDictionary<string, Tensor> TrainStep(
        Tensor source, Tensor target, IReadOnlyList<string?>? labels = null);
}
