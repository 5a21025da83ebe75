using System.ComponentModel.DataAnnotations;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Bridges;

/// <summary>Staining by the image-to-image Schrödinger bridge (I2SB, Liu et al. 2023), with the official repository's values.</summary>
public sealed record I2sbConfig : BridgeConfig
{
    /// <summary>Guided diffusion's network at 256 pixels, from scratch.</summary>
    public I2sbConfig()
    {
        Network = DiffusionUnetOptions.I2sb;
        Lr = 5e-5;
    }

    /// <summary>The largest variance of a step, times the steps.</summary>
    [Range(1e-4, 100.0)]
    public double BetaMax { get; init; } = 0.3;

    /// <summary>Trains and samples without noise: the bridge's deterministic limit, optimal transport.</summary>
    public bool OtOde { get; init; }

    /// <summary>Whether the network sees the source beside each state.</summary>
    public bool CondX1 { get; init; }

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
        : throw new TinctorException($"model.steps is {Steps}; a schedule that is the same from both ends needs an even number");
}
