using System.CommandLine;
using System.Globalization;
using Tinctor.Data;
using Tinctor.Evaluation.Analyses.Uncertainty;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;
using Tinctor.Training;
using Tinctor.Training.Configuration;

namespace Tinctor.Cli.Commands;

/// <summary>
/// <c>tinctor variance</c>: measures the variation of a diffusion bridge's results by strategy and number of averaged runs.
/// </summary>
internal static class VarianceCommand
{
    private const string Description = """
        Measure the variation and the quality of a diffusion bridge's results for sampling strategies (vanilla, mean, skip) and numbers of
        averaged runs, as in the paper on super-resolved virtual staining. Several exit steps give one row each. Each image is stained
        samples x (largest number of averaged runs) times in each row. The same command resumes an interrupted study.

        Examples:
          tinctor variance runs/bridge pairs/manifest.csv -o variance
          tinctor variance runs/bridge pairs/manifest.csv -o variance --images 20 --samples 10 --average 1,2,3,5 --exit-step 50
          tinctor variance runs/bridge pairs/manifest.csv -o sweep --steps 0 --solver posterior --exit-step 10,25,50,100,200
          tinctor variance runs/bridge pairs/manifest.csv -o quick --strategies mean,skip --steps 50
        """;

    private static readonly Argument<string> Model =
        new("model") { Description = "Model folder or finished run folder of bbdm or i2sb" };
    private static readonly Argument<string> Data = new("data") { Description = "Folder or manifest of pairs, with test pairs" };
    private static readonly Option<string> Output = CommonOptions.Output("Folder for table.md, .csv and .tex");
    private static readonly Option<string> Split =
        new("--split") { Description = "Split of the images", DefaultValueFactory = _ => "test" };
    private static readonly Option<int> Images =
        new("--images") { Description = "Number of images, evenly spaced", HelpName = "N", DefaultValueFactory = _ => 8 };
    private static readonly Option<int> Repeats =
        new("--samples") { Description = "Samples of each image; no two share a run", HelpName = "N", DefaultValueFactory = _ => 5 };
    private static readonly Option<int[]> Averages = new("--average")
    {
        Description = "Numbers of runs that are averaged to one sample; one row each",
        HelpName = "N,N",
        DefaultValueFactory = _ => [1, 2, 3, 5],
        CustomParser = result => [.. CommonOptions.Items(result).Select(item =>
        {
            if (!int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out int runs) || runs is < 1 or > 1000)
                result.AddError($"--average {item}: write whole numbers from 1 to 1000, as in 1,2,3,5");
            return runs;
        })],
    };
    private static readonly Option<SamplingStrategy[]> Strategies = new("--strategies")
    {
        Description = "Sampling strategies",
        HelpName = "NAME,NAME",
        DefaultValueFactory = _ => Enum.GetValues<SamplingStrategy>(),
        CustomParser = result => [.. CommonOptions.Items(result).Select(item =>
        {
            if (Words.TryParse(typeof(SamplingStrategy), item, out object? strategy)) return (SamplingStrategy)strategy!;
            result.AddError(Words.Refusal("--strategies", item, Words.Of(typeof(SamplingStrategy))));
            return default;
        })],
    };
    private static readonly Option<int[]> ExitSteps = new("--exit-step")
    {
        Description = "Exit steps t_e of the strategies mean and skip; one row each [default: the model's]",
        HelpName = "N,N",
        CustomParser = result => [.. CommonOptions.Items(result).Select(item =>
        {
            if (!int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out int step))
                result.AddError($"--exit-step {item}: write whole numbers of 0 or more, as in 10,50,200");
            return step;
        })],
    };
    private static readonly StainerLoader Loader = new();

    public static Command Create()
    {
        Split.Among([.. PairManifest.Splits]);
        var command = new GroupedCommand("variance", Description)
        {
            Model, Data,
            { "Input", Split, Images },
            { "Output", Output },
            { "Diffusion bridges", [Strategies, ExitSteps, Repeats, Averages, .. BridgeOptions.OfRun] },
            { "Computation", Loader.Options },
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string model = parse.GetRequiredValue(Model), folder = parse.GetRequiredValue(Output);
        VarianceStudy study = Study(parse);
        IReadOnlyList<Pair> pairs = Chosen(parse, TrainedModel.ReadConfig(model), cancel);
        using Stainer stainer = Loader.Load(parse, model, []);
        BridgeSampling sampling = BridgeOptions.Run(parse, stainer.Model.Bridge?.Sampling ?? throw new TinctorException(
            $"{model}: is deterministic; its results do not vary. Use a model of bbdm or i2sb.")) with
        { Average = 1 };
        int[] exitSteps = [.. (parse.GetValue(ExitSteps) ?? []).DefaultIfEmpty(sampling.ExitStep).Distinct().Order()];
        bool sweeps = exitSteps.Length > 1;
        if (!sweeps) sampling = sampling with { ExitStep = exitSteps[0] };
        ulong seed = parse.GetValue(BridgeOptions.Seed);
        var table = new VarianceTable(folder, Settings(study, model, sampling, sweeps, seed));
        Row[] open =
        [
            .. from strategy in parse.GetRequiredValue(Strategies).Distinct()
               from exitStep in sweeps && strategy != SamplingStrategy.Vanilla ? exitSteps.Select(step => (int?)step) : [null]
               from pair in pairs
               where !table.Has(pair.Name, Name(strategy), exitStep)
               select new Row(pair, strategy, exitStep),
        ];
        Measure(study, open, table, (source, row, run) =>
        {
            cancel.ThrowIfCancellationRequested();
            BridgeSampling how = sampling with { Strategy = row.Strategy, ExitStep = row.ExitStep ?? sampling.ExitStep };
            return stainer.Stain(source, new(how, [new(row.Pair.Name, seed)], run)).Image;
        });
        string exits = sweeps ? "" : $", exit step {exitSteps[0]}";
        Conclude(table, folder, $"Results of {study.Repeats} repeats, each the mean of N runs, "
            + $"{(sampling.Evaluations == 0 ? "all" : $"{sampling.Evaluations}")} steps{exits}: means over images");
        return 0;
    }

    private static VarianceStudy Study(ParseResult parse)
    {
        if (parse.GetValue(Repeats) < 2) throw new TinctorException("--samples must be 2 or more: a single sample has no variation");
        if (parse.GetValue(Images) < 1) throw new TinctorException("--images must be 1 or more");
        return new([.. parse.GetRequiredValue(Averages).Distinct().Order()], parse.GetValue(Repeats));
    }

    // Settings that the numbers depend on; strategies, images and the exit steps of a sweep may be added later.
    private static string Settings(VarianceStudy study, string model, BridgeSampling sampling, bool sweeps, ulong seed) =>
        $"weights {ModelFolder.Sha256(model)[..16]}, runs averaged {string.Join(' ', study.Averages)}, "
            + $"repeats {study.Repeats}, seed {seed}, "
            + $"evaluations {sampling.Evaluations}, solver {sampling.Solver}, spacing {sampling.Spacing}, "
            + $"exit step {(sweeps ? "of the row" : $"{sampling.ExitStep}")}, "
            + $"eta {sampling.Eta.ToString(CultureInfo.InvariantCulture)}, clip {sampling.Clip}";

    private static IReadOnlyList<Pair> Chosen(ParseResult parse, ModelConfig model, CancellationToken cancel)
    {
        string data = parse.GetRequiredValue(Data), split = parse.GetRequiredValue(Split);
        PairManifest manifest = PairManifest.Read(data);
        IReadOnlyList<Pair> all = manifest.InDirection(model.Direction).InSplit(split);
        if (all.Count == 0) throw new TinctorException(data, $"has no {split} pairs ({manifest.Describe()})", "Choose another --split");
        int count = Math.Min(parse.GetValue(Images), all.Count);
        Pair[] chosen = [.. Enumerable.Range(0, count).Select(i => all[i * all.Count / count])];
        PairManifest.RequireDistinctNames(chosen);
        PairVerification.Check([.. chosen.Where(HasTarget)], factor: model.Model.Upscaling, cancel: cancel);
        return chosen;
    }

    private static void Measure(VarianceStudy study, Row[] open, VarianceTable table, Func<Image, Row, int, Image> stain) =>
        ProgressDisplay.Show("staining", progress =>
        {
            int done = 0;
            foreach (Row row in open)
            {
                (Image source, Image target) = row.Pair.ReadImages();
                Image Once(int run)
                {
                    Image stained = stain(source, row, run);
                    progress.Report((double)++done / (open.Length * study.Runs));
                    return stained;
                }
                table.Add(study.Measure(row.Pair.Name, Name(row.Strategy), Once, HasTarget(row.Pair) ? target : null)
                    .Select(result => result with { ExitStep = row.ExitStep }));
            }
        });

    private static void Conclude(VarianceTable table, string folder, string caption)
    {
        table.Write(caption);
        string path = Path.Combine(folder, "table.md");
        Terminal.Result($"\n{caption}\n\n{File.ReadAllText(path)}\ntable: {path}, .csv (by image), .tex");
    }

    private static bool HasTarget(Pair pair) => pair.Layout != PairLayout.Single;

    // One image in one row of the table.
    private sealed record Row(Pair Pair, SamplingStrategy Strategy, int? ExitStep);

    private static string Name(SamplingStrategy strategy) => strategy.ToString().ToLowerInvariant();
}
