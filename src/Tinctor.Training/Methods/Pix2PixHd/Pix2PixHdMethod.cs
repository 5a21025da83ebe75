using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Pix2PixHd;

/// <summary>
/// pix2pixHD (Wang et al. 2018; models/pix2pixHD_model.py and train.py of NVIDIA/pix2pixHD). A step updates the generator, of which first
/// only the last local enhancer, then the discriminators.
/// </summary>
internal sealed class Pix2PixHdMethod : Method
{
    private const string StepKey = "fix_global.step";
    private readonly Pix2PixHdConfig config;
    private readonly Module<Tensor, Tensor> netG;
    private readonly Pix2PixHdDiscriminator netD;
    private readonly Vgg19? vgg;
    private readonly Adam optimizerG, optimizerD;
    private readonly Adam? optimizerEnhancer;
    private readonly ImagePool pool;
    private readonly Tensor step;

    /// <summary>Creates and initialises the networks on a device, and loads VGG-19 if it is named.</summary>
    /// <exception cref="TinctorException">The weights of VGG-19 are missing or of another network.</exception>
    public Pix2PixHdMethod(Pix2PixHdConfig config, Device device)
    {
        this.config = config;
        netG = config.CreateGenerator();
        netD = config.CreateDiscriminator();
        foreach (Module network in new Module[] { netG, netD })
        {
            WeightInit.Apply(network, config.InitType, config.InitGain);
            network.to(device);
            network.train();
        }
        vgg = config.VggWeights.Length > 0 ? Vgg19.FromFile(config.VggWeights) : null;
        vgg?.to(device);
        optimizerG = new Adam(netG.parameters(), config.Lr, (config.Beta1, 0.999));
        optimizerD = new Adam(netD.parameters(), config.Lr, (config.Beta1, 0.999));
        // The official code replaces the optimiser when all weights are trained.
        if (config.FixGlobalSteps > 0) optimizerEnhancer = new Adam(Enhancer(inside: true), config.Lr, (config.Beta1, 0.999));
        pool = new ImagePool(config.PoolSize);
        step = torch.zeros([1], dtype: ScalarType.Int64).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> Generator => netG;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks => new Dictionary<string, Module> { ["G"] = netG, ["D"] = netD };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers
    {
        get
        {
            var optimizers = new Dictionary<string, Optimizer> { ["G"] = optimizerG, ["D"] = optimizerD };
            if (optimizerEnhancer is not null) optimizers["enhancer"] = optimizerEnhancer;
            return optimizers;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor>(pool.State) { [StepKey] = step };

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        using Guard quiet = torch.no_grad();
        step.copy_(state[StepKey]);
        pool.LoadState(state);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        IReadOnlyList<BatchPart> parts = Parts(source);
        var losses = new LossMeans();
        var fakes = new Tensor[parts.Count];
        bool onlyEnhancer = step.item() < (config.FixGlobalSteps ?? 0);
        foreach (Tensor weight in Enhancer(inside: false)) weight.requires_grad_(!onlyEnhancer);
        Adam optimizer = onlyEnhancer ? optimizerEnhancer! : optimizerG;
        step.add_(1);

        netD.requires_grad_(false);
        optimizer.zero_grad();
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            fakes[i] = GeneratorLosses(parts[i], parts[i].Of(source), parts[i].Of(target), losses).detach().MoveToOuterDisposeScope();
        }
        optimizer.step();

        netD.requires_grad_(true);
        optimizerD.zero_grad();
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor given = parts[i].Of(source);
            Tensor real = GanLossOf(netD.Scales(torch.cat([given, parts[i].Of(target)], 1)), real: true);
            Tensor fake = GanLossOf(netD.Scales(pool.Query(torch.cat([given, fakes[i]], 1))), real: false);
            parts[i].Backward((fake + real) * 0.5);
            losses.Add(parts[i], "D_real", real);
            losses.Add(parts[i], "D_fake", fake);
        }
        optimizerD.step();
        return losses.ToDictionary();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        vgg?.Dispose();
        step.Dispose();
        base.Dispose();
    }

    // Adds the gradients of the generator and returns the stained images.
    private Tensor GeneratorLosses(BatchPart part, Tensor source, Tensor target, LossMeans losses)
    {
        Tensor stained = netG.forward(source);
        Tensor[][] results = netD.Scales(torch.cat([source, stained], 1));
        var terms = new List<(string Name, Tensor Loss)> { ("G_GAN", GanLossOf(results, real: true)) };
        if (config.GanFeatLoss) terms.Add(("G_GAN_Feat", FeatureMatching(results, source, target)));
        if (vgg is not null) terms.Add(("G_VGG", VggLoss.Compute(vgg.forward, stained, target) * config.LambdaFeat));
        part.Backward(terms.Select(term => term.Loss).Aggregate((sum, loss) => sum + loss));
        foreach ((string name, Tensor loss) in terms) losses.Add(part, name, loss);
        return stained;
    }

    // L1 distance between the layers of the discriminators for stained and real images (Eqn. 4 of the paper).
    private Tensor FeatureMatching(Tensor[][] stained, Tensor source, Tensor target)
    {
        Tensor[][] real;
        using (torch.no_grad()) real = netD.Scales(torch.cat([source, target], 1));
        double weight = config.LambdaFeat * 4 / (config.NLayersD + 1) / config.NumD;
        return torch.stack([.. stained.SelectMany((layers, scale) =>
            layers[..^1].Select((layer, i) => F.l1_loss(layer, real[scale][i])))]).sum() * weight;
    }

    private Tensor GanLossOf(Tensor[][] scales, bool real) =>
        scales.Select(layers => GanLoss.Compute(config.GanMode, layers[^1], real)).Aggregate((sum, loss) => sum + loss);

    // Parameters of the last local enhancer, or all others; the global generator has no enhancer.
    private IEnumerable<Tensor> Enhancer(bool inside) => netG.named_parameters()
        .Where(pair => pair.name.StartsWith(config.LastEnhancer, StringComparison.Ordinal) == inside).Select(pair => pair.parameter);
}
