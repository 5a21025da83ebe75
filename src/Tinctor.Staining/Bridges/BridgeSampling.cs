using System.ComponentModel.DataAnnotations;

namespace Tinctor.Staining.Bridges;

/// <summary>Spacing of the states at which a sampler with few evaluations runs the network; see <see cref="StepPlan"/>.</summary>
public enum StepSpacing
{
    /// <summary>Evenly spaced.</summary>
    Even,

    /// <summary>As the original BBDM's code: evenly spaced, and the last two; from 3 evaluations on.</summary>
    Linear,

    /// <summary>Dense at both ends.</summary>
    Cosine,

    /// <summary>Ever denser towards the image.</summary>
    Angular,
}

/// <summary>Sampling of a model: options of the sampler, number and spacing of network evaluations, number of averaged runs.</summary>
public sealed record BridgeSampling : SamplingOptions
{
    /// <summary>
    /// Ten evaluations, which score like all steps in a hundredth of the time (docs/methods/bbdm.md); <c>new()</c> samples as in the
    /// papers.
    /// </summary>
    public static BridgeSampling Quick { get; } =
        new() { Evaluations = 10, Solver = BridgeSolver.Extrapolated, Spacing = StepSpacing.Angular };

    /// <summary>Network evaluations per image; 0 for one at every step of the bridge.</summary>
    [Range(0, 100_000)]
    public int Evaluations { get; init; }

    /// <summary>Spacing of the evaluations, if they are fewer than the steps.</summary>
    public StepSpacing Spacing { get; init; } = StepSpacing.Even;

    /// <summary>Number of averaged runs, each with noise of its own.</summary>
    [Range(1, 1000)]
    public int Average { get; init; } = 1;

    /// <summary>Computes the states at which the network is evaluated, from the source down.</summary>
    /// <exception cref="TinctorException">There are more evaluations than steps, or fewer than the spacing needs.</exception>
    internal int[] CreatePlan(BridgeSchedule schedule)
    {
        if (Evaluations > schedule.Last)
            throw new TinctorException($"sampling.evaluations is {Evaluations}, but the bridge has {schedule.Last} steps");
        if (Spacing == StepSpacing.Linear && Evaluations is 1 or 2)
            throw new TinctorException($"sampling.evaluations is {Evaluations}; the spacing linear needs 3 or more");
        return (Evaluations, Spacing) switch
        {
            (0, _) => StepPlan.All(schedule),
            (_, StepSpacing.Linear) => [.. StepPlan.BbdmLinear(schedule, Evaluations).Distinct()],
            (_, StepSpacing.Cosine) => StepPlan.Cosine(schedule, Evaluations),
            (_, StepSpacing.Angular) => StepPlan.Angular(schedule, Evaluations),
            _ => StepPlan.Even(schedule, Evaluations),
        };
    }
}
