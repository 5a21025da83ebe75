using System.Text.Json.Nodes;

namespace Tinctor.Torch.Optim;

/// <summary>Stochastic gradient descent with optional momentum.</summary>
public sealed class SGD : Optimizer
{
    private double momentum, dampening;
    private bool nesterov;

    /// <summary>Creates an optimiser.</summary>
    /// <param name="parameters">Parameters to optimise.</param>
    /// <param name="lr">The learning rate.</param>
    /// <param name="momentum">Momentum, 0 to 1.</param>
    /// <param name="dampening">Dampening of the momentum.</param>
    /// <param name="weight_decay">Weight decay, added to the gradient.</param>
    /// <param name="nesterov">Nesterov momentum; requires momentum and no dampening.</param>
    public SGD(IEnumerable<Tensor> parameters, double lr, double momentum = 0, double dampening = 0, double weight_decay = 0,
        bool nesterov = false)
        : base(parameters, lr, weight_decay)
    {
        if (nesterov && (momentum <= 0 || dampening != 0)) throw new ArgumentException("nesterov needs momentum and no dampening");
        (this.momentum, this.dampening, this.nesterov) = (NotNegative(momentum, nameof(momentum)), dampening, nesterov);
    }

    private protected override void Update(ParamGroup group, Entry[] entries)
    {
        Tensor[] parameters = Array.ConvertAll(entries, entry => entry.parameter);
        Tensor[] step = Array.ConvertAll(entries, entry => entry.gradient);
        if (group.weight_decay != 0) step = Foreach.add__List.CallMany(step, parameters, group.weight_decay);
        if (momentum != 0) step = WithMomentum(entries, step);
        Foreach.add___List.CallVoid(parameters, step, -group.lr);
    }

    // The first step starts the buffer with the gradient itself, undampened.
    private Tensor[] WithMomentum(Entry[] entries, Tensor[] gradients)
    {
        var steps = new Tensor[entries.Length];
        foreach ((int i, Entry entry) in entries.Index())
        {
            if (!entry.state.tensors.TryGetValue("momentum_buffer", out Tensor? buffer))
                buffer = entry.state.Keep("momentum_buffer", gradients[i].clone());
            else
                buffer.mul_(momentum).add_(gradients[i], 1 - dampening);
            steps[i] = nesterov ? gradients[i].add(buffer, momentum) : buffer;
        }
        return steps;
    }

    private protected override void WriteOptions(JsonObject options)
    {
        options["momentum"] = momentum;
        options["dampening"] = dampening;
        options["nesterov"] = nesterov;
    }

    private protected override void ReadOptions(JsonObject options) =>
        (momentum, dampening, nesterov) = ((double)options["momentum"]!, (double)options["dampening"]!, (bool)options["nesterov"]!);
}
