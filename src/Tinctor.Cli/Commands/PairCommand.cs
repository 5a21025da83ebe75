using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tinctor.Data;
using Tinctor.Registration;
using Tinctor.Registration.Metrics;
using Tinctor.Registration.Pairs;
using Tinctor.Transforms;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor pair</c>: registers two stains of the same tissue and cuts them into aligned tiles with a manifest.</summary>
public static class PairCommand
{
    private const string Description = """
        Register two stains of the same fields, cut and score aligned tiles, and write a manifest for 'tinctor train'. A field that cannot
        be read or is too small is left out, with the reason.

        Examples:
          tinctor pair aperio hamamatsu -o pairs --slide-pattern "^\d\d" --test-slides 07,10 --tile-size 240
          tinctor pair restained/ -o pairs --transform affine --channel haematoxylin
          tinctor pair manifest.csv -o pairs --tile-size 512 --stride 256 --min-ncc 0.3
        """;

    private static readonly Argument<string[]> Input = new("input")
    {
        Description = "Folder or manifest of pairs, or two folders: sources and targets with the same names",
        Arity = new ArgumentArity(1, 2),
    };
    private static readonly Option<string> Output =
        CommonOptions.Output("Folder for source/, target/, manifest.csv and fields.csv (the transforms)");
    private static readonly Option<TransformModel> Transform = Words.Option("--transform", "Transform model", TransformModel.Translation);
    private static readonly Option<StructureChannel?> Channel =
        Words.Optional<StructureChannel>("--channel", "Image that is compared [default: grey; edges if an image is not RGB]");
    private static readonly Option<bool> BySlide =
        new("--by-slide") { Description = "Use one transform for all fields of a slide: the median of theirs" };
    private static readonly Option<string?> Slide = CommonOptions.SlidePattern();
    private static readonly Option<string[]> TestSlides = new("--test-slides")
    {
        Description = "Slides of the test split, as in 07,10",
        HelpName = "ID,ID",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string[]> ValSlides = new("--val-slides")
    {
        Description = "Slides of the validation split",
        HelpName = "ID,ID",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<double?> Test =
        new("--test") { Description = "Share of the slides for testing, chosen by their ids", HelpName = "SHARE" };
    private static readonly Option<double?> Val =
        new("--val") { Description = "Share of the slides for validation, chosen by their ids", HelpName = "SHARE" };
    private static readonly Option<int> Tile = new("--tile-size")
    {
        Description = "Tile size; 0 keeps the whole common area of each field",
        HelpName = "PX",
        DefaultValueFactory = _ => 256,
    };
    private static readonly TileOptions Tiles = new();
    private static readonly Option<double> MaxShift = new("--max-shift")
    {
        Description = "Largest shift that is searched, as a share of the image's side",
        HelpName = "SHARE",
        DefaultValueFactory = _ => new RegistrationOptions().MaxShift,
    };
    private static readonly Option<double> MaxRotation = new("--max-rotation")
    {
        Description = "Largest rotation that is searched (rigid, affine)",
        HelpName = "DEG",
        DefaultValueFactory = _ => new RegistrationOptions().MaxRotation,
    };
    private static readonly Option<bool> Reverse = new("--reverse") { Description = "Exchange source and target" };
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();
    private static readonly Option<bool> AllowFailures = PairFailures.Option();

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var command = new GroupedCommand("pair", Description)
        {
            Input,
            { "Input", Reverse },
            { "Output", Output, Overwrite, AllowFailures },
            { "Registration", Transform, Channel, BySlide, MaxShift, MaxRotation },
            { "Tiling", Tile, Tiles.Stride, Tiles.MinTissue, Tiles.MinNcc, Tiles.MaxResidual },
            { "Splits", Slide, TestSlides, ValSlides, Test, Val },
        };
        command.SetAction((parse, cancel) => Task.Run(() => Execute(parse, cancel), cancel));
        return command;
    }

    private static int Execute(ParseResult parse, CancellationToken cancel)
    {
        PairManifest manifest = ReadManifest(parse);
        Terminal.Note(manifest.Describe());
        PreparationOptions options = Options(parse);
        string folder = parse.GetRequiredValue(Output);
        if (ExistingResults.Keep(Path.Combine(folder, "manifest.csv"), options.Overwrite)) return 0;
        PreparedDataset dataset = ProgressDisplay.Show("registering",
            display => FieldPreparation.Run(manifest, folder, options,
                new DelegateProgress<PreparationProgress>(step => display.Report(step.Share, step.Step)), cancel));
        Report(dataset);
        return PairFailures.Report(dataset, options, parse.GetValue(AllowFailures));
    }

    private static PairManifest ReadManifest(ParseResult parse)
    {
        string[] inputs = parse.GetRequiredValue(Input);
        string? slide = parse.GetValue(Slide);
        PairManifest manifest = inputs.Length == 2 ? PairManifest.ReadTwoFolders(inputs[0], inputs[1], slide)
            : PairManifest.Read(inputs[0], slide);
        if (parse.GetValue(Reverse)) manifest = manifest.Reverse();
        (string[] test, string[] val) = (Names(parse.GetValue(TestSlides)), Names(parse.GetValue(ValSlides)));
        if (test.Length + val.Length > 0) return manifest.SplitBySlide(val, test);
        return parse.GetValue(Test) is null && parse.GetValue(Val) is null ? manifest
            : manifest.SplitBySlide(parse.GetValue(Val) ?? 0, parse.GetValue(Test) ?? 0);
    }

    private static string[] Names(string[]? values) =>
        [.. (values ?? []).SelectMany(value => value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];

    private static PreparationOptions Options(ParseResult parse) => new()
    {
        Registration = new()
        {
            Transform = parse.GetValue(Transform),
            Channel = parse.GetValue(Channel),
            MaxShift = parse.GetValue(MaxShift),
            MaxRotation = parse.GetValue(MaxRotation),
        },
        TransformPerSlide = parse.GetValue(BySlide),
        Overwrite = parse.GetValue(Overwrite),
        Tiling = Tiles.Read(parse) with
        {
            TileSize = parse.GetValue(Tile) == 0 ? null : parse.GetValue(Tile),
            Channel = parse.GetValue(Channel),
        },
    };

    private static void Report(PreparedDataset dataset)
    {
        const int shown = 40;
        var table = new Table { Border = TableBorder.Simple };
        foreach (string heading in (string[])["slide", "fields", "shift x, y", "spread", "NCC", "kept", "background", "check"])
            table.AddColumn(heading, column => column.NoWrap().PadLeft(0).PadRight(1));
        // Failed slides come first if not all are shown.
        IEnumerable<SlideSummary> rows = dataset.Slides.OrderBy(slide => slide.Passed).Take(shown);
        foreach (SlideSummary slide in rows.OrderBy(slide => slide.SlideId, StringComparer.Ordinal))
        {
            table.AddRow(Markup.Escape(slide.SlideId), $"{slide.Fields}",
                $"{Number(slide.ShiftX, "0.00")}, {Number(slide.ShiftY, "0.00")}", Number(slide.Spread, "0.00"),
                $"{Number(slide.NccBefore, "0.000")} > {Number(slide.NccAfter, "0.000")}",
                $"{slide.Kept}/{slide.Kept + slide.Rejected}", $"{slide.Background}",
                slide.Passed ? "[green]pass[/]" : "[red]fail[/]");
        }
        Terminal.Results.Write(table);
        if (dataset.Slides.Count > shown) Terminal.Result($"and {dataset.Slides.Count - shown} more");
        string counts = string.Join(", ", dataset.Pairs.GroupBy(pair => pair.Split)
            .Select(split => $"{split.Key} {split.Sum(pair => pair.Count(TileStatus.Kept))}"));
        int used = dataset.Pairs.Count(pair => pair.Failure is null);
        Terminal.Result($"{dataset.Folder}: {dataset.Kept} of {dataset.Tiles} tiles kept ({counts}), "
            + $"{used} of {dataset.Pairs.Count} fields used, "
            + $"{dataset.Slides.Count(slide => !slide.Passed)} of {dataset.Slides.Count} slides failed the check");
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
