using System.Globalization;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Learners;

/// <summary>Networks, optimisers and further state that training changes.</summary>
public abstract class Learner : IDisposable
{
    /// <summary>Trained network, saved in the model folder.</summary>
    public abstract Module Trained { get; }

    /// <summary>Runs the trained network on a batch, to update the statistics of its batch norms.</summary>
    internal abstract void Pass(Batch batch, Device device);

    /// <summary>All networks by name, for checkpoints.</summary>
    public abstract IReadOnlyDictionary<string, Module> Networks { get; }

    /// <summary>All optimisers by name, for checkpoints and the learning rate.</summary>
    public abstract IReadOnlyDictionary<string, Optimizer> Optimizers { get; }

    /// <summary>Further state for checkpoints, such as image pools.</summary>
    public virtual IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor>();

    /// <summary>Restores a <see cref="State"/>.</summary>
    public virtual void LoadState(IReadOnlyDictionary<string, Tensor> state) { }

    /// <summary>Number of parameters of a network, as in "1,544,519".</summary>
    internal static string DescribeSize(Module network) =>
        network.parameters().Sum(parameter => parameter.numel()).ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Frees the networks.</summary>
    public virtual void Dispose()
    {
        foreach (Module network in Networks.Values) network.Dispose();
        GC.SuppressFinalize(this);
    }
}
