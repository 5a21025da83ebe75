using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Regression;

/// <summary>
/// Regression: the network minimises a distance to the target, and LPIPS if it has a weight (optimize_parameters in
/// basicsr/models/image_restoration_model.py of megvii-research/NAFNet). Weights have PyTorch's default initialisation.
/// </summary>
internal sealed class RegressionMethod : Method
{
    private readonly RegressionConfig config;
    private readonly Module<Tensor, Tensor> network;
    private readonly AdamW optimizer;
    private readonly LpipsNetwork? lpips;

    /// <summary>Creates the network on a device, and loads LPIPS if it has a weight.</summary>
    /// <exception cref="TinctorException">The weights of LPIPS are missing or of another network.</exception>
    public RegressionMethod(RegressionConfig config, Device device)
    {
        this.config = config;
        network = config.CreateGenerator();
        network.to(device);
        network.train();
        optimizer = new AdamW(network.parameters(), config.Lr, (config.Beta1, config.Beta2), weight_decay: config.WeightDecay);
        if (config.LambdaLpips == 0) return;
        lpips = LpipsNetwork.FromFiles(config.LpipsNetwork, config.LpipsTrunk, config.LpipsLin);
        lpips.requires_grad_(false);
        lpips.to(device);
    }

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> Generator => network;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks => new Dictionary<string, Module> { ["G"] = network };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers => new Dictionary<string, Optimizer> { ["G"] = optimizer };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        var losses = new LossMeans();
        optimizer.zero_grad();
        foreach (BatchPart part in Parts(source))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor stained = network.forward(part.Of(source)), real = part.Of(target);
            Tensor loss = PixelLoss.Compute(config.Loss, stained, real);
            losses.Add(part, config.Loss.ToString().ToLowerInvariant(), loss);
            if (lpips is not null)
            {
                Tensor perceptual = torch.stack([.. lpips.Layers(stained, real).Select(layer => layer.mean())]).sum();
                losses.Add(part, "lpips", perceptual);
                loss += config.LambdaLpips * perceptual;
            }
            part.Backward(loss);
        }
        optimizer.CompleteGradients();
        if (config.GradClip > 0) utils.clip_grad_norm_(network.parameters(), config.GradClip);
        optimizer.step();
        return losses.ToDictionary();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        lpips?.Dispose();
        base.Dispose();
    }
}
