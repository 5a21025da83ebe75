using System.CommandLine;
using Spectre.Console;
using Tinctor.Slides;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor convert</c>: a slide into another format, resolution or part of it.</summary>
internal static class ConvertCommand
{
    private const string Description = """
        Write a slide, or a part of it, in another format: pyramidal OME-TIFF or TIFF, Deep Zoom, PNG or JPEG. It streams: memory grows
        with the slide's width alone.

        Examples:
          tinctor convert slide.svs -o slide.ome.tif                          JPEG tiles of quality 90
          tinctor convert slide.ndpi -o slide.ome.tif --lossless
          tinctor convert slide.svs -o slide.dzi                              for web viewers, with its tiles in slide_files/
          tinctor convert slide.svs -o small.ome.tif --mpp 1                  at 1 micrometre per pixel
          tinctor convert slide.svs -o detail.png --region 12000,8000,2048,2048
          tinctor convert scan.tif -o scan.ome.tif --source-mpp 0.25          the file does not tell, or is wrong
        """;

    private const int OverviewSide = 1024;

    private static readonly Argument<string> Source = new("slide") { Description = "The slide or image" };
    private static readonly Option<string> Out = new("--out", "-o")
    {
        Description = "The file to write: .ome.tif, .tif, .dzi, .png or .jpg",
        HelpName = "FILE",
        Required = true,
    };
    private static readonly Option<double?> Mpp =
        AboveZero.Option("--mpp", "Micrometres per pixel of what is written");
    private static readonly Option<double?> Downsample =
        AboveZero.Option("--downsample", "Pixels of the slide to one that is written, instead of --mpp", "N");
    private static readonly Option<double?> SourceMpp =
        AboveZero.Option("--source-mpp", "Micrometres per pixel of the slide, where the file does not tell or is wrong");
    private static readonly Option<int[]?> Region = new("--region")
    {
        Description = "The part to write: left, upper edge, width and height in pixels of the slide",
        HelpName = "X,Y,W,H",
        CustomParser = result => result.Tokens is [var token]
            ? token.Value.Split(',').Select(part => int.TryParse(part, out int value) ? value : -1).ToArray() : null,
    };
    private static readonly Option<bool> Lossless = new("--lossless") { Description = "Keep every pixel as it is; larger" };
    private static readonly Option<int> Quality = ImageJobs.Quality();
    private static readonly Option<int> Tile =
        new("--tile") { Description = "Side of a TIFF's tiles, a multiple of 16", DefaultValueFactory = _ => 512, HelpName = "PIXELS" };

    public static Command Create()
    {
        Region.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int[]?>() is not (null or [>= 0, >= 0, > 0, > 0])) result.AddError("--region takes four whole numbers: X,Y,W,H.");
        });
        Tile.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is not (>= 16 and <= 4096 and int side) || side % 16 != 0)
                result.AddError("--tile is a multiple of 16 up to 4096.");
        });
        var command = new Command("convert", Description) { Source, Out, Mpp, Downsample, SourceMpp, Region, Lossless, Quality, Tile };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Mpp) is not null && result.GetValue(Downsample) is not null) result.AddError("Give --mpp or --downsample.");
        });
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string path = parse.GetRequiredValue(Source), output = parse.GetRequiredValue(Out);
        if (Path.GetFullPath(path) == Path.GetFullPath(output)) throw new TinctorException($"{output}: would be written over itself; choose another name");
        using var slide = Slide.Open(path, parse.GetValue(SourceMpp));
        double downsample = DownsampleOf(slide, parse);
        (int x, int y, int width, int height) = Part(slide, parse.GetValue(Region), downsample);
        var spec = new SlideSpec(width, height, slide.Channels, slide.SampleType)
        {
            Mpp = slide.Mpp * downsample,
            Name = Path.GetFileNameWithoutExtension(path),
            JpegQuality = parse.GetValue(Lossless) || output.EndsWith(".png", StringComparison.OrdinalIgnoreCase) ? null : parse.GetValue(Quality),
            Tile = parse.GetValue(Tile),
            IccProfile = slide.ReadIccProfile(),
            ChannelInfo = slide.IsRgb ? [] : SlideChannel.WithRanges(slide.ChannelInfo, slide.Thumbnail(OverviewSide)),
        };
        SlideWriter.Refuse(output, spec);
        foreach (string note in Notes(slide, output, spec, downsample)) Console.WriteLine($"{path}: {note}");
        Console.WriteLine($"{output}: {spec}");
        Write(slide, output, spec, downsample, (x, y), cancel);
        return 0;
    }

    private static IEnumerable<string> Notes(Slide slide, string output, SlideSpec spec, double downsample)
    {
        foreach (string note in slide.Notes) yield return note;
        if (slide.Mpp is null) yield return "micrometres per pixel are not known and not written; --source-mpp gives them";
        if (slide.EnlargementNote(downsample) is string enlarged) yield return enlarged;
        if (spec.IccProfile is byte[] profile)
            yield return SlideWriter.KeepsIccProfile(output) ? $"the ICC profile ({profile.Length} bytes) is copied; colours are not converted"
                : "the ICC profile is not kept, as Deep Zoom has no place for it";
        if (spec.ChannelInfo.Any(channel => channel.Name.Length > 0) && !Path.GetFileNameWithoutExtension(output).EndsWith(".ome", StringComparison.OrdinalIgnoreCase))
            yield return "names and colours of channels are kept in .ome.tif only";
    }

    private static double DownsampleOf(Slide slide, ParseResult parse)
    {
        if (parse.GetValue(Mpp) is not double mpp) return parse.GetValue(Downsample) ?? 1;
        return slide.Mpp is double own ? mpp / own
            : throw new TinctorException($"{slide.Path}: micrometres per pixel are not known; give them with --source-mpp, or --downsample instead of --mpp");
    }

    // The part that is written, in its own pixels.
    private static (int X, int Y, int Width, int Height) Part(Slide slide, int[]? region, double downsample)
    {
        if (region is not [int left, int top, int across, int down])
        {
            (int width, int height) = slide.SizeAt(downsample);
            return (0, 0, width, height);
        }
        slide.RequireInside(new(left, top, across, down));
        return (Scaled(left), Scaled(top), Math.Max(1, Scaled(across)), Math.Max(1, Scaled(down)));

        int Scaled(int pixels) => (int)Math.Round(pixels / downsample);
    }

    private static void Write(Slide slide, string output, SlideSpec spec, double downsample, (int X, int Y) corner, CancellationToken cancel) =>
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask("writing", maxValue: spec.Tiles.Count());
                SlideWriter.Write(output, spec, slide.ReadTiles(downsample, corner.X, corner.Y, spec).Select(tile =>
                {
                    cancel.ThrowIfCancellationRequested();
                    task.Increment(1);
                    return tile;
                }));
            });
}
