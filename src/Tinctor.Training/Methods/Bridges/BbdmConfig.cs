using System.ComponentModel.DataAnnotations;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Bridges;

/// <summary>Formulas of a Brownian bridge; see docs/methods/bbdm.md.</summary>
public enum BrownianVariant
{
    /// <summary>Formulas of super-resolved virtual staining (Zhang et al. 2024).</summary>
    Exact,

    /// <summary>Official code of super-resolved virtual staining, which differs from the formulas in variance and time.</summary>
    Official,

    /// <summary>Original Brownian bridge diffusion model (Li et al. 2023).</summary>
    Bbdm,
}

/// <summary>
/// Staining by a Brownian bridge (Zhang et al. 2024), from images with any number of channels and a lower resolution; with
/// <see cref="BrownianVariant.Bbdm"/> the original model (Li et al. 2023).
/// </summary>
public sealed record BbdmConfig : BridgeConfig
{
    /// <summary>Creates the settings of super-resolved virtual staining.</summary>
    public BbdmConfig() => Network = DiffusionUnetOptions.SuperResolution;

    /// <summary>exact, official or bbdm.</summary>
    public BrownianVariant Variant { get; init; } = BrownianVariant.Exact;

    /// <summary>Size of the stained image relative to the source; 4 or 5 in the paper.</summary>
    [Range(1, 5)]
    public int Factor { get; init; } = 1;

    /// <summary>Prediction target of the network: grad, noise or sourceminusimage.</summary>
    [AllowedValues(BridgeObjective.Grad, BridgeObjective.Noise, BridgeObjective.SourceMinusImage)]
    public BridgeObjective Objective { get; init; } = BridgeObjective.Grad;

    /// <summary>Growth of the source's weight in the original model: linear or exponential.</summary>
    public BridgeGrowth Growth { get; init; } = BridgeGrowth.Linear;

    /// <summary>Twice the maximum variance in the original model.</summary>
    [Range(0.0, 100.0)]
    public double MaxVariance { get; init; } = 1;

    /// <inheritdoc/>
    internal override IReadOnlyList<Ablation> Ablations { get; } =
    [
        new("official", "formulas of the official code", ["model.variant=official"]),
        new("crop_z_score", "z-score by crop", ["model.z_score=crop"]),
    ];

    /// <inheritdoc/>
    // Network and loss of the template of the original repository for images of 256 pixels.
    internal override MethodConfig WithDefaultsOf(string variant) =>
        variant == "bbdm" ? this with { Network = DiffusionUnetOptions.Bbdm, Loss = "l1" } : this;

    /// <inheritdoc/>
    public override int Upscaling => Factor;

    /// <inheritdoc/>
    public override bool Conditioned => true;

    /// <inheritdoc/>
    public override BridgeDescription DescribeBridge()
    {
        if (Objective == BridgeObjective.Noise && Variant != BrownianVariant.Bbdm)
        {
            throw new TinctorException(null, "model.objective=noise needs model.variant=bbdm, as other variants start without noise",
                "Use model.variant=bbdm, or model.objective=grad");
        }
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
