using Tinctor.Staining.Bridges;

namespace Tinctor.Staining.Models;

/// <summary>Schedule of a diffusion bridge.</summary>
public enum BridgeKind
{
    /// <summary>Formulas of super-resolved virtual staining (Zhang et al. 2024).</summary>
    Staining,

    /// <summary>Official code of that paper, which differs in variance and time.</summary>
    OfficialStaining,

    /// <summary>Original Brownian bridge diffusion model (Li et al. 2023).</summary>
    Bbdm,

    /// <summary>Image-to-image Schrödinger bridge (Liu et al. 2023).</summary>
    Schrodinger,
}

/// <summary>Diffusion bridge of a model: schedule, prediction of the network and default sampling.</summary>
public sealed record BridgeDescription
{
    /// <summary>Kind of schedule.</summary>
    public required BridgeKind Kind { get; init; }

    /// <summary>Steps between source and image.</summary>
    public required int Steps { get; init; }

    /// <summary>Quantity that the network predicts.</summary>
    public required BridgeObjective Objective { get; init; }

    /// <summary>Growth of the source's weight; <see cref="BridgeKind.Bbdm"/> only.</summary>
    public BridgeGrowth Growth { get; init; } = BridgeGrowth.Linear;

    /// <summary>Twice the largest variance; <see cref="BridgeKind.Bbdm"/> only.</summary>
    public double MaxVariance { get; init; } = 1;

    /// <summary>Largest variance of a step, times the steps; <see cref="BridgeKind.Schrodinger"/> only.</summary>
    public double BetaMax { get; init; } = 0.3;

    /// <summary>Default sampling of the model.</summary>
    public BridgeSampling Sampling { get; init; } = BridgeSampling.Quick;

    /// <summary>Computes the schedule.</summary>
    internal BridgeSchedule CreateSchedule() => Kind switch
    {
        BridgeKind.Bbdm => BridgeSchedule.Bbdm(Steps, Growth, MaxVariance),
        BridgeKind.Schrodinger => BridgeSchedule.Schrodinger(Steps, BetaMax),
        _ => BridgeSchedule.Staining(Steps, official: Kind == BridgeKind.OfficialStaining),
    };
}
