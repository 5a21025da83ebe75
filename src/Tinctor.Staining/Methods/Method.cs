using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;

namespace Tinctor.Staining.Methods;

/// <summary>
/// A published way to stain: which networks, which losses, one training step, and how it stains. Loops, files and devices are
/// the trainer's; images come in and go out as [N,C,H,W] in [-1,1].
/// </summary>
public abstract class Method : IDisposable
{
    /// <summary>The network that stains, which is what a model folder keeps.</summary>
    public abstract Module<Tensor, Tensor> Generator { get; }

    /// <summary>Every network by name, for checkpoints.</summary>
    public abstract IReadOnlyDictionary<string, Module> Networks { get; }

    /// <summary>Every optimiser by name, for checkpoints and the learning rate.</summary>
    public abstract IReadOnlyDictionary<string, Optimizer> Optimizers { get; }

    /// <summary>Height and width must be multiples of this; the stainer pads.</summary>
    public abstract int SizeMultiple { get; }

    /// <summary>One update of all networks.</summary>
    /// <param name="source">[N,Cin,H,W].</param>
    /// <param name="target">[N,Cout,H,W].</param>
    /// <returns>The losses by name, as tensors without history: reading them is left to the caller.</returns>
    public abstract IReadOnlyDictionary<string, Tensor> TrainStep(Tensor source, Tensor target);

    /// <summary>What a step needs beyond networks and optimisers (image pools and the like), for checkpoints.</summary>
    public virtual IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor>();

    /// <summary>Takes up a <see cref="State"/>.</summary>
    public virtual void LoadState(IReadOnlyDictionary<string, Tensor> state) { }

    /// <summary>Frees the networks.</summary>
    public virtual void Dispose()
    {
        foreach (Module network in Networks.Values) network.Dispose();
        GC.SuppressFinalize(this);
    }
}
