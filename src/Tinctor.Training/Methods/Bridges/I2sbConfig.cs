using System.ComponentModel.DataAnnotations;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Bridges;

/// <summary>Staining by the image-to-image Schrödinger bridge (I2SB, Liu et al. 2023), with the official repository's values.</summary>
public sealed record I2sbConfig : BridgeConfig
{
    /// <summary>Creates the settings of the official repository: guided diffusion's network at 256 pixels.</summary>
    public I2sbConfig()
    {
        Network = DiffusionUnetOptions.I2sb;
        Lr = 5e-5;
    }

    /// <summary>Maximum variance of a step, times the number of steps.</summary>
    [Range(1e-4, 100.0)]
    public double BetaMax { get; init; } = 0.3;

    /// <summary>Trains and samples without noise: optimal transport, the deterministic limit of the bridge.</summary>
    public bool OtOde { get; init; }

    /// <summary>
    /// Whether the source is an additional input of the network, as the authors recommend for translation; false is the paper's network.
    /// </summary>
    public bool CondX1 { get; init; } = true;

    /// <inheritdoc/>
    internal override IReadOnlyList<Ablation> Ablations { get; } =
    [
        new("ot_ode", "without noise (OT-ODE)", ["model.ot_ode=true"]),
        new("without_condition", "without the source as input", ["model.cond_x1=false"]),
    ];

    /// <inheritdoc/>
    public override bool Conditioned => CondX1;

    /// <inheritdoc/>
    public override bool Noisy => !OtOde;

    /// <inheritdoc/>
    public override BridgeDescription DescribeBridge() => Steps % 2 == 0
        ? new()
        {
            Kind = BridgeKind.Schrodinger,
            Steps = Steps,
            Objective = BridgeObjective.ScaledGrad,
            BetaMax = BetaMax,
            Sampling = Noisy ? Sampling : Sampling with { Eta = 0 },
        }
        : throw new TinctorException(null, $"model.steps is {Steps}, but the symmetric schedule needs an even number",
            $"Use model.steps={Steps + 1}")
        { Option = $"model.steps={Steps + 1}" };
}
