using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Files;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Contrastive;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.PspStain;

/// <summary>
/// PSPStain (Chen et al. 2024; models/PSPStain_model.py of the official repository): the losses of ASP without its supervised contrastive
/// loss, and losses of protein expression, of prototypes of stained pixels and of MS-SSIM.
/// </summary>
internal sealed class PspStainMethod : ContrastiveMethod
{
    private readonly PspStainConfig config;
    private readonly PrototypeUnet netS;
    private readonly Adam? optimizerS;

    /// <summary>Creates and initialises the networks on a device, and loads the segmentation network.</summary>
    /// <exception cref="TinctorException">The weights of the segmentation network are missing, have changed or do not fit.</exception>
    public PspStainMethod(PspStainConfig config, Device device) : base(config, device)
    {
        this.config = config;
        netS = new PrototypeUnet(config.SegmenterDropout);
        if (config.Segmenter is { } segmenter) Load(segmenter);
        netS.to(device);
        netS.requires_grad_(false);
        if (config.Segmenter is null && config.LambdaCtpc > 0)
            optimizerS = new Adam(netS.parameters(), config.Lr, (config.Beta1, config.Beta2));
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks => new Dictionary<string, Module>(base.Networks) { ["S"] = netS };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers => optimizerS is null
        ? base.Optimizers : new Dictionary<string, Optimizer>(base.Optimizers) { ["S"] = optimizerS };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        IEnumerable<KeyValuePair<string, Tensor>> learned = optimizerS is null ? [] : UpdateSegmenter(target, optimizerS);
        return new Dictionary<string, Tensor>([.. base.TrainStep(source, target, labels), .. learned]);
    }

    /// <inheritdoc/>
    protected override IEnumerable<NamedLoss> GeneratorLosses(ContrastiveImages images)
    {
        foreach (NamedLoss loss in AdversarialLoss(images).Concat(NceLosses(images, share: 1)).Concat(PyramidLoss(images, config)))
            yield return loss;
        Tensor stained = images.Stained.to(images.Target.dtype), a = Density(stained), b = Density(images.Target);
        if (config.LambdaMlpa > 0)
            yield return new("MLPA", config.LambdaMlpa * ProteinLoss.Compute(a, b, config.FodThreshold, images.BatchFactor));
        if (config.LambdaCtpc > 0) yield return new("CTPC", config.LambdaCtpc * images.BatchFactor * Prototypes(images, Mask(a), Mask(b)));
        if (config.LambdaSsim > 0) yield return new("SSIM", config.LambdaSsim * MultiScaleSsimLoss.Compute(stained, images.Target));
    }

    // The sum over pairs, as each passes through batch norm alone.
    private Tensor Prototypes(ContrastiveImages images, Tensor stainedMask, Tensor targetMask)
    {
        netS.train(config.SegmenterStatistics == "batch");
        var losses = new List<Tensor>();
        for (long i = 0; i < images.Target.size(0); i++)
        {
            (Tensor features, Tensor logits) = netS.Run(Pair(images.Stained, images.Target));
            losses.Add(PrototypeLoss.Compute(features, logits, Pair(stainedMask, targetMask)));

            Tensor Pair(Tensor first, Tensor second) => torch.cat([first.narrow(0, i, 1), second.narrow(0, i, 1)]);
        }
        return torch.stack([.. losses]).sum();
    }

    // One step on the real images, with the masks of their density.
    private IReadOnlyDictionary<string, Tensor> UpdateSegmenter(Tensor target, Adam optimizer)
    {
        netS.train();
        netS.requires_grad_(true);
        optimizer.zero_grad();
        var losses = new LossMeans();
        foreach (BatchPart part in Parts(target))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor images = part.Of(target), loss = F.cross_entropy(netS.Run(images).Logits, Mask(Density(images)));
            part.Backward(loss);
            losses.Add(part, "S", loss);
        }
        optimizer.step();
        netS.requires_grad_(false);
        return losses.ToDictionary();
    }

    private Tensor Density(Tensor images) =>
        FocalOpticalDensity.Compute(config.FodOfIntensity ? (images + 1) / 2 : images, config.FodAlpha);

    private Tensor Mask(Tensor density) => density.detach().ge(config.MaskThreshold).to(ScalarType.Int64);

    private void Load(StartReference segmenter)
    {
        if (Fingerprint.OfFile(segmenter.Path) != segmenter.Sha256)
            throw new TinctorException(segmenter.Path, "the weights have changed since the start of the run", "Restore the file");
        using DisposeScope scope = torch.NewDisposeScope();
        IReadOnlyDictionary<string, Tensor> weights = Path.GetExtension(segmenter.Path) == ".safetensors"
            ? SafeTensors.Load(segmenter.Path) : PthReader.LoadStateDict(segmenter.Path);
        FiniteWeights.Require(segmenter.Path, weights);
        try
        {
            netS.load_state_dict(weights);
        }
        catch (TinctorException e)
        {
            throw new TinctorException(segmenter.Path, e.Problem, "Name a segmentation network of PSPStain, such as BCI_unet_seg.pth", e);
        }
    }
}
