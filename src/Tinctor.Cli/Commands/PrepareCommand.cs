using System.CommandLine;
using System.Globalization;
using System.Text;
using Spectre.Console;
using Tinctor.Data;
using Tinctor.Evaluation.Report;
using Tinctor.Registration;
using Tinctor.Registration.Pairs;
using Tinctor.Registration.Sections;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor prepare</c>: makes a data set of pairs of whole slides.</summary>
internal static class PrepareCommand
{
    private const string Description = """
        Make a data set for `tinctor train` of pairs of slides: register each pair, cut tiles where both have tissue, keep those that lie on
        each other, split by slide or patient. Writes source/, target/, manifest.csv, dropped.csv and report.html. Pairs that are done are
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
        DefaultValueFactory = _ => new SlideTilingOptions().Tile,
    };
    private static readonly Option<int?> Stride =
        new("--stride") { Description = "Pixels from tile to tile. Default: the tile's side", HelpName = "PX" };
    private static readonly Option<double> MinTissue = new("--min-tissue")
    {
        Description = "Least share of tissue, in source and target",
        HelpName = "SHARE",
        DefaultValueFactory = _ => new SlideTilingOptions().MinTissue,
    };
    private static readonly Option<double> MinNcc = new("--min-ncc")
    {
        Description = "Tiles that correlate less are dropped",
        HelpName = "NCC",
        DefaultValueFactory = _ => new SlideTilingOptions().MinNcc,
    };
    private static readonly Option<double> MaxResidual = new("--max-residual")
    {
        Description = "Tiles that are still shifted by more are dropped",
        HelpName = "PX",
        DefaultValueFactory = _ => new SlideTilingOptions().MaxResidual,
    };
    private static readonly Option<StructureChannel?> Channel = new("--channel")
    {
        Description = "What is compared: grey (optical density), haematoxylin, or edges (inverse contrast). Default: by what the slides are",
    };
    private static readonly Option<SectionModel> Model = new("--transform")
    {
        Description = "What may differ between the two: rigid, affine or nonrigid",
        DefaultValueFactory = _ => SectionModel.Nonrigid,
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
        SlidePair[] pairs = [.. Named(manifest.Pairs).Zip(manifest.Pairs, (name, pair) => new SlidePair(name, pair.Source, pair.Target!,
            Annotated(parse.GetValue(SourceTissue), pair.Source), Annotated(parse.GetValue(TargetTissue), pair.Target!)))];
        foreach (SlidePair pair in pairs)
        {
            if (parse.GetValue(Overwrite)) PairPreparation.Delete(folder, pair.Name);
            else PairPreparation.Done(pair, folder, options); // refuses those of other settings before anything is done
        }
        try
        {
            ReportedPair[] prepared = Prepare(pairs, manifest.Pairs, folder, options, cancel);
            Write(folder, prepared, manifest.Pairs, options);
            return Report(folder, prepared, parse.GetValue(AllowFailures));
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
        PairManifest manifest = table is null ? SlidePairing.Of(sources, targets, parse.GetValue(Match), parse.GetValue(SlideOf))
            : SlidePairing.OfTable(table, parse.GetValue(SlideOf));
        if (manifest.HasOwnSplits) return manifest;
        (double val, double test) = (parse.GetValue(Val), parse.GetValue(Test));
        if (!(val >= 0 && test >= 0 && val + test < 1))
            throw new TinctorException("--val and --test: must not be below 0, and together below 1");
        return manifest.SplitBySlide(val, test, parse.GetValue(Seed));
    }

    private static PreparationOptions Options(ParseResult parse)
    {
        var options = new PreparationOptions
        {
            Registration = parse.GetValue(Aligned) ? null
                : new() { Model = parse.GetValue(Model), Mirror = parse.GetValue(Mirror), Channel = parse.GetValue(Channel) },
            Tiling = new()
            {
                Mpp = parse.GetValue(Mpp),
                Tile = parse.GetValue(Tile),
                Stride = parse.GetValue(Stride),
                MinTissue = parse.GetValue(MinTissue),
                MinNcc = parse.GetValue(MinNcc),
                MaxResidual = parse.GetValue(MaxResidual),
                Channel = parse.GetValue(Channel),
            },
            Tissue = TissueArguments.Of(parse),
            SourceMpp = parse.GetValue(SourceMpp),
            TargetMpp = parse.GetValue(TargetMpp),
        };
        try
        {
            options.Tiling.Validate();
        }
        catch (ArgumentException error)
        {
            throw new TinctorException(error.Message, error);
        }
        return options;
    }

    // After the sources; after the targets too where that alone is ambiguous.
    private static string[] Named(IReadOnlyList<Pair> pairs)
    {
        string[] names = [.. pairs.Select(pair => SlidePairing.NameOf(pair.Source))];
        if (names.Distinct().Count() < names.Length)
            names = [.. names.Zip(pairs, (name, pair) => $"{name}_{SlidePairing.NameOf(pair.Target!)}")];
        return names.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is not { } twice ? names
            : throw new TinctorException($"two pairs would both be called {twice.Key}; rename slides, or list each pair once");
    }

    private static string? Annotated(string? folder, string slide) =>
        folder is not null && Path.Combine(folder, SlidePairing.NameOf(slide) + ".geojson") is var path && File.Exists(path) ? path : null;

    private static ReportedPair[] Prepare(SlidePair[] pairs, IReadOnlyList<Pair> slides, string folder, PreparationOptions options,
        CancellationToken cancel) =>
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask("preparing", maxValue: pairs.Length);
                return pairs.Select((pair, i) =>
                {
                    cancel.ThrowIfCancellationRequested();
                    ReportedPair prepared = Try(pair, slides[i], folder, options, (doing, share) =>
                    {
                        task.Description = Markup.Escape($"{i + 1}/{pairs.Length} {pair.Name}: {doing}");
                        task.Value = i + share;
                    }, cancel);
                    task.Value = i + 1;
                    return prepared;
                }).ToArray();
            });

    private static ReportedPair Try(SlidePair pair, Pair slides, string folder, PreparationOptions options, Action<string, double> progress,
        CancellationToken cancel)
    {
        try
        {
            PreparedPair prepared = PairPreparation.Prepare(pair, folder, options, progress, cancel);
            return new(pair.Name, slides.SlideId, slides.Split, prepared, prepared.Passed ? null : string.Join("; ", prepared.Reasons));
        }
        catch (Exception error) when (Cause(error) is TinctorException or FileNotFoundException or EndOfStreamException)
        {
            return new(pair.Name, slides.SlideId, slides.Split, null, Cause(error).Message);
        }
    }

    // Work on several threads wraps what went wrong; the first is enough.
    private static Exception Cause(Exception error) => error is AggregateException { InnerExceptions: [Exception first, ..] } ? first : error;

    private static void Write(string folder, ReportedPair[] prepared, IReadOnlyList<Pair> slides, PreparationOptions options)
    {
        (PreparedPair Pair, SlideTile Tile, Pair Row)[] kept = [.. prepared.SelectMany((pair, i) => Tiles(pair, tile => tile.Fate == TileFate.Kept)
            .Select(tile => (pair.Pair!, tile, Row(pair, tile, slides[i].Label, folder))))];
        (string, IReadOnlyList<string>) Column(string name, Func<SlideTile, object?> value) =>
            (name, [.. kept.Select(one => Text(value(one.Tile)))]);
        ManifestFile.Write(Path.Combine(folder, "manifest.csv"), [.. kept.Select(one => one.Row)],
            ("pair", [.. kept.Select(one => one.Pair.Name)]), Column("x", tile => tile.X), Column("y", tile => tile.Y),
            Column("source_tissue", tile => tile.SourceTissue), Column("target_tissue", tile => tile.TargetTissue),
            Column("ncc", tile => tile.Ncc), Column("residual_px", tile => tile.Residual));
        WriteDropped(Path.Combine(folder, "dropped.csv"), prepared);
        string title = Path.GetFileName(Path.GetFullPath(folder));
        AtomicFile.WriteText(Path.Combine(folder, "report.html"), PreparationReport.Text(title, prepared, options.Tiling,
            (name, what) => PairPreparation.FileOf(folder, name, what)));
    }

    private static IEnumerable<SlideTile> Tiles(ReportedPair pair, Func<SlideTile, bool> condition) =>
        pair.Failure is null ? pair.Pair!.Tiles.Where(condition) : [];

    private static Pair Row(ReportedPair pair, SlideTile tile, string? label, string folder)
    {
        (string source, string target) = pair.Pair!.FilesOf(folder, tile);
        return new(source, target, pair.Split, label, pair.SlideId, PairLayout.TwoFiles) { Mpp = pair.Pair.Mpp };
    }

    private static void WriteDropped(string path, ReportedPair[] prepared)
    {
        var text = new StringBuilder("pair,x,y,reason,source_tissue,target_tissue,ncc,residual_px\n");
        foreach (ReportedPair pair in prepared)
        {
            foreach (SlideTile tile in Tiles(pair, tile => tile.Fate != TileFate.Kept))
            {
                string reason = tile.Fate.ToString().ToLowerInvariant();
                object?[] values = [tile.X, tile.Y, reason, tile.SourceTissue, tile.TargetTissue, tile.Ncc, tile.Residual];
                text.Append(CultureInfo.InvariantCulture, $"\"{pair.Name}\",{string.Join(',', values.Select(Text))}\n");
            }
        }
        AtomicFile.WriteText(path, text.ToString());
    }

    private static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    private static int Report(string folder, ReportedPair[] prepared, bool allowFailures)
    {
        ReportedPair[] used = [.. prepared.Where(pair => pair.Failure is null)];
        int Kept(IEnumerable<ReportedPair> pairs) => pairs.Sum(pair => pair.Pair!.Count(TileFate.Kept));
        string splits = string.Join(", ", used.GroupBy(pair => pair.Split).Select(split => $"{split.Key} {Kept(split)}"));
        Console.WriteLine($"{folder}: {Kept(used)} of {used.Sum(pair => pair.Pair!.Tiles.Count)} tiles kept ({splits}), "
            + $"{used.Length} of {prepared.Length} pairs used; look at {Path.Combine(folder, "report.html")}");
        foreach (ReportedPair pair in prepared.Where(pair => pair.Failure is not null))
            Console.Error.WriteLine($"{(allowFailures ? "warning" : "error")}: {pair.Name}: left out: {pair.Failure}");
        if (Kept(used) == 0)
            throw new TinctorException($"{folder}: no tile was good enough; look at its report.html, and try --min-ncc or --min-tissue");
        return used.Length == prepared.Length || allowFailures ? 0 : 1;
    }
}
