using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tinctor.Data;
using Tinctor.Registration;
using Tinctor.Registration.Metrics;
using Tinctor.Registration.Pairs;
using Tinctor.Registration.Transforms;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor pair</c>: registers two stains of the same tissue and cuts them into aligned tiles with a manifest.</summary>
public static class PairCommand
{
    private static readonly Argument<string[]> Input = new("input")
    {
        Description = "A data folder or manifest of pairs, or two folders: sources and targets of the same names",
        Arity = new ArgumentArity(1, 2),
    };

    private static readonly Option<string> Out = new("--out", "-o")
    {
        Description = "Folder for source/, target/, manifest.csv and fields.csv (the transforms)",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<TransformModel> Transform = new("--transform")
    {
        Description = "What may differ between the two: translation, rigid or affine",
        DefaultValueFactory = _ => TransformModel.Translation,
    };

    private static readonly Option<StructureChannel?> Channel = new("--channel")
    {
        Description = "What is compared: grey (optical density), haematoxylin, or edges (inverse contrast). "
            + "Default: grey; edges where an image is not RGB",
    };

    private static readonly Option<bool> BySlide =
        new("--by-slide") { Description = "One transform for all fields of a slide: the median of theirs" };

    private static readonly Option<string?> Slide = new("--slide")
    {
        Description = "Regular expression that finds the slide in a file name: its first group, or all of it",
        HelpName = "REGEX",
    };

    private static readonly Option<string[]> TestSlides = new("--test-slides")
    {
        Description = "Slides for testing, as in 07,10; all others are for training",
        HelpName = "SLIDES",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string[]> ValSlides = new("--val-slides")
    {
        Description = "Slides for validation",
        HelpName = "SLIDES",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<double?> Test =
        new("--test") { Description = "Share of the slides for testing, chosen by their names", HelpName = "SHARE" };

    private static readonly Option<double?> Val =
        new("--val") { Description = "Share of the slides for validation, chosen by their names", HelpName = "SHARE" };

    private static readonly Option<int> Tile = new("--tile")
    {
        Description = "Side of a tile in pixels; 0 keeps each field's common area whole",
        HelpName = "PX",
        DefaultValueFactory = _ => 256,
    };

    private static readonly Option<int?> Stride =
        new("--stride") { Description = "Pixels from tile to tile. Default: the tile's side", HelpName = "PX" };

    private static readonly Option<double> MinTissue = new("--min-tissue")
    {
        Description = "Tiles with a smaller share of tissue are not written",
        HelpName = "SHARE",
        DefaultValueFactory = _ => new TilingOptions().MinTissue,
    };

    private static readonly Option<double> MinNcc = new("--min-ncc")
    {
        Description = "Tiles that correlate less are marked as not kept",
        HelpName = "NCC",
        DefaultValueFactory = _ => new TilingOptions().MinNcc,
    };

    private static readonly Option<double> MaxResidual = new("--max-residual")
    {
        Description = "Tiles that are still shifted by more are marked as not kept",
        HelpName = "PX",
        DefaultValueFactory = _ => new TilingOptions().MaxResidual,
    };

    private static readonly Option<double> MaxShift = new("--max-shift")
    {
        Description = "Largest shift as a share of the image's side",
        HelpName = "SHARE",
        DefaultValueFactory = _ => new RegistrationOptions().MaxShift,
    };

    private static readonly Option<double> MaxRotation = new("--max-rotation")
    {
        Description = "Largest rotation to look for, in degrees (rigid, affine)",
        HelpName = "DEG",
        DefaultValueFactory = _ => new RegistrationOptions().MaxRotation,
    };

    private static readonly Option<bool> Reverse = new("--reverse") { Description = "Exchange source and target" };

    private static readonly Option<bool> Force = new("--force") { Description = "Replace earlier tiles in the output folder" };

    /// <summary>The command, for the root command.</summary>
    public static Command Create()
    {
        var command = new Command("pair", """
            Register two stains of the same tissue, cut and score aligned tiles, write a manifest that `tinctor train` reads.

            Examples:
              tinctor pair aperio hamamatsu -o pairs --slide "^\d\d" --test-slides 07,10 --tile 240
              tinctor pair restained/ -o pairs --transform affine --channel haematoxylin
              tinctor pair manifest.csv -o pairs --tile 512 --stride 256 --min-ncc 0.3
            """)
        {
            Input, Out, Transform, Channel, BySlide, Slide, TestSlides, ValSlides, Test, Val,
            Tile, Stride, MinTissue, MinNcc, MaxResidual, MaxShift, MaxRotation, Reverse, Force,
        };
        command.SetAction((parse, cancel) => Task.Run(() => Execute(parse, AnsiConsole.Console, cancel), cancel));
        return command;
    }

    private static int Execute(ParseResult parse, IAnsiConsole console, CancellationToken cancel)
    {
        PairManifest manifest = ReadManifest(parse);
        console.WriteLine(manifest.Describe());
        PreparationOptions options = Options(parse);
        string folder = parse.GetRequiredValue(Out);
        PreparedDataset dataset = console.Progress().Start(context =>
        {
            ProgressTask task = context.AddTask("registering", maxValue: 1);
            var progress = new StepProgress(step => (task.Value, task.Description) = (step.Share, step.Step));
            return FieldPreparation.Run(manifest, folder, options, progress, cancel);
        });
        Report(console, dataset);
        dataset.RequireTiles(options);
        return 0;
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
        Overwrite = parse.GetValue(Force),
        Tiling = new()
        {
            TileSize = parse.GetValue(Tile) == 0 ? null : parse.GetValue(Tile),
            Stride = parse.GetValue(Stride),
            MinTissue = parse.GetValue(MinTissue),
            MinNcc = parse.GetValue(MinNcc),
            MaxResidual = parse.GetValue(MaxResidual),
            Channel = parse.GetValue(Channel),
        },
    };

    private static void Report(IAnsiConsole console, PreparedDataset dataset)
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
        console.Write(table);
        if (dataset.Slides.Count > shown) console.WriteLine($"and {dataset.Slides.Count - shown} more");
        string counts = string.Join(", ", dataset.Pairs.GroupBy(pair => pair.Split)
            .Select(split => $"{split.Key} {split.Sum(pair => pair.Count(TileStatus.Kept))}"));
        console.WriteLine($"{dataset.Folder}: {dataset.Kept} of {dataset.Tiles} tiles kept ({counts}), "
            + $"{dataset.Slides.Count(slide => !slide.Passed)} of {dataset.Slides.Count} slides failed the check");
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
