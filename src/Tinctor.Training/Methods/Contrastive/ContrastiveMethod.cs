using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Contrastive;

/// <summary>Loss of the generator.</summary>
/// <param name="Name">Name in the log.</param>
/// <param name="Value">Weighted loss, a scalar.</param>
/// <param name="Share">Factor of the loss in the total.</param>
internal readonly record struct NamedLoss(string Name, Tensor Value, double Share = 1);

/// <summary>
/// GAN with a contrastive loss of patches, after CUT (Park et al. 2020; models/cut_model.py of the official repository). A step runs the
/// generator once, updates the discriminator, then the generator and the perceptrons of the compared vectors.
/// </summary>
internal abstract class ContrastiveMethod : Method
{
    private readonly ContrastiveConfig config;
    private readonly ResnetGenerator netG;
    private readonly Module<Tensor, Tensor> netD;
    private readonly PatchSampler netF;
    private readonly Adam optimizerG, optimizerD;
    private readonly Adam? optimizerF;

    // Places of each loss and layer in this step, drawn once for all parts of the batch.
    private readonly Dictionary<string, Tensor[]> places = [];

    /// <summary>Creates and initialises the networks on a device.</summary>
    protected ContrastiveMethod(ContrastiveConfig config, Device device)
    {
        this.config = config;
        netG = config.CreateNetwork();
        netF = config.CreateSampler(netG);
        netD = config.CreateDiscriminator();
        foreach (Module network in new Module[] { netG, netF, netD })
        {
            WeightInit.Apply(network, config.InitType, config.InitGain);
            network.to(device);
            network.train();
        }
        optimizerG = new Adam(netG.parameters(), config.Lr, (config.Beta1, config.Beta2));
        optimizerD = new Adam(netD.parameters(), config.DiscriminatorLr, (config.Beta1, config.Beta2));
        if (config.MlpChannels > 0) optimizerF = new Adam(netF.parameters(), config.Lr, (config.Beta1, config.Beta2));
    }

    /// <summary>Draws a random order of n places; a test replaces it.</summary>
    internal Func<long, Tensor> Permute { get; set; } = n => torch.randperm(n);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> Generator => netG;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks =>
        new Dictionary<string, Module> { ["G"] = netG, ["D"] = netD, ["F"] = netF };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers
    {
        get
        {
            var optimizers = new Dictionary<string, Optimizer> { ["G"] = optimizerG, ["D"] = optimizerD };
            if (optimizerF is not null) optimizers["F"] = optimizerF;
            return optimizers;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        IReadOnlyList<BatchPart> parts = Parts(source);
        bool flipped = config.FlipEquivariance && torch.rand([1]).item() < 0.5;
        Tensor pairs = config.NceIdt ? torch.cat([source, target], 1) : source;
        using var generated = new StainedParts<Tensor>(netG, part => netG.forward(Shown(part, flipped)), image => image, pairs, parts);
        var losses = new LossMeans();
        UpdateDiscriminator(target, generated, parts, losses);
        UpdateGenerator(source, target, generated, parts, losses, flipped);
        places.Clear();
        return losses.ToDictionary();
    }

    /// <summary>Computes the losses of the generator for a part of the batch.</summary>
    protected abstract IEnumerable<NamedLoss> GeneratorLosses(ContrastiveImages images);

    /// <summary>Computes the adversarial loss, if it has a weight.</summary>
    protected IEnumerable<NamedLoss> AdversarialLoss(ContrastiveImages images)
    {
        if (config.LambdaGan > 0)
            yield return new("G_GAN", config.LambdaGan * GanLoss.Compute(config.GanMode, netD.forward(images.Generated), real: true));
    }

    /// <summary>Computes the contrastive losses of sources and, with nce_idt, of targets, if they have a weight.</summary>
    /// <param name="images">Images and features.</param>
    /// <param name="share">Factor of each of two losses in the total; a single loss has 1.</param>
    protected IEnumerable<NamedLoss> NceLosses(ContrastiveImages images, double share)
    {
        if (config.LambdaNce == 0) yield break;
        Tensor[] keys = images.SourceFeatures;
        yield return new("NCE", config.LambdaNce * Compare("NCE", images.StainedFeatures, keys, Nce), config.NceIdt ? share : 1);
        if (!config.NceIdt) yield break;
        keys = images.TargetFeatures;
        yield return new("NCE_Y", config.LambdaNce * Compare("NCE_Y", images.IdentityFeatures, keys, Nce), share);

        Tensor Nce(Tensor query, Tensor key) => PatchLosses(query, key, images.Source.size(0)).mean();
    }

    /// <summary>Computes the Gaussian-pyramid loss of stained image and target, if it has a weight.</summary>
    protected static IEnumerable<NamedLoss> PyramidLoss(ContrastiveImages images, PyramidConfig config)
    {
        if (config.LambdaGp > 0)
            yield return new("GP", config.LambdaGp * GaussianPyramid.Distance(images.Stained, images.Target, config.GpWeights));
    }

    /// <summary>Computes the contrastive loss of each vector, [N*P].</summary>
    protected Tensor PatchLosses(Tensor query, Tensor key, long images) =>
        PatchNce.Compute(query, key, config.AllNegatives ? 1 : images, config.NceT);

    /// <summary>Compares vectors at the same places of two sets of features.</summary>
    /// <param name="name">Name of the loss, which determines the places.</param>
    /// <param name="queries">Features of each layer.</param>
    /// <param name="keys">Features of each layer; they get no gradient.</param>
    /// <param name="loss">Computes the loss of a layer from vectors [N*P,D] of queries and keys.</param>
    /// <returns>Mean over the layers.</returns>
    protected Tensor Compare(string name, Tensor[] queries, Tensor[] keys, Func<Tensor, Tensor, Tensor> loss)
    {
        Tensor[] key = Sample(name, keys), query = Sample(name, queries);
        return torch.stack([.. query.Select((vectors, layer) => loss(vectors, key[layer].detach()))]).mean();
    }

    /// <summary>Gets the vectors of features at the places of a loss, [N*P,D] for each layer.</summary>
    protected Tensor[] Sample(string name, Tensor[] features)
    {
        if (!places.TryGetValue(name, out Tensor[]? chosen))
            places[name] = chosen = [.. features.Select(Draw)];
        return netF.Sample(features, chosen);

        Tensor Draw(Tensor feature)
        {
            long count = feature.size(2) * feature.size(3);
            return Permute(count).narrow(0, 0, Math.Min(config.NumPatches, count)).to(feature.device).MoveToOuterDisposeScope();
        }
    }

    // The generator's input: sources, then targets with nce_idt.
    private Tensor Shown(Tensor pairs, bool flipped)
    {
        if (flipped) pairs = pairs.flip(3);
        return config.NceIdt ? torch.cat(pairs.split(config.InputChannels, 1)) : pairs;
    }

    private void UpdateDiscriminator(Tensor target, StainedParts<Tensor> generated, IReadOnlyList<BatchPart> parts, LossMeans losses)
    {
        netD.requires_grad_(true);
        optimizerD.zero_grad();
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor fake = generated.Image(i).narrow(0, 0, parts[i].Count);
            Tensor lossFake = GanLoss.Compute(config.GanMode, netD.forward(fake), real: false);
            Tensor lossReal = GanLoss.Compute(config.GanMode, netD.forward(parts[i].Of(target)), real: true);
            parts[i].Backward((lossFake + lossReal) * 0.5);
            losses.Add(parts[i], "D_real", lossReal);
            losses.Add(parts[i], "D_fake", lossFake);
        }
        optimizerD.step();
    }

    private void UpdateGenerator(Tensor source, Tensor target, StainedParts<Tensor> generated, IReadOnlyList<BatchPart> parts,
        LossMeans losses, bool flipped)
    {
        netD.requires_grad_(false);
        optimizerG.zero_grad();
        optimizerF?.zero_grad();
        for (int i = 0; i < parts.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            var images = new ContrastiveImages(
                netG, config.NceLayers, parts[i].Of(source), parts[i].Of(target), generated.Result(i), flipped, parts[i].TotalOfRanks);
            Tensor? total = null;
            foreach (NamedLoss loss in GeneratorLosses(images))
            {
                Tensor part = loss.Share == 1 ? loss.Value : loss.Value * loss.Share;
                total = total is null ? part : total + part;
                losses.Add(parts[i], loss.Name, loss.Value);
            }
            if (total is not null) parts[i].Backward(total);
        }
        optimizerG.step();
        optimizerF?.step();
    }
}
