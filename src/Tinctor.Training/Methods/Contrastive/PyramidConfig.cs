using System.ComponentModel.DataAnnotations;
using Tinctor.Data;

namespace Tinctor.Training.Methods.Contrastive;

/// <summary>
/// Settings common to ASP and its successors: networks of the official launcher of ASP for MIST, and a Gaussian-pyramid loss.
/// </summary>
public abstract record PyramidConfig : ContrastiveConfig
{
    /// <summary>Creates the settings of the official launcher.</summary>
    protected PyramidConfig() =>
        (Generator, SpectralNorm, Ndf, NLayersD, NceIdt) = ("resnet_6blocks", true, 32, 5, false);

    /// <summary>Weight of the Gaussian-pyramid loss.</summary>
    [Range(0, 1e6)]
    public double LambdaGp { get; init; } = 10;

    /// <summary>Weights of the L1 distances at the levels of the Gaussian pyramid, the largest size first.</summary>
    public List<double> GpWeights { get; init; } = [0.015625, 0.03125, 0.0625, 0.125, 0.25, 1];

    /// <inheritdoc/>
    internal override bool IsFromAsp => true;

    // Reflection needs three pixels at the last smoothed level.
    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(base.SmallestCrop, LambdaGp > 0 ? 3 << Math.Max(GpWeights.Count - 2, 0) : 0);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        if (GpWeights.Count == 0 || GpWeights.Any(weight => !(weight >= 0)))
        {
            throw new TinctorException(null, $"model.gp_weights is {string.Join(",", GpWeights)}, expected a number from 0 on for each "
                + "level", "Use model.gp_weights=1,1,1,1,1,1")
            { Option = "model.gp_weights" };
        }
        return base.Remarks(train, test);
    }
}
