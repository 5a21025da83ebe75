using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Learners;

/// <summary>What a training changes: networks, their optimisers, and whatever else a step needs.</summary>
public abstract class Learner : IDisposable
{
    /// <summary>The network that all is about, which is what a model folder keeps.</summary>
    public abstract Module Trained { get; }

    /// <summary>Passes a batch through that network, for its batch norms to see.</summary>
    public abstract void Pass(Batch batch, Device device);

    /// <summary>Every network by name, for checkpoints.</summary>
    public abstract IReadOnlyDictionary<string, Module> Networks { get; }

    /// <summary>Every optimiser by name, for checkpoints and the learning rate.</summary>
    public abstract IReadOnlyDictionary<string, Optimizer> Optimizers { get; }

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
