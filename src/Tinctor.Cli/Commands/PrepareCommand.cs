using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Tinctor.Data;
using Tinctor.Evaluation.Report;
using Tinctor.Registration.Metrics;
using Tinctor.Registration.Pairs;
using Tinctor.Slides;
using Tinctor.Transforms;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor prepare</c>: prepares a data set from pairs of whole slides.</summary>
internal static class PrepareCommand
{
    private const string Description = """
        Prepare a data set for 'tinctor train' from pairs of slides: register each pair, cut tiles where both have tissue, keep the aligned
        ones, and split by slide or patient. Writes source/, target/, manifest.csv, rejected.csv and report.html. Finished pairs are kept:
        the same command resumes, and adds new pairs. A pair that cannot be read or registered is left out, with the reason.

        Examples:
          tinctor prepare --source he1.svs he2.svs --target her2_1.svs her2_2.svs --output-mpp 0.5 -o dataset
          tinctor prepare --source he/ --target ihc/ --match "^\d+" --output-mpp 0.5 --val 0.1 --test 0.2 -o dataset
          tinctor prepare --table slides.csv --output-mpp 0.5 --tile-size 512 -o dataset    columns source,target,patient,split
          tinctor prepare --source af.tif --target he.tif --aligned -o dataset              already aligned
          tinctor prepare --source af/ --target he/ --factor auto -o dataset                sources of lower resolution, for bbdm
        """;

    private static readonly Option<string[]> Source = new("--source")
    {
        Description = "Source slides, or a folder of them",
        HelpName = "SLIDES",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string[]> Target = new("--target")
    {
        Description = "Target slides in the order of the sources, or a folder, matched by name",
        HelpName = "SLIDES",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string?> Table = new("--table")
    {
        Description = "CSV or YAML with source and target; optional: patient or slide_id, split, label",
        HelpName = "FILE",
    };
    private static readonly Option<string?> Match = new("--match")
    {
        Description = "For folders: regular expression of the part of names that partners share [default: the name]",
        HelpName = "REGEX",
    };
    private static readonly Option<string?> SlidePattern =
        CommonOptions.SlidePattern("Regular expression that finds the slide or patient in a source's name [default: the name]");
    private static readonly Option<string> Output = CommonOptions.Output("Folder of the data set");
    private static readonly Option<double?> Mpp =
        CommonOptions.Above0("--output-mpp", "Pixel size of the tiles in micrometres [default: the source's, divided by --factor]");
    private static readonly Option<string> Factor = new("--factor")
    {
        Description = "Target pixels per source pixel, for super-resolution; auto: by the pixel sizes",
        HelpName = "N|auto",
        Validators = { CheckFactor },
        DefaultValueFactory = _ => "1",
    };
    private static readonly Option<double?> SourceMpp =
        CommonOptions.Above0("--source-mpp", "Pixel size of the sources in micrometres, if their metadata is missing or wrong");
    private static readonly Option<double?> TargetMpp =
        CommonOptions.Above0("--target-mpp", "Pixel size of the targets in micrometres, if their metadata is missing or wrong");
    private static readonly Option<int> Tile = new("--tile-size")
    {
        Description = "Tile size; of targets, with --factor",
        HelpName = "PX",
        DefaultValueFactory = _ => new TilingOptions().TileSize!.Value,
    };
    private static readonly TileOptions Tiles = new();
    private static readonly Option<StructureChannel?> Channel =
        Words.Optional<StructureChannel>("--channel", "Image that is compared [default: by the kind of the slides]");
    private static readonly Option<TransformModel> Model =
        Words.Option("--transform", "Transform model: fields of view use rigid or affine, whole slides nonrigid", TransformModel.Nonrigid);
    private static readonly Option<bool> Mirror = new("--mirror") { Description = "Also try mirrored targets" };
    private static readonly Option<bool> Aligned =
        new("--aligned") { Description = "The slides are aligned already; skip the registration" };
    private static readonly Option<string?> TransformFolder = new("--transforms")
    {
        Description = "Folder with transforms of pairs, such as those reviewed in the viewer; other pairs are registered",
        HelpName = "DIR",
    };
    private static readonly Option<string?> SourceTissue = new("--source-tissue")
    {
        Description = "Folder with the tissue of sources, NAME.geojson [default: tissue detection]",
        HelpName = "DIR",
    };
    private static readonly Option<string?> TargetTissue = new("--target-tissue")
    {
        Description = "Folder with the tissue of targets, NAME.geojson [default: tissue detection]",
        HelpName = "DIR",
    };
    private static readonly Option<double> Val = new("--val")
    { Description = "Share of the slides or patients for validation", HelpName = "SHARE", DefaultValueFactory = _ => 0 };
    private static readonly Option<double> Test = new("--test")
    { Description = "Share of the slides or patients for testing", HelpName = "SHARE", DefaultValueFactory = _ => 0 };
    private static readonly Option<ulong> Seed =
        new("--seed") { Description = "Random seed of the splits", HelpName = "N", DefaultValueFactory = _ => 0 };
    private static readonly Option<bool> AllowFailures = PairFailures.Option();
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        var command = new GroupedCommand("prepare", Description)
        {
            { "Input", Source, Target, Table, Match, SourceMpp, TargetMpp, SourceTissue, TargetTissue },
            { "Output", Output, Overwrite, AllowFailures },
            { "Registration", Model, Channel, Mirror, TransformFolder, Aligned },
            { "Tiling", Tile, Tiles.Stride, Mpp, Factor, Tiles.MinTissue, Tiles.MinNcc, Tiles.MaxResidual },
            { "Splits", SlidePattern, Val, Test, Seed },
            { "Tissue detection", TissueArguments.All },
            { "Computation", ThreadCount },
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        string folder = parse.GetRequiredValue(Output);
        PairManifest manifest = SlidePairs(parse);
        PreparationOptions options = Options(parse);
        try
        {
            PreparedDataset dataset = ProgressDisplay.Show("preparing", display => SlidePreparation.Run(manifest, folder, options,
                new DelegateProgress<PreparationProgress>(step => display.Report(step.Share, $"{step.Name}: {step.Step}")), cancel));
            AtomicFile.WriteText(Path.Combine(folder, "report.html"), PreparationReport.Text(Path.GetFileName(Path.GetFullPath(folder)),
                dataset.Pairs, options.Tiling, (name, ending) => SlidePreparation.PathOf(folder, name, ending)));
            return Report(dataset, options, parse.GetValue(AllowFailures));
        }
        catch (OperationCanceledException)
        {
            Terminal.Note("Stopped. The same command resumes.");
            return Errors.Cancelled;
        }
    }

    private static PairManifest SlidePairs(ParseResult parse)
    {
        string? table = parse.GetValue(Table);
        string[] sources = parse.GetValue(Source) ?? [], targets = parse.GetValue(Target) ?? [];
        if (table is null == (sources.Length + targets.Length == 0))
            throw new TinctorException(null, "no slides are given", "Give --source and --target, or --table");
        PairManifest manifest = table is null ? SlideMatching.Match(sources, targets, parse.GetValue(Match), parse.GetValue(SlidePattern))
            : SlideMatching.ReadTable(table, parse.GetValue(SlidePattern));
        if (manifest.HasOwnSplits) return manifest;
        (double val, double test) = (parse.GetValue(Val), parse.GetValue(Test));
        if (!(val >= 0 && test >= 0 && val + test < 1))
            throw new TinctorException(null, $"--val {val} and --test {test} must be 0 or more, and their sum below 1",
                "Use smaller shares");
        return manifest.SplitBySlide(val, test, parse.GetValue(Seed));
    }

    private static PreparationOptions Options(ParseResult parse) => new()
    {
        Registration = parse.GetValue(Aligned) ? null
            : new() { Transform = parse.GetValue(Model), Mirror = parse.GetValue(Mirror), Channel = parse.GetValue(Channel) },
        Tiling = Tiles.Read(parse) with
        {
            Mpp = parse.GetValue(Mpp),
            Factor = parse.GetRequiredValue(Factor) == "auto" ? null
                : int.Parse(parse.GetRequiredValue(Factor), CultureInfo.InvariantCulture),
            TileSize = parse.GetValue(Tile),
            Channel = parse.GetValue(Channel),
        },
        Tissue = TissueArguments.Of(parse),
        SourceTissueFolder = parse.GetValue(SourceTissue),
        TargetTissueFolder = parse.GetValue(TargetTissue),
        TransformFolder = parse.GetValue(TransformFolder),
        SourceMpp = parse.GetValue(SourceMpp),
        TargetMpp = parse.GetValue(TargetMpp),
        Overwrite = parse.GetValue(Overwrite),
    };

    private static int Report(PreparedDataset dataset, PreparationOptions options, bool allowFailures)
    {
        int earlier = dataset.Pairs.Count(pair => pair.IsFromEarlierCall);
        if (earlier > 0) ExistingResults.Note($"{earlier} of {dataset.Pairs.Count} pairs");
        PreparedPair[] used = [.. dataset.Pairs.Where(pair => pair.Failure is null)];
        string splits = string.Join(", ", used.GroupBy(pair => pair.Split)
            .Select(split => $"{split.Key} {split.Sum(pair => pair.Count(TileStatus.Kept))}"));
        Terminal.Result($"{dataset.Folder}: {dataset.Kept} of {dataset.Tiles} tiles kept ({splits}), "
            + $"{used.Length} of {dataset.Pairs.Count} pairs used; look at {Path.Combine(dataset.Folder, "report.html")}");
        if (dataset.Factor > 1 && dataset.Kept > 0)
        {
            int channels = Image.ReadInfo(PairManifest.Read(dataset.Folder).Pairs[0].Source).Channels;
            Terminal.Note($"Targets have {dataset.Factor} times the resolution of the sources: train with "
                + $"--set model.factor={dataset.Factor} --set model.input_channels={channels}.");
        }
        return PairFailures.Report(dataset, options, allowFailures);
    }

    private static void CheckFactor(OptionResult result)
    {
        if (result.Tokens is [var token] && token.Value != "auto"
            && !int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            result.AddError($"--factor {token.Value}: write a whole number, or auto");
    }
}
