using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Classification;
using Tinctor.Training.Execution;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.DeReStainer;

/// <summary>
/// DeReStainer (Wei et al. 2024): the haematoxylin of the H&amp;E image is encoded similarly to the haematoxylin of the IHC image, and
/// decoded to an IHC image, guided by the predicted IHC level. A step runs the generator once, updates the discriminators, then the
/// generator. The names of losses are those of section 2.4.
/// </summary>
internal sealed class DeReStainerMethod : Method
{
    private const int Dab = 2, MeasuredAtATime = 8;
    private readonly DeReStainerConfig config;
    private readonly DeReStainerGenerator netG;
    private readonly MultiscaleDiscriminator netD;
    private readonly AdamW optimizerG, optimizerD;
    private readonly Classifier? comparator;

    /// <summary>Creates and initialises the networks on a device, and loads the comparator.</summary>
    /// <exception cref="TinctorException">The comparator is missing or has changed.</exception>
    public DeReStainerMethod(DeReStainerConfig config, Device device)
    {
        this.config = config;
        netG = config.CreateNetwork();
        netD = config.CreateDiscriminator();
        foreach (Module network in new Module[] { netG, netD })
        {
            WeightInit.Apply(network, config.InitType, config.InitGain);
            network.to(device);
            network.train();
        }
        optimizerG = new AdamW(netG.parameters(), config.Lr, (config.Beta1, 0.999), weight_decay: config.WeightDecay);
        optimizerD = new AdamW(netD.parameters(), config.Lr, (config.Beta1, 0.999), weight_decay: config.WeightDecay);
        if (config.Comparator is { } named) comparator = Load(named, device);
    }

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> Generator => netG;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks => new Dictionary<string, Module> { ["G"] = netG, ["D"] = netD };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers =>
        new Dictionary<string, Optimizer> { ["G"] = optimizerG, ["D"] = optimizerD };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(
        Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        IReadOnlyList<BatchPart> parts = Parts(source);
        using var stained = new StainedParts<(Tensor Image, Tensor Logits, Tensor Feature)>(
            netG, image => netG.Run(image), result => result.Image, source, parts);
        var losses = new LossMeans();

        netD.requires_grad_(true);
        optimizerD.zero_grad();
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using StainContext? stains = StainContext.UsePart(parts[i]);
            Tensor real = GanLossOf(parts[i].Of(source), parts[i].Of(target), real: true);
            Tensor fake = GanLossOf(parts[i].Of(source), stained.Image(i), real: false);
            parts[i].Backward((real + fake) * 0.5);
            losses.Add(parts[i], "D_real", real);
            losses.Add(parts[i], "D_fake", fake);
        }
        optimizerD.step();

        netD.requires_grad_(false);
        optimizerG.zero_grad();
        int labelled = LevelLoss.CountOfRanks(labels);
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using StainContext? stains = StainContext.UsePart(parts[i]);
            UpdateGradients(parts[i], stained.Result(i), parts[i].Of(source), parts[i].Of(target), parts[i].Of(labels), labelled, losses);
        }
        optimizerG.step();
        return losses.ToDictionary();
    }

    private void UpdateGradients(BatchPart part, (Tensor Image, Tensor Logits, Tensor Feature) stained, Tensor source, Tensor target,
        IReadOnlyList<string?>? labels, int labelled, LossMeans losses)
    {
        Tensor gan = GanLossOf(source, stained.Image, real: true);
        Tensor total = config.LambdaGan * gan;
        losses.Add(part, "GAN", gan);
        foreach ((string name, double weight, Tensor loss) in FeatureLosses(stained.Feature, target, stained.Logits, labels)
            .Concat(ImageLosses(stained.Image.to(ScalarType.Float32), target)))
        {
            // The level's loss is a mean over the pairs with a level.
            double? share = name == "level" ? (double)LevelLoss.Count(labels) / labelled : null;
            total += weight * (share is null ? 1 : share.Value / part.Share) * loss;
            losses.Add(part, name, loss, share);
        }
        part.Backward(total);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        comparator?.Dispose();
        base.Dispose();
    }

    // L_H of section 2.1 and L_level of section 2.2; losses of weight 0 are not computed.
    private IEnumerable<(string Name, double Weight, Tensor Loss)> FeatureLosses(
        Tensor feature, Tensor target, Tensor logits, IReadOnlyList<string?>? labels)
    {
        double h = config.StainWeight * config.LambdaH, level = config.LambdaLevel;
        if (h > 0) yield return ("H", h, AlignmentLoss.Compute(
            config.Alignment, netG.f_H(feature), TargetFeature(target), config.AlignmentTemperature));
        if (level > 0 && LevelLoss.Compute(logits, labels, config.Levels, config.FocalGamma, config.LevelWeights) is { } loss)
            yield return ("level", level, loss);
    }

    // L_DAB of section 2.3 and L_content of section 2.4.
    private IEnumerable<(string Name, double Weight, Tensor Loss)> ImageLosses(Tensor stained, Tensor target)
    {
        double dab = config.StainWeight * config.LambdaDab, content = config.ContentWeight;
        double cmp = content * config.LambdaCmp, mae = content * config.LambdaMae, ssim = content * config.LambdaSsim;
        if (dab > 0) yield return ("DAB", dab, F.l1_loss(DabOf(stained), DabOf(target)));
        if (cmp > 0 && comparator is not null)
            yield return ("cmp", cmp, CosineLoss.Compute(Compared(stained), Compared(target)));
        if (mae > 0) yield return ("mae", mae, F.l1_loss(stained, target));
        if (ssim > 0) yield return ("ssim", ssim, SsimLoss.Compute(stained, target));
    }

    // Mean over scales of the mean over patches.
    private Tensor GanLossOf(Tensor source, Tensor image, bool real)
    {
        Tensor[] scales = netD.Scales(config.Conditional ? torch.cat([source, image], 1) : image);
        return torch.stack([.. scales.Select(scale => GanLoss.Compute(config.GanMode, scale, real))]).mean();
    }

    /// <inheritdoc/>
    internal override bool Measures => config.StainWeight * config.LambdaH > 0;

    /// <summary>Measures retrieval of the IHC feature of a pair by its H&amp;E feature: shows whether L_H collapsed.</summary>
    internal override IReadOnlyDictionary<string, double> Measure(IReadOnlyList<(Tensor Source, Tensor Target)> pairs)
    {
        if (pairs.Count < 2) return base.Measure(pairs);
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        Device device = netG.parameters().First().device;
        bool byBatch = config.Inference.Statistics == "batch";
        var features = new List<(Tensor Source, Tensor Target)>();
        foreach ((int i, (Tensor Source, Tensor Target)[] chunk) in pairs.Chunk(MeasuredAtATime).Index())
        {
            using StainContext? stains = StainContext.UsePart(new(i * MeasuredAtATime, chunk.Length, pairs.Count));
            Tensor source = torch.stack([.. chunk.Select(pair => pair.Source)]).to(device);
            Tensor target = torch.stack([.. chunk.Select(pair => pair.Target)]).to(device);
            TorchExecutor.SetInferenceMode(netG, byBatch);
            Tensor own = netG.f_H(netG.Encode(netG.Haematoxylin(source)));
            features.Add((own, TargetFeature(target)));
        }
        TorchExecutor.SetInferenceMode(netG, byBatch);
        (double top1, double paired, double unpaired) = AlignmentLoss.Retrieve(
            torch.cat([.. features.Select(one => one.Source)]), torch.cat([.. features.Select(one => one.Target)]));
        return new Dictionary<string, double> { ["H_top1"] = top1, ["H_paired"] = paired, ["H_unpaired"] = unpaired };
    }

    // Batch statistics, so that running statistics remain those of H&E images, as used in staining.
    private Tensor TargetFeature(Tensor target)
    {
        foreach (BatchNorm2d norm in netG.modules().OfType<BatchNorm2d>()) norm.by_batch = true;
        netG.eval();
        Tensor feature = netG.f_H(netG.Encode(netG.Haematoxylin(target)));
        netG.train();
        return feature;
    }

    private Tensor Compared(Tensor image) => comparator!.Features(image, config.Comparator!.Scale);

    private Tensor DabOf(Tensor image) => config.Separation.Project((image + 1) / 2, Dab) * 2 - 1;

    private static Classifier Load(ComparatorReference named, Device device)
    {
        Classifier comparator = Classifier.Load(named.Path, device, differentiable: true);
        if (named.Sha256.Length == 0 || comparator.Sha256 == named.Sha256) return comparator;
        comparator.Dispose();
        throw new TinctorException(named.Path, "the comparator has changed since the start of the run", "Restore it, or start a new run");
    }
}
