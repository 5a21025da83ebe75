using System.CommandLine;
using Spectre.Console;
using Tinctor.Cli.Commands.Evaluation;
using Tinctor.Evaluation;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Report;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor evaluate</c>: scores a folder of stained images against the real ones and writes a report.</summary>
public static class EvaluateCommand
{
    /// <summary>Metrics of the printed table: PSNR, SSIM and MAE fit 80 columns. The report has all.</summary>
    private const int PrintedMetrics = 3;

    /// <summary>Options that supply the input of a metric or section, by its key.</summary>
    private static readonly Dictionary<string, string> RequiredOptions = new()
    {
        ["lpips"] = "--lpips-trunk, --lpips-lin",
        ["distribution"] = "--inception or --features",
        ["labels"] = "--labels",
        ["predicted_levels"] = "--labels",
    };

    private static readonly Option<string[]> Stained = new("--stained")
    {
        Description = "Folder of stained images; repeat it as NAME=DIR to compare models",
        HelpName = "[NAME=]DIR",
        Required = true,
    };

    private static readonly Option<string> Real = new("--real")
    {
        Description = "Folder of the real images, matched by name without extension",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<string?> Source = new("--source")
    {
        Description = "Folder of the source images, for the identity baseline and the gallery",
        HelpName = "DIR",
    };

    private static readonly Option<string?> Labels = new("--labels")
    {
        Description = "CSV with name, label, slide_id, or a manifest.csv (its test split)",
        HelpName = "FILE",
    };

    private static readonly Option<string?> TrainReal = new("--train-real")
    {
        Description = "Folder of the real training images, for the mean-colour baseline",
        HelpName = "DIR",
    };

    private static readonly Option<string?> Run = new("--run")
    {
        Description = "Run folder of the model; adds training curves and settings to the report",
        HelpName = "DIR",
    };

    private static readonly Option<string?> Title = new("--title") { Description = "Title of the report", HelpName = "TEXT" };

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "Folder for report.html, metrics.json, metrics.csv and tables/",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<int> Resamples = new("--resamples")
    {
        Description = "Bootstrap resamples for confidence intervals, at least 100",
        HelpName = "N",
        DefaultValueFactory = _ => new EvaluationOptions { Stained = [], Real = "" }.Resamples,
    };

    private static readonly Option<int> Seed =
        new("--seed") { Description = "Random seed of the bootstrap", HelpName = "N", DefaultValueFactory = _ => 0 };

    /// <summary>The command, for the root command.</summary>
    public static Command Create()
    {
        Resamples.Between(100, int.MaxValue);
        var command = new GroupedCommand("evaluate", """
            Score stained images against the real ones: PSNR and SSIM with confidence intervals, trivial baselines, a report.

            Examples:
              tinctor evaluate --stained out/ --real data/test/IHC -o report
              tinctor evaluate --stained out/ --real data/IHC/test --source data/HE/test --train-real data/IHC/train -o report
              tinctor evaluate --stained pix2pix=out1 --stained cyclegan=out2 --real data/IHC/test -o report
              tinctor evaluate --stained out/ --real pairs/target --source pairs/source --labels pairs/manifest.csv --run RUN -o report
            """)
        {
            { "Input", Stained, Real, Source, Labels, TrainReal, Run },
            { "Output", Output, Title, CommonOptions.Viewer },
            { "Metrics", [.. MetricOptions.All, Resamples, Seed] },
            { "Alignment", AlignmentOptions.All },
            { "Labels and encoders", LabelOptions.All },
            { "Deep features", FeatureOptions.OfNetworks },
            { "Segmentation", SegmentationOptions.All },
            { "IHC", IhcOptions.All },
            { "Uncertainty", UncertaintyOptions.All },
        };
        command.SetAction((parse, cancel) =>
            Task.Run(() => Execute(OptionsOf(parse), parse.GetRequiredValue(Output), CommonOptions.ViewerOf(parse), cancel), cancel));
        return command;
    }

    private static EvaluationOptions OptionsOf(ParseResult parse)
    {
        FeatureNetworks networks = FeatureOptions.Networks(parse);
        return new()
        {
            Stained = [.. parse.GetRequiredValue(Stained).Select(StainedFolder.Parse)],
            Real = parse.GetRequiredValue(Real),
            Source = parse.GetValue(Source),
            Labels = parse.GetValue(Labels),
            TrainReal = parse.GetValue(TrainReal),
            Run = parse.GetValue(Run),
            Title = parse.GetValue(Title),
            Protocol = MetricOptions.Protocol(parse),
            Ssim = MetricOptions.SsimVariant(parse),
            Metrics = MetricOptions.Keys(parse),
            ExtraMetrics = [.. FeatureOptions.Metrics(parse, networks)],
            Analyses =
            [
                .. LabelOptions.Analyses(parse), .. AlignmentOptions.Analyses(parse), FeatureOptions.Analysis(networks),
                .. SegmentationOptions.Analyses(parse), .. IhcOptions.Analyses(parse), .. UncertaintyOptions.Analyses(parse),
            ],
            Resamples = parse.GetValue(Resamples),
            Seed = parse.GetValue(Seed),
        };
    }

    /// <summary>Evaluates with a progress bar, writes the report and prints the scores.</summary>
    /// <returns>The exit code, 0.</returns>
    private static int Execute(EvaluationOptions options, string outFolder, string? viewer, CancellationToken cancel)
    {
        var result = ProgressDisplay.Show("evaluating", display => Evaluator.Run(options, new Stages(display), cancel));
        var files = EvaluationFiles.Write(result, outFolder, viewer);
        PrintScores(result);
        PrintComparisons(result);
        PrintBaselines(result);
        Terminal.Result($"Report: {Path.GetFullPath(files.Html)}");
        PrintNotes(result);
        return 0;
    }

    /// <summary>Prints the means with their confidence intervals.</summary>
    private static void PrintScores(EvaluationResult result)
    {
        var table = new Table().RoundedBorder().Title(Markup.Escape(result.Title)).AddColumn(new TableColumn("").NoWrap());
        table.AddColumn(new TableColumn("n").RightAligned().NoWrap());
        foreach (var metric in result.Metrics.Take(PrintedMetrics))
            table.AddColumn(new TableColumn(metric.Unit == "dB" ? $"{metric.Title} dB" : metric.Title).RightAligned().NoWrap());
        foreach (var method in result.Methods.Where(m => m.NotComputed is null))
            AddRow(table, method.Title, result.Groups[0].N, result.Groups[0].Summaries[method.Key], result);
        foreach (var group in result.Groups.Skip(1))
            foreach (var model in result.Models)
                AddRow(table, $"{model.Title}, {group.Label}", group.N, group.Summaries[model.Key], result);
        Terminal.Results.Write(table);
        Terminal.Results.MarkupLineInterpolated($"[dim]Means with intervals: {result.Bootstrap.Description}[/]");
        if (result.Options.Protocol != EvaluationProtocol.Default) PrintProtocol(result);
    }

    /// <summary>Prints the conditions, and all means of each model in one line.</summary>
    private static void PrintProtocol(EvaluationResult result)
    {
        EvaluationProtocol protocol = result.Options.Protocol;
        Terminal.Result($"Protocol {protocol.Name}: {protocol.Description}; {protocol.Aggregation}, seed {result.Options.Seed}");
        foreach (ScoredMethod model in result.Models)
        {
            IEnumerable<string> means = result.Groups[0].Summaries[model.Key].Zip(result.Metrics, (summary, metric) =>
                $"{metric.Title} {summary.Mean.ToString($"F{Math.Max(3, metric.Digits)}")} {metric.Unit}".TrimEnd());
            string correlation = result.DabCorrelation(model) is double r ? $", DAB correlation {r:F3}" : "";
            Terminal.Result($"{model.Title}: {string.Join(", ", means)}{correlation}");
        }
    }

    /// <summary>
    /// Prints which of two models is better and whether the difference is significant; the report compares with baselines too.
    /// </summary>
    private static void PrintComparisons(EvaluationResult result)
    {
        string[] models = [.. result.Models.Select(m => m.Key)];
        string[] printed = [.. result.Metrics.Take(PrintedMetrics).Select(m => m.Key)];
        foreach (var c in result.Comparisons.Where(c => models.Contains(c.B) && printed.Contains(c.Metric)))
        {
            var metric = result.Metrics.Single(m => m.Key == c.Metric);
            string format = $"+0.{new string('0', metric.Digits)};-0.{new string('0', metric.Digits)}";
            string ci = c.Ci is null ? "" : $" ({c.Ci.Low.ToString(format)} to {c.Ci.High.ToString(format)})";
            string verdict = result.NotTested is not null ? "not tested"
                : c.AdjustedP is double p ? $"{(c.Significant ? "significant" : "not significant")}, p = {p:G2}" : "equal";
            Terminal.Result($"{c.A} against {c.B} by {metric.Title}: {c.Difference.ToString(format)}{ci}, {verdict}");
        }
    }

    private static void PrintBaselines(EvaluationResult result)
    {
        string baselines = string.Join(" and ",
            result.Methods.Where(m => !m.IsModel && m.NotComputed is null).Select(m => m.Title.ToLowerInvariant()));
        foreach (var model in result.Models)
        {
            Terminal.Results.MarkupLineInterpolated(
                $"{model.Title} beats the baselines ({baselines}) by PSNR and SSIM: [bold]{Words.YesNo(result.BeatsBaselines(model))}[/]");
        }
    }

    private static void PrintNotes(EvaluationResult result)
    {
        foreach (string warning in result.Warnings.Concat(result.Sections.SelectMany(section => section.Warnings)))
            Terminal.Warning(Errors.Sentence(warning));
        if (result.NotTested is string reason) Terminal.Note(Errors.Sentence(reason));
        foreach (var metric in result.NotComputed) NoteMissing(metric.Key, metric.Title, metric.NotComputed);
        foreach (var section in result.Sections.Where(section => section.NotComputed is not null))
            NoteMissing(section.Key, section.Title, section.NotComputed);
    }

    private static void NoteMissing(string key, string title, string? reason)
    {
        string option = RequiredOptions.TryGetValue(key, out string? flags) ? $" ({flags})" : "";
        Terminal.Note($"{title}: not computed, {reason?.TrimEnd('.')}{option}.");
    }

    private static void AddRow(Table table, string name, int n, Summary[] summaries, EvaluationResult result) =>
        table.AddRow(
            [Markup.Escape(name), n.ToString(), .. summaries.Zip(result.Metrics.Take(PrintedMetrics), (s, m) => Cell(s, m.Digits))]);

    private static string Cell(Summary summary, int digits)
    {
        string format = $"F{digits}";
        string mean = double.IsInfinity(summary.Mean) ? "∞" : summary.Mean.ToString(format);
        return summary.Ci is null ? mean : $"{mean}\n[dim]{summary.Ci.Low.ToString(format)}–{summary.Ci.High.ToString(format)}[/]";
    }

    /// <summary>Shows the stages of an evaluation, some of which run at the same time.</summary>
    private sealed class Stages(ProgressDisplay display) : IProgress<EvaluationProgress>
    {
        private readonly HashSet<string> begun = [];

        public void Report(EvaluationProgress value)
        {
            lock (begun)
            {
                if (begun.Add(value.Stage)) display.BeginStage(value.Stage);
                display.Report((double)value.Done / Math.Max(1, value.Total));
            }
        }
    }
}
