using System.CommandLine;
using Tinctor.Slides;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor convert</c>: writes a slide or a region of it in another format or resolution.</summary>
internal static class ConvertCommand
{
    private const string Description = """
        Write a slide, or a region of it, in another format: pyramidal OME-TIFF or TIFF, Deep Zoom, PNG or JPEG. The slide is streamed:
        memory use does not grow with its height.

        Examples:
          tinctor convert slide.svs -o slide.ome.tif                          JPEG tiles of quality 90
          tinctor convert slide.ndpi -o slide.ome.tif --lossless
          tinctor convert slide.svs -o slide.dzi                              for web viewers; tiles go into slide_files/
          tinctor convert slide.svs -o small.ome.tif --output-mpp 1           at 1 micrometre per pixel
          tinctor convert slide.svs -o detail.png --region 12000,8000,2048,2048
          tinctor convert slide.svs -o slide.ome.tif --icc convert            colours as sRGB, by the profile of the scanner
          tinctor convert scan.tif -o scan.ome.tif --slide-mpp 0.25           metadata missing or wrong
        """;

    private const int OverviewSide = 1024;
    private const string Keep = "keep", ToSrgb = "convert";

    private static readonly Argument<string> Source = new("slide") { Description = "Slide or image" };
    private static readonly Option<string> Output = CommonOptions.Output("Output file: .ome.tif, .tif, .dzi, .png or .jpg", "FILE");
    private static readonly Option<double?> Mpp = CommonOptions.Above0("--output-mpp", "Pixel size of the output in micrometres");
    private static readonly Option<double?> Downsample =
        CommonOptions.Above0("--downsample", "Reduction factor, instead of --output-mpp", "FACTOR");
    private static readonly Option<double?> SlideMpp = CommonOptions.SlideMpp();
    private static readonly Option<int[]?> Region = new("--region")
    {
        Description = "Region to write: left, top, width and height in pixels of the slide",
        HelpName = "X,Y,W,H",
        CustomParser = result => result.Tokens is [var token]
            ? token.Value.Split(',').Select(part => int.TryParse(part, out int value) ? value : -1).ToArray() : null,
    };
    private static readonly Option<bool> Lossless = new("--lossless") { Description = "Compress without loss; larger files" };
    private static readonly Option<int> Quality = ImageJobs.Quality();
    private static readonly Option<string> Icc = new("--icc")
    {
        Description = "Keep the colours and their ICC profile, or convert them to sRGB",
        HelpName = "keep|convert",
        DefaultValueFactory = _ => Keep,
    };
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();
    private static readonly Option<int> Tile =
        new("--tile-size") { Description = "Tile size of TIFFs, a multiple of 16", DefaultValueFactory = _ => 512, HelpName = "PX" };

    public static Command Create()
    {
        Region.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int[]?>() is not (null or [>= 0, >= 0, > 0, > 0]))
                result.AddError($"--region {result.Tokens[^1].Value}: expected four whole numbers, X,Y,W,H, as in 0,0,2048,2048");
        });
        Tile.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[^1].Value, out int side)
                && (side is < 16 or > 4096 || side % 16 != 0))
                result.AddError($"--tile-size {result.Tokens[^1].Value}: expected a multiple of 16 from 16 to 4096");
        });
        Icc.Among(Keep, ToSrgb);
        var command = new Command("convert", Description) { Source, Output, Mpp, Downsample, SlideMpp, Region, Icc, Lossless, Quality, Tile,
            Overwrite };
        command.Validators.Add(result =>
        {
            if (result.GetResult(Mpp) is not null && result.GetResult(Downsample) is not null)
                result.AddError("--output-mpp and --downsample exclude each other");
        });
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string path = parse.GetRequiredValue(Source), output = parse.GetRequiredValue(Output);
        if (Path.GetFullPath(path) == Path.GetFullPath(output))
            throw new TinctorException(output, "the output is the input", "Choose another name.") { Option = nameof(Output) };
        if (ExistingResults.Keep(output, parse.GetValue(Overwrite))) return 0;
        var opened = Slide.Open(path, parse.GetValue(SlideMpp));
        bool converts = parse.GetValue(Icc) == ToSrgb;
        using Slide slide = converts ? opened.AsSrgb() : opened;
        if (slide == opened && converts) Terminal.Note($"{path}: there is no ICC profile of RGB; colours are not converted.");
        double downsample = DownsampleOf(slide, parse);
        (int x, int y, int width, int height) = Part(slide, parse.GetValue(Region), downsample);
        var spec = new SlideSpec(width, height, slide.Channels, slide.SampleType)
        {
            Mpp = slide.Mpp * downsample,
            Name = Path.GetFileNameWithoutExtension(slide.Path),
            JpegQuality = parse.GetValue(Lossless) || output.EndsWith(".png", StringComparison.OrdinalIgnoreCase) ? null
                : parse.GetValue(Quality),
            Tile = parse.GetValue(Tile),
            IccProfile = slide.ReadIccProfile(),
            ChannelInfo = slide.IsRgb ? [] : SlideChannel.WithRanges(slide.ChannelInfo, slide.Thumbnail(OverviewSide)),
        };
        SlideWriter.Refuse(output, spec);
        foreach (string note in Notes(slide, output, spec, downsample, slide != opened)) Terminal.Note($"{path}: {note}");
        Write(slide, output, spec, downsample, (x, y), cancel);
        Terminal.Result($"Wrote {output}: {spec}.");
        return 0;
    }

    private static IEnumerable<string> Notes(Slide slide, string output, SlideSpec spec, double downsample, bool converted)
    {
        foreach (string note in slide.Notes) yield return note;
        if (slide.Mpp is null) yield return "the pixel size is unknown and not written. State it (--slide-mpp).";
        if (slide.EnlargementNote(downsample) is string enlarged) yield return enlarged;
        if (spec.IccProfile is byte[] profile && !converted)
            yield return SlideWriter.KeepsIccProfile(output)
                ? $"the ICC profile ({profile.Length} bytes) is copied; colours are not converted"
                : "the ICC profile is not kept, as Deep Zoom has no place for it";
        if (spec.ChannelInfo.Any(channel => channel.Name.Length > 0)
            && !Path.GetFileNameWithoutExtension(output).EndsWith(".ome", StringComparison.OrdinalIgnoreCase))
            yield return "names and colours of channels are kept in .ome.tif only";
    }

    private static double DownsampleOf(Slide slide, ParseResult parse)
    {
        if (parse.GetValue(Mpp) is not double mpp) return parse.GetValue(Downsample) ?? 1;
        return slide.Mpp is double own ? mpp / own
            : throw new TinctorException(slide.Path, "the pixel size is unknown",
                "State it, or use --downsample instead of --output-mpp")
            { Option = nameof(SlideMpp) };
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

    private static void Write(Slide slide, string output, SlideSpec spec, double downsample, (int X, int Y) corner,
        CancellationToken cancel) =>
        ProgressDisplay.Show("writing", progress =>
        {
            int done = 0, total = spec.Tiles.Count();
            SlideWriter.Write(output, spec, slide.ReadTiles(downsample, corner.X, corner.Y, spec).Select(tile =>
            {
                cancel.ThrowIfCancellationRequested();
                progress.Report((double)++done / total);
                return tile;
            }));
        });
}
