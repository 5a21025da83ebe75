using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Pix2Pix;

/// <summary>
/// Conditional GAN with an L1 loss, as pix2pix (Isola et al. 2017; models/pix2pix_model.py of the official repository). A step runs the
/// generator once, updates the discriminator if the GAN loss has a weight, then the generator. Other conditional GANs may transform the
/// condition of the discriminator or replace the L1 loss.
/// </summary>
internal class ConditionalGanMethod : Method
{
    private readonly ConditionalGanConfig config;
    private readonly Module<Tensor, Tensor> netG, netD;
    private readonly Adam optimizerG, optimizerD;
    private readonly ImagePool pool;
    private readonly Func<Tensor, Tensor> condition;

    /// <summary>Creates and initialises both networks on a device.</summary>
    /// <param name="config">Settings of the method.</param>
    /// <param name="device">Device of the training.</param>
    /// <param name="condition">Transforms sources to the condition of the discriminator, of the target's size; null for no change.</param>
    public ConditionalGanMethod(ConditionalGanConfig config, Device device, Func<Tensor, Tensor>? condition = null)
        : this(config, config.CreateGenerator(), config.CreateDiscriminator(), device, condition) { }

    /// <summary>Takes ownership of networks, initialises them and moves them to a device.</summary>
    public ConditionalGanMethod(
        ConditionalGanConfig config, Module<Tensor, Tensor> generator, Module<Tensor, Tensor> discriminator, Device device,
        Func<Tensor, Tensor>? condition = null)
    {
        this.config = config;
        this.condition = condition ?? (source => source);
        netG = generator;
        netD = discriminator;
        foreach (Module<Tensor, Tensor> network in new[] { netG, netD })
        {
            WeightInit.Apply(network, config.InitType, config.InitGain);
            network.to(device);
            network.train();
        }
        optimizerG = new Adam([.. netG.parameters().Where(parameter => parameter.requires_grad)], config.Lr, (config.Beta1, 0.999));
        optimizerD = new Adam(netD.parameters(), config.Lr, (config.Beta1, 0.999));
        pool = new ImagePool(config.PoolSize);
        if (config.PoolSize > 0 && config.Stains.Count > 1)
        {
            throw new OptionException(nameof(ConditionalGanConfig.PoolSize),
                $"model.pool_size is {config.PoolSize}, but earlier images may have another stain than the batch", "Use model.pool_size=0")
            { Option = "model.pool_size=0" };
        }
    }

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> Generator => netG;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks => new Dictionary<string, Module> { ["G"] = netG, ["D"] = netD };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers =>
        new Dictionary<string, Optimizer> { ["G"] = optimizerG, ["D"] = optimizerD };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State => pool.State;

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state) => pool.LoadState(state);

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(
        Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        IReadOnlyList<BatchPart> parts = Parts(source);
        using var fakes = new StainedParts<Tensor>(netG, netG.forward, image => image, source, parts);
        var losses = new LossMeans();
        if (Adversarial) UpdateDiscriminator(source, target, fakes, parts, losses);
        string[] distances = UpdateGenerator(source, target, fakes, parts, losses);
        return losses.InOrder(Adversarial ? ["G_GAN", .. distances, "D_real", "D_fake"] : distances);
    }

    private bool Adversarial => config.LambdaGan > 0;

    private void UpdateDiscriminator(
        Tensor source, Tensor target, StainedParts<Tensor> fakes, IReadOnlyList<BatchPart> parts, LossMeans losses)
    {
        netD.requires_grad_(true);
        optimizerD.zero_grad();
        Tensor? alpha = null;
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using StainContext? stains = StainContext.UsePart(parts[i]);
            Tensor given = condition(parts[i].Of(source));
            Tensor fakePair = pool.Query(torch.cat([given, fakes.Image(i)], 1).detach());
            Tensor realPair = torch.cat([given, parts[i].Of(target)], 1);
            Tensor lossDFake = GanLoss.Compute(config.GanMode, netD.forward(fakePair), real: false);
            Tensor lossDReal = GanLoss.Compute(config.GanMode, netD.forward(realPair), real: true);
            Tensor lossD = (lossDFake + lossDReal) * 0.5;
            if (config.GanMode == GanMode.Wgangp)
            {
                // Drawn for the whole batch, so the result does not depend on its parts.
                alpha ??= BatchAcrossRanks.Draw(source.size(0), rows => torch.rand([rows, 1, 1, 1], device: source.device))
                    .MoveToOuterDisposeScope();
                lossD += GanLoss.GradientPenalty(netD.forward, realPair, fakePair, parts[i].Of(alpha), config.LambdaGp);
            }
            parts[i].Backward(lossD);
            losses.Add(parts[i], "D_real", lossDReal);
            losses.Add(parts[i], "D_fake", lossDFake);
        }
        optimizerD.step();
    }

    // Returns the names of the distances.
    private string[] UpdateGenerator(
        Tensor source, Tensor target, StainedParts<Tensor> fakes, IReadOnlyList<BatchPart> parts, LossMeans losses)
    {
        netD.requires_grad_(false);
        optimizerG.zero_grad();
        string[] names = [];
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using StainContext? stains = StainContext.UsePart(parts[i]);
            Tensor fake = fakes.Result(i), given = condition(parts[i].Of(source));
            IReadOnlyList<(string Name, Tensor Loss)> distances = Distances(fake, parts[i].Of(target));
            Tensor loss = distances.Select(distance => distance.Loss).Aggregate((sum, distance) => sum + distance);
            if (Adversarial)
            {
                Tensor lossGan = GanLoss.Compute(config.GanMode, netD.forward(torch.cat([given, fake], 1)), real: true) * config.LambdaGan;
                loss += lossGan;
                losses.Add(parts[i], "G_GAN", lossGan);
            }
            parts[i].Backward(loss);
            foreach ((string name, Tensor distance) in distances) losses.Add(parts[i], name, distance);
            names = [.. distances.Select(distance => distance.Name)];
        }
        optimizerG.step();
        return names;
    }

    /// <summary>Computes the weighted distances of stained images to targets by name, scalars.</summary>
    internal virtual IReadOnlyList<(string Name, Tensor Loss)> Distances(Tensor stained, Tensor target) =>
        [("G_L1", Distance(stained, target))];

    /// <summary>Computes the weighted distance of stained images to targets, a scalar.</summary>
    protected virtual Tensor Distance(Tensor stained, Tensor target) => F.l1_loss(stained, target) * config.LambdaL1;
}
