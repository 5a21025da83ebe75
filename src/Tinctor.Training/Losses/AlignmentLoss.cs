using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Forms of DeReStainer's L_H, which aligns features of both stains. The literal form is minimal for features that are equal for all
/// images; the others counteract this collapse.
/// </summary>
internal static class AlignmentLoss
{
    /// <summary>Names of the forms.</summary>
    public const string Literal = "literal", StopGradient = "stop-gradient", Centred = "centred", Contrastive = "infonce";

    /// <summary>Computes the loss, a scalar.</summary>
    /// <param name="form">
    /// literal (1 - cosine of both features, gradients to both), stop-gradient (the target's feature is constant), centred (each channel's
    /// mean over the batch and all positions is subtracted first) or infonce (cross entropy of the cosines to all targets of the batch).
    /// The batch is that of all ranks.
    /// </param>
    /// <param name="source">Features of sources [N,C,H,W].</param>
    /// <param name="target">Features of targets of the same shape.</param>
    /// <param name="temperature">Temperature of infonce.</param>
    public static Tensor Compute(string form, Tensor source, Tensor target, double temperature = 0.07) => form switch
    {
        StopGradient => CosineLoss.Compute(source, target.detach()),
        Centred => CosineLoss.Compute(Centre(source), Centre(target)),
        Contrastive => InfoNce.Compute(
            BatchAcrossRanks.GatherRows(Vectors(source)), BatchAcrossRanks.GatherRows(Vectors(target)), temperature, bothWays: true),
        _ => CosineLoss.Compute(source, target),
    };

    /// <summary>Measures how far features tell images apart.</summary>
    /// <param name="source">Features of sources [N,...].</param>
    /// <param name="target">Features of targets; row i belongs to row i of the sources.</param>
    /// <returns>
    /// Share of sources whose own target is the most similar one; mean cosine of pairs; mean cosine of other sources and targets, NaN for a
    /// single pair.
    /// </returns>
    public static (double Top1, double Paired, double Unpaired) Retrieve(Tensor source, Tensor target)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        long count = source.size(0);
        Tensor cosines = F.normalize(Vectors(source), dim: 1).matmul(F.normalize(Vectors(target), dim: 1).transpose(0, 1));
        Tensor own = torch.eye(count, device: cosines.device);
        double found = cosines.argmax(1).eq(torch.arange(count, device: cosines.device)).sum().item();
        double paired = (cosines * own).sum().item(), all = cosines.sum().item();
        return (found / count, paired / count, (all - paired) / (count * (count - 1.0)));
    }

    private static Tensor Centre(Tensor feature)
    {
        if (feature.element_size() < 4) feature = feature.to(ScalarType.Float32);
        return feature - BatchAcrossRanks.Mean(feature.mean([0, 2, 3], keepdim: true));
    }

    private static Tensor Vectors(Tensor feature) =>
        (feature.element_size() < 4 ? feature.to(ScalarType.Float32) : feature).flatten(1);
}
