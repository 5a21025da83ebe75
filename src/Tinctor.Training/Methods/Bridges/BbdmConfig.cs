using System.ComponentModel.DataAnnotations;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Bridges;

/// <summary>Whose numbers a Brownian bridge has; see docs/methods/bbdm.md.</summary>
public enum BrownianVariant
{
    /// <summary>The formulas of super-resolved virtual staining (Zhang et al. 2024).</summary>
    Exact,

    /// <summary>Official code of that paper, which differs from the formulas in variance and time.</summary>
    Official,

    /// <summary>The original Brownian bridge diffusion model (Li et al. 2023).</summary>
    Bbdm,
}

/// <summary>
/// Staining by a Brownian bridge (Zhang et al. 2024), from images of any channels and of a lower resolution; with
/// <see cref="BrownianVariant.Bbdm"/> the original model (Li et al. 2023).
/// </summary>
public sealed record BbdmConfig : BridgeConfig
{
    /// <summary>The network that the super-resolution paper's code builds on.</summary>
    public BbdmConfig() => Network = DiffusionUnetOptions.SuperResolution;

    /// <summary>exact, official or bbdm.</summary>
    public BrownianVariant Variant { get; init; } = BrownianVariant.Exact;

    /// <summary>How many times as large the stained image is: 4 or 5 in the paper.</summary>
    [Range(1, 5)]
    public int Factor { get; init; } = 1;

    /// <summary>Quantity that the network predicts: grad, noise or sourceminusimage.</summary>
    [AllowedValues(BridgeObjective.Grad, BridgeObjective.Noise, BridgeObjective.SourceMinusImage)]
    public BridgeObjective Objective { get; init; } = BridgeObjective.Grad;

    /// <summary>linear or exponential: how the weight of the source grows in the original model.</summary>
    public BridgeGrowth Growth { get; init; } = BridgeGrowth.Linear;

    /// <summary>Twice the largest variance in the original model.</summary>
    [Range(0.0, 100.0)]
    public double MaxVariance { get; init; } = 1;

    /// <inheritdoc/>
    public override int Upscaling => Factor;

    /// <inheritdoc/>
    public override bool Conditioned => true;

    /// <inheritdoc/>
    public override BridgeDescription DescribeBridge()
    {
        if (Objective == BridgeObjective.Noise && Variant != BrownianVariant.Bbdm)
            throw new TinctorException("model.objective=noise needs model.variant=bbdm: the others start at the source, which has no noise");
        return new()
        {
            Kind = Variant switch
            {
                BrownianVariant.Bbdm => BridgeKind.Bbdm,
                BrownianVariant.Official => BridgeKind.OfficialStaining,
                _ => BridgeKind.Staining,
            },
            Steps = Steps,
            Objective = Objective,
            Growth = Growth,
            MaxVariance = MaxVariance,
            Sampling = Sampling,
        };
    }
}
