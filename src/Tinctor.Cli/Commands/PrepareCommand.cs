using System.CommandLine;
using Spectre.Console;
using Tinctor.Data;
using Tinctor.Evaluation.Report;
using Tinctor.Registration.Metrics;
using Tinctor.Registration.Pairs;
using Tinctor.Registration.Transforms;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor prepare</c>: makes a data set of pairs of whole slides.</summary>
internal static class PrepareCommand
{
    private const string Description = """
        Make a data set for `tinctor train` of pairs of slides: register each pair, cut tiles where both have tissue, keep those that lie on
        each other, split by slide or patient. Writes source/, target/, manifest.csv, rejected.csv and report.html. Pairs that are done are
        left alone, so that the same command goes on after an interruption, and adds what is new. A pair whose registration failed is left
        out, with its reason.

        Examples:
          tinctor prepare --source he1.svs he2.svs --target her2_1.svs her2_2.svs --mpp 0.5 -o dataset
          tinctor prepare --source he/ --target ihc/ --match "^\d+" --mpp 0.5 --val 0.1 --test 0.2 -o dataset
          tinctor prepare --table slides.csv --mpp 0.5 --tile 512 --stride 256 -o dataset      columns source,target,patient,split
          tinctor prepare --source af.tif --target he.tif --aligned -o dataset                 they lie on each other already
        """;

    private static readonly Option<string[]> Source = new("--source")
    {
        Description = "The slides that stay, or a folder of them",
        HelpName = "SLIDES",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string[]> Target = new("--target")
    {
        Description = "The slides that are brought onto them: as many, in the same order; or a folder, matched by name",
        HelpName = "SLIDES",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string?> Table = new("--table")
    {
        Description = "CSV or YAML with source and target, and if you like patient or slide_id, split (train, val, test) and label",
        HelpName = "FILE",
    };
    private static readonly Option<string?> Match = new("--match")
    {
        Description = "Of folders: regular expression whose first group, or all of it, is what names of partners share. Default: the whole name",
        HelpName = "REGEX",
    };
    private static readonly Option<string?> SlideOf = new("--slide")
    {
        Description = "Regular expression that finds the slide or patient in a source's name. Default: each source is a slide of its own",
        HelpName = "REGEX",
    };
    private static readonly Option<string> Out =
        new("--out", "-o") { Description = "Folder of the data set", HelpName = "DIR", Required = true };
    private static readonly Option<double?> Mpp =
        AboveZero.Option("--mpp", "Micrometres per pixel of the tiles. Default: the source's pixels as they are");
    private static readonly Option<double?> SourceMpp =
        AboveZero.Option("--source-mpp", "Micrometres per pixel of the sources, where their files do not tell or are wrong");
    private static readonly Option<double?> TargetMpp =
        AboveZero.Option("--target-mpp", "The same of the targets");
    private static readonly Option<int> Tile = new("--tile")
    {
        Description = "Side of a tile in pixels",
        HelpName = "PX",
        DefaultValueFactory = _ => new TilingOptions().TileSize!.Value,
    };
    private static readonly Option<int?> Stride =
        new("--stride") { Description = "Pixels from tile to tile. Default: the tile's side", HelpName = "PX" };
    private static readonly Option<double> MinTissue = new("--min-tissue")
    {
        Description = "Least share of tissue, in source and target",
        HelpName = "SHARE",
        DefaultValueFactory = _ => new TilingOptions().MinTissue,
    };
    private static readonly Option<double> MinNcc = new("--min-ncc")
    {
        Description = "Tiles that correlate less are dropped",
        HelpName = "NCC",
        DefaultValueFactory = _ => new TilingOptions().MinNcc,
    };
    private static readonly Option<double> MaxResidual = new("--max-residual")
    {
        Description = "Tiles that are still shifted by more are dropped",
        HelpName = "PX",
        DefaultValueFactory = _ => new TilingOptions().MaxResidual,
    };
    private static readonly Option<StructureChannel?> Channel = new("--channel")
    {
        Description = "What is compared: grey (optical density), haematoxylin, or edges (inverse contrast). Default: by what the slides are",
    };
    private static readonly Option<TransformModel> Model = new("--transform")
    {
        Description = "What may differ between the two: rigid, affine or nonrigid",
        DefaultValueFactory = _ => TransformModel.Nonrigid,
    };
    private static readonly Option<bool> Mirror = new("--mirror") { Description = "A target may lie face down" };
    private static readonly Option<bool> Aligned =
        new("--aligned") { Description = "The slides lie on each other already; none is registered" };
    private static readonly Option<string?> SourceTissue = new("--source-tissue")
    {
        Description = "Folder of NAME.geojson (from QuPath or `tinctor tissue`) with the tissue of sources; it is looked for where there is none",
        HelpName = "DIR",
    };
    private static readonly Option<string?> TargetTissue =
        new("--target-tissue") { Description = "The same of targets", HelpName = "DIR" };
    private static readonly Option<double> Val =
        new("--val") { Description = "Share of the slides or patients for validation", HelpName = "SHARE" };
    private static readonly Option<double> Test =
        new("--test") { Description = "Share of the slides or patients for testing", HelpName = "SHARE" };
    private static readonly Option<ulong> Seed =
        new("--seed") { Description = "Of the choice of slides for testing and validation", HelpName = "N" };
    private static readonly Option<bool> AllowFailures =
        new("--allow-failures") { Description = "End without an error if some pairs are left out" };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Make all pairs again" };
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        var command = new Command("prepare", Description)
        {
            Source, Target, Table, Match, SlideOf, Out, Mpp, SourceMpp, TargetMpp, Tile, Stride, MinTissue, MinNcc, MaxResidual, Channel, Model,
            Mirror, Aligned, SourceTissue, TargetTissue, Val, Test, Seed, AllowFailures, Overwrite, ThreadCount,
        };
        foreach (Option option in TissueArguments.All) command.Add(option);
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        string folder = parse.GetRequiredValue(Out);
        PairManifest manifest = SlidePairs(parse);
        PreparationOptions options = Options(parse);
        try
        {
            PreparedDataset dataset = AnsiConsole.Progress()
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                .Start(context =>
                {
                    ProgressTask task = context.AddTask("preparing", maxValue: 1);
                    var progress = new StepProgress(step => (task.Value, task.Description) = (step.Share, Markup.Escape($"{step.Name}: {step.Step}")));
                    return SlidePreparation.Run(manifest, folder, options, progress, cancel);
                });
            AtomicFile.WriteText(Path.Combine(folder, "report.html"), PreparationReport.Text(Path.GetFileName(Path.GetFullPath(folder)),
                dataset.Pairs, options.Tiling, (name, ending) => SlidePreparation.PathOf(folder, name, ending)));
            return Report(dataset, options, parse.GetValue(AllowFailures));
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("stopped; the same command goes on with what is left");
            return 130;
        }
    }

    private static PairManifest SlidePairs(ParseResult parse)
    {
        string? table = parse.GetValue(Table);
        string[] sources = parse.GetValue(Source) ?? [], targets = parse.GetValue(Target) ?? [];
        if (table is null == (sources.Length + targets.Length == 0))
            throw new TinctorException("which slides? Give --source and --target, or a --table of them");
        PairManifest manifest = table is null ? SlideMatching.Match(sources, targets, parse.GetValue(Match), parse.GetValue(SlideOf))
            : SlideMatching.ReadTable(table, parse.GetValue(SlideOf));
        if (manifest.HasOwnSplits) return manifest;
        (double val, double test) = (parse.GetValue(Val), parse.GetValue(Test));
        if (!(val >= 0 && test >= 0 && val + test < 1))
            throw new TinctorException("--val and --test: must not be below 0, and together below 1");
        return manifest.SplitBySlide(val, test, parse.GetValue(Seed));
    }

    private static PreparationOptions Options(ParseResult parse) => new()
    {
        Registration = parse.GetValue(Aligned) ? null
            : new() { Transform = parse.GetValue(Model), Mirror = parse.GetValue(Mirror), Channel = parse.GetValue(Channel) },
        Tiling = new()
        {
            Mpp = parse.GetValue(Mpp),
            TileSize = parse.GetValue(Tile),
            Stride = parse.GetValue(Stride),
            MinTissue = parse.GetValue(MinTissue),
            MinNcc = parse.GetValue(MinNcc),
            MaxResidual = parse.GetValue(MaxResidual),
            Channel = parse.GetValue(Channel),
        },
        Tissue = TissueArguments.Of(parse),
        SourceTissueFolder = parse.GetValue(SourceTissue),
        TargetTissueFolder = parse.GetValue(TargetTissue),
        SourceMpp = parse.GetValue(SourceMpp),
        TargetMpp = parse.GetValue(TargetMpp),
        Overwrite = parse.GetValue(Overwrite),
    };

    private static int Report(PreparedDataset dataset, PreparationOptions options, bool allowFailures)
    {
        PreparedPair[] used = [.. dataset.Pairs.Where(pair => pair.Failure is null)];
        string splits = string.Join(", ", used.GroupBy(pair => pair.Split)
            .Select(split => $"{split.Key} {split.Sum(pair => pair.Count(TileStatus.Kept))}"));
        Console.WriteLine($"{dataset.Folder}: {dataset.Kept} of {dataset.Tiles} tiles kept ({splits}), "
            + $"{used.Length} of {dataset.Pairs.Count} pairs used; look at {Path.Combine(dataset.Folder, "report.html")}");
        foreach (PreparedPair pair in dataset.Pairs.Where(pair => pair.Failure is not null))
            Console.Error.WriteLine($"{(allowFailures ? "warning" : "error")}: {pair.Name}: left out: {pair.Failure}");
        dataset.RequireTiles(options);
        return used.Length == dataset.Pairs.Count || allowFailures ? 0 : 1;
    }
}
