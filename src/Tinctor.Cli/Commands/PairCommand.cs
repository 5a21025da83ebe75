using System.CommandLine;
using System.Globalization;
using System.Text;
using Spectre.Console;
using Tinctor.Data;
using Tinctor.Registration;
using Tinctor.Slides;
using Tinctor.Training.Loading;

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

    private static readonly Option<TransformKind> Transform = new("--transform")
    {
        Description = "What may differ between the two: translation, rigid or affine",
        DefaultValueFactory = _ => TransformKind.Translation,
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
        PairVerification.Check(manifest.Pairs, factor: null, cancel: cancel);
        TilingOptions options = Options(parse, manifest.Pairs);
        string folder = parse.GetRequiredValue(Out);
        Prepare(folder, parse.GetValue(Force));

        Dictionary<StainedField, Pair> fields = Fields(manifest.Pairs);
        TilingResult result = console.Progress().Start(context =>
        {
            ProgressTask task = context.AddTask("registering", maxValue: 1);
            return PairTiling.Write([.. fields.Keys], folder, options, new TaskProgress(task), cancel);
        });
        IReadOnlyList<RegisteredTile> tiles = result.Tiles;
        WriteFields(Path.Combine(folder, "fields.csv"), result.Fields);
        ManifestFile.Write(Path.Combine(folder, "manifest.csv"),
            [.. tiles.Select(tile => fields[tile.Field] with { Source = tile.Source, Target = tile.Target, Layout = PairLayout.TwoFiles })],
            ("ncc", [.. tiles.Select(tile => Number(tile.Ncc, "0.0000"))]),
            ("residual_px", [.. tiles.Select(tile => Number(tile.Residual, "0.00"))]),
            ("kept", [.. tiles.Select(tile => tile.Kept ? "1" : "0")]));
        Report(console, folder, result, fields);
        return tiles.Any(tile => tile.Kept) ? 0
            : throw new TinctorException($"{folder}: no tile was good enough; look at the table, "
                + "try --transform affine or another --channel");
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

    private static TilingOptions Options(ParseResult parse, IReadOnlyList<Pair> pairs)
    {
        bool rgb = pairs[0].Files.All(file => Image.ReadInfo(file).Channels == 3);
        var options = new TilingOptions
        {
            Registration = new()
            {
                Transform = parse.GetValue(Transform),
                Channel = parse.GetValue(Channel) ?? (rgb ? StructureChannel.Grey : StructureChannel.Edges),
                MaxShift = parse.GetValue(MaxShift),
                MaxRotation = parse.GetValue(MaxRotation),
            },
            BySlide = parse.GetValue(BySlide),
            Tile = parse.GetValue(Tile) == 0 ? null : parse.GetValue(Tile),
            Stride = parse.GetValue(Stride),
            MinTissue = parse.GetValue(MinTissue),
            MinNcc = parse.GetValue(MinNcc),
            MaxResidual = parse.GetValue(MaxResidual),
        };
        if (options.BySlide && pairs.Any(pair => pair.SlideId.Length == 0))
            throw new TinctorException("--by-slide: the slides are not known; add --slide REGEX, or a slide_id column to the manifest");
        try
        {
            options.Validate();
        }
        catch (ArgumentException error)
        {
            throw new TinctorException(error.Message, error);
        }
        return options;
    }

    private static void Prepare(string folder, bool replace)
    {
        string[] names = ["source", "target", "fields.csv", "manifest.csv"];
        string[] earlier = [.. names.Select(name => Path.Combine(folder, name)).Where(Path.Exists)];
        if (earlier.Length > 0 && !replace)
            throw new IOException($"{folder}: holds tiles already; choose another folder, or replace them with --force");
        foreach (string path in earlier)
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            else File.Delete(path);
        }
    }

    // Fields are named after their source files, and after their splits too where that alone is ambiguous.
    private static Dictionary<StainedField, Pair> Fields(IReadOnlyList<Pair> pairs)
    {
        bool unique = pairs.DistinctBy(pair => pair.Name).Count() == pairs.Count;
        var fields = new Dictionary<StainedField, Pair>();
        var names = new HashSet<string>();
        foreach (Pair pair in pairs)
        {
            string name = unique ? pair.Name : $"{pair.Split}_{pair.Name}";
            for (int copy = 2; !names.Add(name); copy++) name = $"{pair.Split}_{pair.Name}-{copy}";
            fields.Add(new(name, pair.SlideId, () => PairedDataset.ReadPair(pair)), pair);
        }
        return fields;
    }

    private static void Report(IAnsiConsole console, string folder, TilingResult result,
        Dictionary<StainedField, Pair> fields)
    {
        const int shown = 40;
        (IReadOnlyList<RegisteredTile> tiles, _, IReadOnlyList<SlideQuality> slides) = result;
        var table = new Table { Border = TableBorder.Simple };
        foreach (string heading in (string[])["slide", "fields", "shift x, y", "spread", "NCC", "kept", "glass", "check"])
            table.AddColumn(heading, column => column.NoWrap().PadLeft(0).PadRight(1));
        // The failed ones come first where not all can be shown.
        IEnumerable<SlideQuality> rows = slides.OrderBy(slide => slide.Passed).Take(shown);
        foreach (SlideQuality slide in rows.OrderBy(slide => slide.SlideId, StringComparer.Ordinal))
        {
            table.AddRow(Markup.Escape(slide.SlideId), $"{slide.Fields}",
                $"{Number(slide.ShiftX, "0.00")}, {Number(slide.ShiftY, "0.00")}", Number(slide.Spread, "0.00"),
                $"{Number(slide.NccBefore, "0.000")} > {Number(slide.NccAfter, "0.000")}",
                $"{slide.Kept}/{slide.Kept + slide.Rejected}", $"{slide.Background}",
                slide.Passed ? "[green]pass[/]" : "[red]fail[/]");
        }
        console.Write(table);
        if (slides.Count > shown) console.WriteLine($"and {slides.Count - shown} more");
        var splits = tiles.Where(tile => tile.Kept).CountBy(tile => fields[tile.Field].Split);
        string counts = string.Join(", ", splits.Select(split => $"{split.Key} {split.Value}"));
        console.WriteLine($"{folder}: {tiles.Count(tile => tile.Kept)} of {tiles.Count} tiles kept ({counts}), "
            + $"{slides.Count(slide => !slide.Passed)} of {slides.Count} slides failed the check");
    }

    // Transforms from source to target pixels, for whoever wants to know or to redo it.
    private static void WriteFields(string path, IReadOnlyList<RegisteredField> fields)
    {
        var text = new StringBuilder("field,slide_id,xx,xy,x0,yx,yy,y0,ncc_before,ncc_after\n");
        foreach ((StainedField field, AffineTransform t, double before, double after) in fields)
        {
            double[] numbers = [t.Xx, t.Xy, t.X0, t.Yx, t.Yy, t.Y0, before, after];
            string row = string.Join(',', numbers.Select(number => Number(number, "0.######")));
            text.Append(CultureInfo.InvariantCulture, $"\"{field.Name}\",\"{field.SlideId}\",{row}\n");
        }
        AtomicFile.WriteText(path, text.ToString());
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
