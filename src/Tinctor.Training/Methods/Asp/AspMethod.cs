using Tinctor.Torch;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Contrastive;

namespace Tinctor.Training.Methods.Asp;

/// <summary>
/// ASP (Li et al. 2023; models/cpt_model.py of the official repository): adversarial loss, contrastive losses of source and stained image
/// and of stained image and target, whose patches have weights by their similarity, and L1 distance of Gaussian pyramids.
/// </summary>
internal sealed class AspMethod : ContrastiveMethod
{
    private const string StepKey = "asp.step";
    private readonly AspConfig config;
    private readonly Tensor step;

    /// <summary>Creates and initialises the networks on a device.</summary>
    public AspMethod(AspConfig config, Device device) : base(config, device)
    {
        this.config = config;
        step = torch.zeros([1], dtype: ScalarType.Int64).DetachFromDisposeScope();
    }

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
        IReadOnlyDictionary<string, Tensor> losses = base.TrainStep(source, target, labels);
        step.add_(1);
        return losses;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        step.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override IEnumerable<NamedLoss> GeneratorLosses(ContrastiveImages images)
    {
        foreach (NamedLoss loss in AdversarialLoss(images).Concat(NceLosses(images, share: 1))) yield return loss;
        if (config.LambdaAsp > 0)
            yield return new("ASP", config.LambdaAsp * Compare("ASP", images.StainedFeatures, images.TargetFeatures, Supervised));
        foreach (NamedLoss loss in PyramidLoss(images, config)) yield return loss;

        Tensor Supervised(Tensor query, Tensor key)
        {
            Tensor patches = PatchLosses(query, key, images.Source.size(0));
            Tensor? weights = config.PatchWeights(PatchNce.Similarity(query, key), (long)step.item());
            return (weights is null ? patches : patches * weights).mean();
        }
    }
}
