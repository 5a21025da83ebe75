using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Learners;

/// <summary>State that training changes: networks, their optimisers, and further state of a step.</summary>
public abstract class Learner : IDisposable
{
    /// <summary>The trained network (saved in the model folder).</summary>
    public abstract Module Trained { get; }

    /// <summary>Passes a batch through that network, for its batch norms to see.</summary>
    public abstract void Pass(Batch batch, Device device);

    /// <summary>Every network by name, for checkpoints.</summary>
    public abstract IReadOnlyDictionary<string, Module> Networks { get; }

    /// <summary>Every optimiser by name, for checkpoints and the learning rate.</summary>
    public abstract IReadOnlyDictionary<string, Optimizer> Optimizers { get; }

    /// <summary>State of a step beyond networks and optimisers, such as image pools, for checkpoints.</summary>
    public virtual IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor>();

    /// <summary>Restores a <see cref="State"/>.</summary>
    public virtual void LoadState(IReadOnlyDictionary<string, Tensor> state) { }

    /// <summary>Frees the networks.</summary>
    public virtual void Dispose()
    {
        foreach (Module network in Networks.Values) network.Dispose();
        GC.SuppressFinalize(this);
    }
}
