using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tinctor.Data;
using Tinctor.Evaluation.Report;
using Tinctor.Evaluation.Analyses.Uncertainty;
using Tinctor.Slides;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Training;
using Tinctor.Training.Execution;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor variance</c>: how much the results of a diffusion bridge vary, by strategy and number of averaged runs.</summary>
internal static class VarianceCommand
{
    private const string Description = """
        Measure how much a diffusion bridge's results vary from run to run, and how good they are: sampling strategies (vanilla, mean, skip)
        by how many runs are averaged to one result, as in the paper of super-resolved virtual staining. Each image is stained
        repeats x (largest number of averaged runs) times with each strategy. A study that was cut short goes on when the same command
        is given again.

        Examples:
          tinctor variance runs/bridge pairs/manifest.csv -o variance
          tinctor variance runs/bridge pairs/manifest.csv -o variance --images 20 --repeats 10 --average 1,2,3,5 --exit-step 50
          tinctor variance runs/bridge pairs/manifest.csv -o quick --strategies mean,skip --evaluations 50
        """;

    private static readonly Argument<string> Model =
        new("model") { Description = "Model folder of bbdm or i2sb, or the run folder of a finished run" };
    private static readonly Argument<string> Data = new("data") { Description = "Folder or manifest of pairs, with test pairs" };
    private static readonly Option<string> Out =
        new("--out", "-o") { Description = "Folder for table.md, .csv and .tex", HelpName = "DIR", Required = true };
    private static readonly Option<string> Split =
        new("--split") { Description = "Whose images", HelpName = "train|val|test", DefaultValueFactory = _ => "test" };
    private static readonly Option<int> Images =
        new("--images") { Description = "How many images, evenly chosen", HelpName = "N", DefaultValueFactory = _ => 8 };
    private static readonly Option<int> Repeats =
        new("--repeats") { Description = "Results of each image that are compared; no two share a run", HelpName = "N", DefaultValueFactory = _ => 5 };
    private static readonly Option<int[]> Averages = new("--average")
    {
        Description = "How many runs are averaged to one result, a row each",
        HelpName = "N,N",
        DefaultValueFactory = _ => [1, 2, 3, 5],
        CustomParser = result => [.. StudyOptions.Items(result).Select(item =>
        {
            if (!int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out int runs) || runs is < 1 or > 1000)
                result.AddError($"--average {item}: write whole numbers from 1 to 1000, as in 1,2,3,5");
            return runs;
        })],
    };
    private static readonly Option<SamplingStrategy[]> Strategies = new("--strategies")
    {
        Description = "vanilla, mean and skip, or some of them",
        HelpName = "NAMES",
        DefaultValueFactory = _ => Enum.GetValues<SamplingStrategy>(),
        CustomParser = result => [.. StudyOptions.Items(result).Select(item =>
        {
            if (!Enum.GetNames<SamplingStrategy>().Contains(item, StringComparer.OrdinalIgnoreCase))
                result.AddError($"--strategies {item}: choose from vanilla,mean,skip");
            return Enum.TryParse(item, ignoreCase: true, out SamplingStrategy strategy) ? strategy : default;
        })],
    };
    private static readonly Option<string> Device =
        new("--device") { Description = "cpu, cuda, cuda:N or auto", DefaultValueFactory = _ => "auto" };
    private static readonly Option<bool> Amp = new("--amp") { Description = "Compute in bfloat16 where it suits" };
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        Split.AcceptOnlyFromAmong([.. PairManifest.Splits]);
        var command = new Command("variance", Description)
            { Model, Data, Out, Split, Images, Repeats, Averages, Strategies, Device, Amp, ThreadCount };
        foreach (Option option in ChanceOptions.OfRun) command.Add(option);
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        string model = parse.GetRequiredValue(Model), folder = parse.GetRequiredValue(Out);
        VarianceStudy study = Study(parse);
        IReadOnlyList<Pair> pairs = Chosen(parse, TrainedModel.ReadConfig(model).Model, cancel);
        (Device device, string reason) = DeviceChoice.Resolve(parse.GetRequiredValue(Device));
        AnsiConsole.MarkupLineInterpolated($"[dim]device: {reason}[/]");
        using var stainer = TrainedModel.LoadStainer(model, device, parse.GetValue(Amp));
        BridgeSampling sampling = ChanceOptions.Run(parse, stainer.Model.Bridge?.Sampling ?? throw new TinctorException(
            $"{model}: has no chance in it, its results do not vary; variance is for models of bbdm and i2sb")) with
        { Average = 1 };
        ulong seed = parse.GetValue(ChanceOptions.Seed);
        var table = new VarianceTable(folder, Settings(study, model, sampling, seed));
        (Pair Pair, SamplingStrategy Strategy)[] open =
        [
            .. from strategy in parse.GetRequiredValue(Strategies).Distinct()
               from pair in pairs
               where !table.Has(pair.Name, Name(strategy))
               select (pair, strategy),
        ];
        Measure(study, open, table, (source, pair, strategy, run) =>
        {
            cancel.ThrowIfCancellationRequested();
            return stainer.Stain(source, new(sampling with { Strategy = strategy }, [new(pair.Name, seed)], run)).Image;
        });
        Conclude(table, folder, $"Results of {study.Repeats} repeats, each the mean of N runs, "
            + $"{(sampling.Evaluations == 0 ? "all" : $"{sampling.Evaluations}")} steps, exit step {sampling.ExitStep}: means over images");
        return 0;
    }

    private static VarianceStudy Study(ParseResult parse)
    {
        if (parse.GetValue(Repeats) < 2) throw new TinctorException("--repeats must be 2 or more: one result alone does not vary");
        if (parse.GetValue(Images) < 1) throw new TinctorException("--images must be 1 or more");
        return new([.. parse.GetRequiredValue(Averages).Distinct().Order()], parse.GetValue(Repeats));
    }

    // All that the numbers depend on; strategies and images may be added later.
    private static string Settings(VarianceStudy study, string model, BridgeSampling sampling, ulong seed) =>
        $"weights {ModelFolder.Sha256(model)[..16]}, runs averaged {string.Join(' ', study.Averages)}, repeats {study.Repeats}, seed {seed}, "
            + $"evaluations {sampling.Evaluations}, solver {sampling.Solver}, spacing {sampling.Spacing}, exit step {sampling.ExitStep}, "
            + $"eta {sampling.Eta.ToString(CultureInfo.InvariantCulture)}, clip {sampling.Clip}";

    private static IReadOnlyList<Pair> Chosen(ParseResult parse, MethodConfig model, CancellationToken cancel)
    {
        string data = parse.GetRequiredValue(Data), split = parse.GetRequiredValue(Split);
        PairManifest manifest = PairManifest.Read(data);
        IReadOnlyList<Pair> all = manifest.OfSplit(split);
        if (all.Count == 0) throw new TinctorException($"{data}: has no {split} pairs ({manifest.Describe()}); choose another --split");
        int count = Math.Min(parse.GetValue(Images), all.Count);
        Pair[] chosen = [.. Enumerable.Range(0, count).Select(i => all[i * all.Count / count])];
        PairManifest.RequireDistinctNames(chosen);
        PairVerification.Check([.. chosen.Where(HasTarget)], factor: model.Upscaling, cancel: cancel);
        return chosen;
    }

    private static void Measure(VarianceStudy study, (Pair Pair, SamplingStrategy Strategy)[] open, VarianceTable table,
        Func<Image, Pair, SamplingStrategy, int, Image> stain) => AnsiConsole.Progress()
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
        .Start(context =>
        {
            ProgressTask task = context.AddTask("staining", maxValue: Math.Max(1, open.Length * study.Runs));
            foreach ((Pair pair, SamplingStrategy strategy) in open)
            {
                (Image source, Image target) = pair.ReadImages();
                Image Once(int run)
                {
                    Image stained = stain(source, pair, strategy, run);
                    task.Increment(1);
                    return stained;
                }
                table.Add(study.Measure(pair.Name, Name(strategy), Once, HasTarget(pair) ? target : null));
            }
            task.Value = task.MaxValue;
        });

    private static void Conclude(VarianceTable table, string folder, string caption)
    {
        table.Write(caption);
        string path = Path.Combine(folder, "table.md");
        Console.WriteLine($"\n{caption}\n\n{File.ReadAllText(path)}\ntable: {path}, .csv (by image), .tex");
    }

    private static bool HasTarget(Pair pair) => pair.Layout != PairLayout.Single;

    private static string Name(SamplingStrategy strategy) => strategy.ToString().ToLowerInvariant();
}
