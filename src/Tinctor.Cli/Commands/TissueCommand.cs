using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor tissue</c>: finds the tissue of slides.</summary>
internal static class TissueCommand
{
    private const string Description = """
        Find the tissue of slides. Writes NAME.geojson (for QuPath), NAME_mask.png and NAME_overlay.png (tissue outlined in green,
        pen marks in magenta, folds in orange). Existing results are kept; problems are listed at the end.

        Examples:
          tinctor tissue slide.svs -o tissue
          tinctor tissue slides/ -o tissue --simplify 20                   outlines with fewer vertices
          tinctor tissue pale.ndpi -o tissue --saturation 0.04 --least-piece 5000
          tinctor tissue trichrome.svs -o tissue --pens green,black
        """;

    private static readonly Argument<string[]> Slides =
        new("slides") { Description = "Slides and images, or folders of them", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> Output = CommonOptions.Output("Output folder");
    private static readonly Option<double?> Mpp = CommonOptions.SlideMpp();
    private static readonly Option<double> Resolution = new("--work-mpp")
    {
        Description = "Pixel size of the mask in micrometres",
        HelpName = "UM",
        DefaultValueFactory = _ => new TissueOptions().Resolution,
    };
    private static readonly Option<double> Simplify = new("--simplify")
    { Description = "Largest deviation of simplified outlines, in pixels of the slide", HelpName = "PX", DefaultValueFactory = _ => 0 };
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();

    public static Command Create()
    {
        var command = new GroupedCommand("tissue", Description)
        {
            Slides,
            { "Input", Mpp },
            { "Output", Output, Overwrite, Simplify },
            { "Tissue detection", [Resolution, .. TissueArguments.All] },
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string folder = parse.GetRequiredValue(Output);
        TissueOptions options = TissueArguments.Of(parse) with { Resolution = parse.GetValue(Resolution) };
        List<ImageJob> jobs = [.. parse.GetRequiredValue(Slides).SelectMany(input => ImageJobs.Find(input, folder, slides: true))];
        ImageJobs.RefuseNone(jobs, parse.GetRequiredValue(Slides), slides: true);
        List<ImageJob> open = ImageJobs.Open(jobs, job => Outputs(job, folder), parse.GetValue(Overwrite));
        if (open.Count == 0) return 0;
        var found = new ConcurrentDictionary<string, TissueMask>();
        var resolutions = new ConcurrentDictionary<string, double?>();
        int code = ImageJobs.Run(open, "finding tissue", count => $"Found the tissue of {count} into {folder}.", job =>
        {
            using var slide = Slide.Open(job.Input, parse.GetValue(Mpp));
            TissueMask mask = Write(slide, Outputs(job, folder), options, parse.GetValue(Simplify));
            (found[job.Input], resolutions[job.Input]) = (mask, slide.Mpp);
            return mask.IsEmpty ? "no tissue found. Use a lower threshold (--density, --saturation)."
                : mask.AssumedMpp is double mpp
                ? $"pixel size unknown; the mask assumes {mpp.ToString("0.##", CultureInfo.InvariantCulture)} um per pixel. "
                    + $"Set it with {Mpp.Name}." : null;
        }, Environment.ProcessorCount, cancel);
        Print(open.Where(job => found.ContainsKey(job.Input)).Select(job => (job.Input, found[job.Input], resolutions[job.Input])));
        return code;
    }

    // The GeoJSON, which is written last, the mask and the overlay.
    private static string[] Outputs(ImageJob job, string folder) =>
        [job.Output(folder, "geojson"), Path.Combine(folder, $"{job.Name}_mask.png"), Path.Combine(folder, $"{job.Name}_overlay.png")];

    private static TissueMask Write(Slide slide, string[] outputs, TissueOptions options, double tolerance)
    {
        TissueMask mask = TissueMask.Detect(slide, options);
        Directory.CreateDirectory(Path.GetDirectoryName(outputs[0])!);
        mask.Overlay(TissueMask.Overview(slide, options).Image).Write(outputs[2]);
        mask.Mask.Write(outputs[1]);
        mask.ToGeoJson(outputs[0], tolerance);
        return mask;
    }

    private static void Print(IEnumerable<(string Path, TissueMask Mask, double? Mpp)> slides)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (string heading in (string[])["slide", "tissue (mm²)", "share of slide", "pen marks", "folds"]) table.AddColumn(heading);
        foreach ((string path, TissueMask mask, double? mpp) in slides)
        {
            table.AddRow(Markup.Escape(Path.GetFileName(path)),
                mpp is double known ? (mask.Area * known * known / 1e6).ToString("0.00", CultureInfo.InvariantCulture) : "-",
                Percent(mask.Share(0, 0, mask.SlideWidth, mask.SlideHeight)), Percent(ShareOf(mask.Pens)), Percent(ShareOf(mask.Folds)));
        }
        if (table.Rows.Count > 0) Terminal.Results.Write(table);
    }

    private static double? ShareOf(Image? marks) => marks is null ? null : marks.Data.Count(value => value > 0) / (double)marks.Data.Length;

    private static string Percent(double? share) =>
        share is double known ? (100 * known).ToString("0.0", CultureInfo.InvariantCulture) + "%" : "-";
}
