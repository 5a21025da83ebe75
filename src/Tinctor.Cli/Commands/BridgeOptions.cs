using System.CommandLine;
using Tinctor.Staining.Bridges;

namespace Tinctor.Cli.Commands;

/// <summary>Options of <c>tinctor stain</c> for stochastic models: diffusion bridges.</summary>
internal static class BridgeOptions
{
    /// <summary>Number of samples per image.</summary>
    public static readonly Option<int> Samples = new("--samples")
    {
        Description = "Number of samples; writes their mean and, in variation/, their coefficient of variation",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    /// <summary>Whether to write the states between source and stained image.</summary>
    public static readonly Option<bool> Trajectory =
        new("--trajectory") { Description = "Write the states between source and result into trajectory/: a strip and an animation" };

    /// <summary>Random seed.</summary>
    public static readonly Option<ulong> Seed =
        new("--seed") { Description = "Random seed; the same seed gives the same pixels", HelpName = "N", DefaultValueFactory = _ => 0 };

    private static readonly Option<int?> Evaluations =
        new("--steps")
        {
            Description = "Network evaluations per image; 0 for every step of the schedule [default: the model's]",
            HelpName = "N"
        };
    private static readonly Option<BridgeSolver?> Solver =
        Words.Optional<BridgeSolver>("--solver", "Solver [default: the model's]");
    private static readonly Option<StepSpacing?> Spacing =
        Words.Optional<StepSpacing>("--spacing", "Spacing of the steps [default: the model's]");
    private static readonly Option<SamplingStrategy?> Strategy =
        Words.Optional<SamplingStrategy>("--strategy", "After the exit step: mean adds no noise, skip jumps [default: the model's]");
    private static readonly Option<int?> ExitStep =
        new("--exit-step") { Description = "Exit step t_e of the strategies mean and skip [default: the model's]", HelpName = "N" };
    private static readonly Option<int?> Average =
        new("--average") { Description = "Runs that are averaged to one sample [default: the model's]", HelpName = "N" };

    /// <summary>Settings of one run, whatever its strategy.</summary>
    public static IReadOnlyList<Option> OfRun { get; } = [Seed, Evaluations, Solver, Spacing];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Option> All { get; } = [.. OfRun, ExitStep, Strategy, Average, Samples, Trajectory];

    /// <summary>Gets the sampling of a model; null if the model is deterministic.</summary>
    /// <param name="parse">Parsed command line.</param>
    /// <param name="own">Default sampling of the model; null if the model is deterministic.</param>
    /// <param name="model">The model, named in messages.</param>
    /// <exception cref="TinctorException">The model is deterministic, or does not support this sampling.</exception>
    public static BridgeSampling? Read(ParseResult parse, BridgeSampling? own, string model)
    {
        string[] given = [.. All.Where(option => parse.GetResult(option) is { Implicit: false }).Select(option => option.Name)];
        if (own is null)
            return given.Length == 0 ? null
                : throw new TinctorException(model, "is deterministic",
                    $"Leave out {string.Join(", ", given)}, which apply to models of bbdm and i2sb");
        if (parse.GetValue(Samples) < 1) throw new TinctorException("--samples must be 1 or more");
        if ((parse.GetValue(Average) ?? 1) < 1) throw new TinctorException("--average must be 1 or more");
        BridgeSampling sampling = Run(parse, own) with
        {
            ExitStep = parse.GetValue(ExitStep) ?? own.ExitStep,
            Strategy = parse.GetValue(Strategy) ?? own.Strategy,
            Average = parse.GetValue(Average) ?? own.Average,
        };
        if (parse.GetValue(Trajectory) && (parse.GetValue(Samples) > 1 || sampling.Average > 1))
            throw new TinctorException("--trajectory shows a single run. Use --samples 1 and --average 1");
        return sampling;
    }

    /// <summary>Gets the sampling of a model, changed by the options of <see cref="OfRun"/>.</summary>
    public static BridgeSampling Run(ParseResult parse, BridgeSampling own) => own with
    {
        Evaluations = parse.GetValue(Evaluations) ?? own.Evaluations,
        Solver = parse.GetValue(Solver) ?? own.Solver,
        Spacing = parse.GetValue(Spacing) ?? own.Spacing,
    };
}
