using System.CommandLine;
using Tinctor.Staining.Bridges;

namespace Tinctor.Cli.Commands;

/// <summary>Options of <c>tinctor stain</c> for models that stain by chance: diffusion bridges.</summary>
internal static class ChanceOptions
{
    /// <summary>How many images are made of each source.</summary>
    public static readonly Option<int> Repeats = new("--repeats")
    {
        Description = "Stain each image so often: their mean is written, and in variation/ how much pixels vary",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    /// <summary>Whether to write what lies between source and stained image.</summary>
    public static readonly Option<bool> Trajectory =
        new("--trajectory") { Description = "Write the images between source and stained one, in trajectory/: a strip and an animation" };

    /// <summary>Where noise starts.</summary>
    public static readonly Option<ulong> Seed =
        new("--seed") { Description = "Of the noise; the same seed gives the same pixels", HelpName = "N", DefaultValueFactory = _ => 0 };

    private static readonly Option<int?> Evaluations =
        new("--evaluations") { Description = "Evaluations of the network an image; 0 for one at every step of the bridge", HelpName = "N" };
    private static readonly Option<BridgeSolver?> Solver =
        new("--solver") { Description = "posterior (the papers'), implicit or extrapolated (for few evaluations)", HelpName = "NAME" };
    private static readonly Option<StepSpacing?> Spacing =
        new("--spacing") { Description = "Where the network is asked: even, linear (as BBDM), cosine or angular (denser towards the image)", HelpName = "NAME" };
    private static readonly Option<SamplingStrategy?> Strategy =
        new("--strategy") { Description = "From the exit step on: vanilla, mean (no more noise) or skip (one jump)", HelpName = "NAME" };
    private static readonly Option<int?> ExitStep = new("--exit-step") { Description = "t_e of mean and skip", HelpName = "N" };
    private static readonly Option<int?> Average = new("--average") { Description = "Runs that are averaged to one image", HelpName = "N" };

    /// <summary>How one run goes, whatever its strategy.</summary>
    public static IReadOnlyList<Option> OfRun { get; } = [Seed, Evaluations, Solver, Spacing, ExitStep];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Option> All { get; } = [.. OfRun, Strategy, Average, Repeats, Trajectory];

    /// <summary>How a model is to sample; null if it has no chance in it.</summary>
    /// <param name="parse">What was asked for.</param>
    /// <param name="own">How the model samples unless told otherwise; null if it has no chance in it.</param>
    /// <param name="model">The model, for messages.</param>
    /// <exception cref="TinctorException">The model does not sample, or cannot in this way.</exception>
    public static BridgeSampling? Of(ParseResult parse, BridgeSampling? own, string model)
    {
        string[] given = [.. All.Where(option => parse.GetResult(option) is { Implicit: false }).Select(option => option.Name)];
        if (own is null)
            return given.Length == 0 ? null
                : throw new TinctorException($"{model}: has no chance in it; {string.Join(", ", given)}: for models of bbdm and i2sb");
        if (parse.GetValue(Repeats) < 1) throw new TinctorException("--repeats must be 1 or more");
        if ((parse.GetValue(Average) ?? 1) < 1) throw new TinctorException("--average must be 1 or more");
        BridgeSampling sampling = Run(parse, own) with
        {
            Strategy = parse.GetValue(Strategy) ?? own.Strategy,
            Average = parse.GetValue(Average) ?? own.Average,
        };
        if (parse.GetValue(Trajectory) && (parse.GetValue(Repeats) > 1 || sampling.Average > 1))
            throw new TinctorException("--trajectory shows one run; give it without --repeats, and --average 1");
        return sampling;
    }

    /// <summary>How a model samples, with what <see cref="OfRun"/> changes.</summary>
    public static BridgeSampling Run(ParseResult parse, BridgeSampling own) => own with
    {
        Evaluations = parse.GetValue(Evaluations) ?? own.Evaluations,
        Solver = parse.GetValue(Solver) ?? own.Solver,
        Spacing = parse.GetValue(Spacing) ?? own.Spacing,
        ExitStep = parse.GetValue(ExitStep) ?? own.ExitStep,
    };
}
