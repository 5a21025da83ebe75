using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.BciStainer;

/// <summary>
/// BCIStainer (libs/train_basic/trainer.py of quqixun/BCIStainer). A step runs the generator once, updates the comparator in the first part
/// of the run, then the discriminators, then the generator, which the frozen comparator guides after that part.
/// </summary>
internal sealed class BciStainerMethod : Method
{
    private const string StepKey = "comparator.step";
    private readonly BciStainerConfig config;
    private readonly BciStainerGenerator netG;
    private readonly BciStainerDiscriminator netD;
    private readonly BciStainerComparator netC;
    private readonly AdamW optimizerG, optimizerD, optimizerC;
    private readonly Tensor step;

    /// <summary>Creates and initialises the networks on a device.</summary>
    public BciStainerMethod(BciStainerConfig config, Device device)
    {
        this.config = config;
        netG = config.CreateNetwork();
        netD = new BciStainerDiscriminator(config.OutputChannels + (config.Conditional ? config.InputChannels : 0), config.Ndf,
            config.NLayersD, config.NumD);
        netC = new BciStainerComparator(config.OutputChannels, config.Ngf, config.Levels.Count, config.FullSize, 8 * config.Ngf,
            config.Dropout);
        foreach (Module network in new Module[] { netG, netD, netC })
        {
            WeightInit.Apply(network, config.InitType, config.InitGain);
            network.to(device);
            network.train();
        }
        optimizerG = new AdamW(netG.parameters(), config.Lr, (config.Beta1, config.Beta2), weight_decay: config.WeightDecay);
        optimizerD = new AdamW(netD.parameters(), config.Lr, (config.Beta1, config.Beta2), weight_decay: config.WeightDecay);
        optimizerC = new AdamW(netC.parameters(), config.ComparatorLr, (0.9, 0.99), weight_decay: 0.01);
        step = torch.zeros([1], dtype: ScalarType.Int64).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> Generator => netG;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks =>
        new Dictionary<string, Module> { ["G"] = netG, ["D"] = netD, ["C"] = netC };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers =>
        new Dictionary<string, Optimizer> { ["G"] = optimizerG, ["D"] = optimizerD, ["C"] = optimizerC };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor> { [StepKey] = step };

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        using Guard quiet = torch.no_grad();
        step.copy_(state[StepKey]);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        IReadOnlyList<BatchPart> parts = Parts(source);
        using var stained = new StainedParts<(Tensor Image, Tensor Small, Tensor Logits)>(
            netG, netG.Run, result => result.Image, source, parts);
        var losses = new LossMeans();
        int labelled = LevelLoss.CountOfRanks(labels);
        bool learnsToCompare = step.item() < (config.ComparatorSteps ?? 0);
        if (learnsToCompare && labelled > 0) UpdateComparator(target, labels, labelled, parts, losses);
        step.add_(1);

        UpdateDiscriminators(source, target, stained, parts, losses);
        UpdateGenerator(source, target, labels, stained, parts, losses, compares: !learnsToCompare && labelled > 0);
        return losses.ToDictionary();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        step.Dispose();
        base.Dispose();
    }

    // One classification step on the real images.
    private void UpdateComparator(
        Tensor target, IReadOnlyList<string?>? labels, int labelled, IReadOnlyList<BatchPart> parts, LossMeans losses)
    {
        netC.train();
        netC.requires_grad_(true);
        optimizerC.zero_grad();
        foreach (BatchPart part in parts)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            int known = LevelLoss.Count(part.Of(labels));
            if (known == 0) continue;
            Tensor loss = LevelLoss.Compute(
                netC.Classify(netC.Latent(part.Of(target))), part.Of(labels), config.Levels, config.FocalGamma, config.LevelWeights)!;
            (loss * ((double)known / labelled)).backward();
            losses.Add(part, "C_level", loss, (double)known / labelled);
        }
        // The schedule of the run is for generator and discriminators.
        foreach (ParamGroup group in optimizerC.param_groups) group.lr = config.ComparatorLr;
        optimizerC.step();
    }

    private void UpdateDiscriminators(Tensor source, Tensor target, StainedParts<(Tensor Image, Tensor Small, Tensor Logits)> stained,
        IReadOnlyList<BatchPart> parts, LossMeans losses)
    {
        netD.requires_grad_(true);
        optimizerD.zero_grad();
        var smoothing = new List<Tensor>();
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor fake = GanLossOf(parts[i], parts[i].Of(source), stained.Image(i), real: false, smoothing, first: 0);
            Tensor real = GanLossOf(parts[i], parts[i].Of(source), parts[i].Of(target), real: true, smoothing, first: config.NumD);
            parts[i].Backward((fake + real) * 0.5);
            losses.Add(parts[i], "D_real", real);
            losses.Add(parts[i], "D_fake", fake);
        }
        optimizerD.step();
    }

    private void UpdateGenerator(Tensor source, Tensor target, IReadOnlyList<string?>? labels,
        StainedParts<(Tensor Image, Tensor Small, Tensor Logits)> stained, IReadOnlyList<BatchPart> parts, LossMeans losses, bool compares)
    {
        int labelled = LevelLoss.CountOfRanks(labels);
        netD.requires_grad_(false);
        optimizerG.zero_grad();
        var smoothing = new List<Tensor>();
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            (BatchPart part, (Tensor Image, Tensor Small, Tensor Logits) result) = (parts[i], stained.Result(i));
            Tensor gan = GanLossOf(part, part.Of(source), result.Image, real: true, smoothing, first: 0);
            Tensor total = config.LambdaGan * gan;
            losses.Add(part, "GAN", gan);
            foreach ((string name, double weight, Tensor loss) in ImageLosses(result.Image.to(ScalarType.Float32),
                result.Small.to(ScalarType.Float32), part.Of(target), compares))
            {
                total += weight * loss;
                losses.Add(part, name, loss);
            }
            if (config.LambdaLevel > 0 && LevelLoss.Compute(
                result.Logits, part.Of(labels), config.Levels, config.FocalGamma, config.LevelWeights) is { } level)
            {
                // A mean over the pairs with a level.
                double share = (double)LevelLoss.Count(part.Of(labels)) / labelled;
                total += config.LambdaLevel * share / part.Share * level;
                losses.Add(part, "level", level, share);
            }
            part.Backward(total);
        }
        optimizerG.step();
    }

    private IEnumerable<(string Name, double Weight, Tensor Loss)> ImageLosses(Tensor stained, Tensor small, Tensor target, bool compares)
    {
        double tiny = config.LambdaMae * config.LambdaSmall;
        if (config.LambdaMae > 0) yield return ("mae", config.LambdaMae, F.l1_loss(stained, target));
        if (tiny > 0)
        {
            Tensor reduced = F.interpolate(target, (Size2)(small.size(2), small.size(3)), mode: "bilinear", align_corners: true);
            yield return ("mae_small", tiny, F.l1_loss(small, reduced));
        }
        if (config.LambdaSsim > 0)
            yield return ("ssim", config.LambdaSsim, SsimLoss.Compute(stained, target, window: 9, sigma: 2.375));
        if (compares && config.LambdaCmp > 0)
        {
            netC.eval();
            netC.requires_grad_(false);
            yield return ("cmp", config.LambdaCmp, CosineLoss.Compute(netC.Latent(stained), netC.Latent(target).detach()));
        }
    }

    // Mean over scales of the mean over patches, with labels drawn for the whole batch, so that they do not depend on its parts.
    private Tensor GanLossOf(BatchPart part, Tensor source, Tensor image, bool real, List<Tensor> smoothing, int first)
    {
        Tensor[] scales = netD.Scales(config.Conditional ? torch.cat([source, image], 1) : image);
        return torch.stack([.. scales.Select((logits, scale) =>
        {
            if (smoothing.Count <= first + scale)
            {
                Tensor uniform = BatchAcrossRanks.Draw(part.Total,
                    rows => torch.rand([rows, 1, logits.size(2), logits.size(3)], device: logits.device));
                smoothing.Add((uniform * config.LabelSmoothing).MoveToOuterDisposeScope());
            }
            Tensor drawn = part.Of(smoothing[first + scale]), label = (real ? 1 - drawn : drawn).to(logits.dtype);
            return config.GanMode == GanMode.Lsgan ? F.mse_loss(logits, label) : F.binary_cross_entropy_with_logits(logits, label);
        })]).mean();
    }
}
