using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Learners;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Bridges;

/// <summary>
/// Training of a diffusion bridge: the network learns predictions from states between source and target, jointly with the network that
/// computes the end of the bridge, if there is one.
/// </summary>
internal sealed class BridgeMethod : Method
{
    private readonly BridgeConfig config;
    private readonly BridgeGenerator network;
    private readonly AdamW optimizer;

    /// <summary>Creates and initialises the networks on a device.</summary>
    public BridgeMethod(BridgeConfig config, Device device)
    {
        this.config = config;
        network = config.CreateNetwork();
        network.to(device);
        network.train();
        optimizer = new AdamW(network.parameters(), config.Lr, weight_decay: config.WeightDecay);
    }

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> Generator => network;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks => new Dictionary<string, Module> { ["G"] = network };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers => new Dictionary<string, Optimizer> { ["G"] = optimizer };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(
        Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        // Steps and noise are drawn for the whole batch, so the result does not depend on its parts.
        (int first, int count) = network.Bridge.Schedule.TrainingSteps.GetOffsetAndLength(network.Bridge.Schedule.Last + 1);
        Tensor drawn = BatchAcrossRanks.Draw(target.size(0), rows => torch.randint(first, first + count, [rows]));
        int[] steps = Array.ConvertAll(drawn.contiguous().ToArray<long>(), step => (int)step);
        Tensor? noise = config.Noisy ? BatchAcrossRanks.Draw(target.size(0),
            rows => torch.randn([rows, .. target.shape[1..]], dtype: target.dtype, device: target.device)) : null;
        var losses = new LossMeans();
        optimizer.zero_grad();
        foreach (BatchPart part in Parts(source))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using StainContext? stains = StainContext.UsePart(part);
            Tensor loss = Loss(part.Of(source), part.Of(target), [.. part.Of<int>(steps)!], noise is null ? null : part.Of(noise));
            part.Backward(loss);
            losses.Add(part, "bridge", loss);
        }
        optimizer.step();
        return losses.ToDictionary();
    }

    private Tensor Loss(Tensor source, Tensor target, int[] steps, Tensor? noise)
    {
        Tensor end = network.End(source);
        Tensor state = network.Bridge.QSample(target, end, steps, noise);
        Tensor prediction = network.Predict(state, network.Bridge.Times(steps, target.device), end);
        Tensor expected = network.Bridge.Target(target, end, state, steps, noise);
        return config.Loss == "l1" ? F.l1_loss(prediction, expected) : F.mse_loss(prediction, expected);
    }
}
