using Tinctor.Torch;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Contrastive;

namespace Tinctor.Training.Methods.SimGan;

/// <summary>
/// SIM-GAN (models/cut_model.py of xianchaoguan/SIM-GAN): CUT with two losses of the target, L1 distances of the cosines between the images
/// of the batch (CC) and of transport plans between places (MC).
/// </summary>
internal sealed class SimGanMethod(SimGanConfig config, Device device) : ContrastiveMethod(config, device)
{
    /// <inheritdoc/>
    protected override IEnumerable<NamedLoss> GeneratorLosses(ContrastiveImages images)
    {
        foreach (NamedLoss loss in AdversarialLoss(images).Concat(NceLosses(images, share: 0.5))) yield return loss;
        if (config.LambdaCc > 0)
            yield return new("CC", config.LambdaCc * F.l1_loss(Cosines(images.StainedFeatures), Cosines(images.TargetFeatures)));
        if (config.LambdaMc > 0) yield return new("MC", config.LambdaMc * PlanDistance(images));
    }

    // Cosines between the images of the batch, of all ranks, at each layer, [L,N,N].
    private static Tensor Cosines(Tensor[] features) => torch.stack([.. features.Select(feature =>
    {
        Tensor vectors = F.normalize(BatchAcrossRanks.GatherRows(feature.flatten(1)), dim: 1, eps: 1e-8);
        return vectors.matmul(vectors.transpose(0, 1));
    })]);

    private Tensor PlanDistance(ContrastiveImages images)
    {
        Tensor[] source = Vectors(images.SourceFeatures), target = Vectors(images.TargetFeatures);
        Tensor[] stained = Vectors(images.StainedFeatures);
        return torch.stack([.. stained.Select((vectors, layer) => F.l1_loss(
            Plan(target[layer].detach(), vectors), Plan(source[layer].detach(), target[layer].detach())))]).mean();

        Tensor[] Vectors(Tensor[] features) => [.. Sample("MC", features).Select(each => each.to(images.Target.dtype))];

        Tensor Plan(Tensor first, Tensor second) => SinkhornPlan.Compute(
            first, second, config.AllNegatives ? 1 : images.Source.size(0), config.CostType == "easy", config.Eps);
    }
}
