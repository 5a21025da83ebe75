using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.CycleGan;

/// <summary>
/// CycleGAN (Zhu et al. 2017; models/cycle_gan_model.py of the official repository): A are sources, B targets; G_A maps A to B, G_B maps B
/// to A, D_A judges images of B, D_B those of A. A step updates both generators, then both discriminators.
/// </summary>
internal sealed class CycleGanMethod : Method
{
    private const string PoolA = "A.", PoolB = "B.";
    private readonly CycleGanConfig config;
    private readonly Module<Tensor, Tensor> netGA, netGB, netDA, netDB;
    private readonly Adam optimizerG, optimizerD;
    private readonly ImagePool fakesOfA, fakesOfB;

    /// <summary>Creates and initialises the networks on a device.</summary>
    public CycleGanMethod(CycleGanConfig config, Device device)
        : this(config, config.CreateGenerator(), config.Reversed().CreateGenerator(), device) { }

    /// <summary>Takes ownership of generators, creates the discriminators, initialises all and moves them to a device.</summary>
    public CycleGanMethod(CycleGanConfig config, Module<Tensor, Tensor> generatorA, Module<Tensor, Tensor> generatorB, Device device)
    {
        this.config = config;
        (netGA, netGB) = (generatorA, generatorB);
        netDA = config.CreateDiscriminator(config.OutputChannels);
        netDB = config.CreateDiscriminator(config.InputChannels);
        foreach (Module network in Networks.Values)
        {
            WeightInit.Apply(network, config.InitType, config.InitGain);
            network.to(device);
            network.train();
        }
        optimizerG = new Adam([.. netGA.parameters(), .. netGB.parameters()], config.Lr, (config.Beta1, 0.999));
        optimizerD = new Adam([.. netDA.parameters(), .. netDB.parameters()], config.Lr, (config.Beta1, 0.999));
        (fakesOfA, fakesOfB) = (new ImagePool(config.PoolSize), new ImagePool(config.PoolSize));
    }

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> Generator => netGA;

    /// <inheritdoc/>
    internal override Module<Tensor, Tensor> ReverseGenerator => netGB;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks =>
        new Dictionary<string, Module> { ["G_A"] = netGA, ["G_B"] = netGB, ["D_A"] = netDA, ["D_B"] = netDB };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers =>
        new Dictionary<string, Optimizer> { ["G"] = optimizerG, ["D"] = optimizerD };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State => Named(PoolA, fakesOfA).Concat(Named(PoolB, fakesOfB)).ToDictionary();

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        foreach ((string name, ImagePool pool) in new[] { (PoolA, fakesOfA), (PoolB, fakesOfB) })
        {
            pool.LoadState(state.Where(pair => pair.Key.StartsWith(name, StringComparison.Ordinal))
                .ToDictionary(pair => pair.Key[name.Length..], pair => pair.Value));
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        IReadOnlyList<BatchPart> parts = Parts(source);
        var losses = new LossMeans();
        var fakes = new (Tensor A, Tensor B)[parts.Count];
        netDA.requires_grad_(false);
        netDB.requires_grad_(false);
        optimizerG.zero_grad();
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            (Tensor a, Tensor b) = GeneratorLosses(parts[i], parts[i].Of(source), parts[i].Of(target), losses);
            fakes[i] = (a.detach().MoveToOuterDisposeScope(), b.detach().MoveToOuterDisposeScope());
        }
        optimizerG.step();

        netDA.requires_grad_(true);
        netDB.requires_grad_(true);
        optimizerD.zero_grad();
        var alphas = new Alphas(source.size(0), source.device);
        for (int i = 0; i < parts.Count; i++)
            DiscriminatorLoss("D_A", netDA, parts[i], parts[i].Of(target), fakes[i].B, fakesOfB, alphas, losses);
        for (int i = 0; i < parts.Count; i++)
            DiscriminatorLoss("D_B", netDB, parts[i], parts[i].Of(source), fakes[i].A, fakesOfA, alphas, losses);
        optimizerD.step();
        return losses.ToDictionary();
    }

    // Adds the gradients of the generators and returns the generated images.
    private (Tensor FakeA, Tensor FakeB) GeneratorLosses(BatchPart part, Tensor realA, Tensor realB, LossMeans losses)
    {
        Tensor fakeB = netGA.forward(realA), cycledA = netGB.forward(fakeB);
        Tensor fakeA = netGB.forward(realB), cycledB = netGA.forward(fakeA);
        var terms = new List<(string Name, Tensor Loss)>
        {
            ("G_A", GanLoss.Compute(config.GanMode, netDA.forward(fakeB), real: true)),
            ("G_B", GanLoss.Compute(config.GanMode, netDB.forward(fakeA), real: true)),
            ("cycle_A", F.l1_loss(cycledA, realA) * config.LambdaA),
            ("cycle_B", F.l1_loss(cycledB, realB) * config.LambdaB),
        };
        if (config.LambdaIdentity > 0)
        {
            terms.Add(("idt_A", F.l1_loss(netGA.forward(realB), realB) * config.LambdaB * config.LambdaIdentity));
            terms.Add(("idt_B", F.l1_loss(netGB.forward(realA), realA) * config.LambdaA * config.LambdaIdentity));
        }
        part.Backward(terms.Select(term => term.Loss).Aggregate((sum, loss) => sum + loss));
        foreach ((string name, Tensor loss) in terms) losses.Add(part, name, loss);
        return (fakeA, fakeB);
    }

    private void DiscriminatorLoss(string name, Module<Tensor, Tensor> netD, BatchPart part, Tensor real, Tensor fake, ImagePool pool,
        Alphas alphas, LossMeans losses)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        fake = pool.Query(fake);
        Tensor loss = (GanLoss.Compute(config.GanMode, netD.forward(real), real: true)
            + GanLoss.Compute(config.GanMode, netD.forward(fake), real: false)) * 0.5;
        if (config.GanMode == GanMode.Wgangp)
            loss += GanLoss.GradientPenalty(netD.forward, real, fake, part.Of(alphas.For(name)), config.LambdaGp);
        part.Backward(loss);
        losses.Add(part, name, loss);
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Named(string name, ImagePool pool) =>
        pool.State.Select(pair => KeyValuePair.Create(name + pair.Key, pair.Value));

    // Positions of the gradient penalty, drawn for the whole batch, so that the result does not depend on its parts.
    private sealed class Alphas(long count, Device device)
    {
        private readonly Dictionary<string, Tensor> drawn = [];

        public Tensor For(string network)
        {
            if (!drawn.TryGetValue(network, out Tensor? alpha))
                drawn[network] = alpha = BatchAcrossRanks.Draw(count, rows => torch.rand([rows, 1, 1, 1], device: device))
                    .MoveToOuterDisposeScope();
            return alpha;
        }
    }
}
