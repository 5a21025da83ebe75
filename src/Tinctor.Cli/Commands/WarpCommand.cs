using System.CommandLine;
using Tinctor.Slides;
using Tinctor.Slides.Annotations;
using Tinctor.Transforms;
using Tinctor.Transforms.Landmarks;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor warp</c>: applies a transform of <c>tinctor register</c>.</summary>
internal static class WarpCommand
{
    private const string Description = """
        Apply a transform: map a slide, an image, landmarks (CSV with X and Y, or .pts) or annotations (GeoJSON) from the target of the
        transform onto its source, or with --inverse from the source onto the target.

        Examples:
          tinctor warp registered/her2.json her2.svs -o her2_on_he.ome.tif
          tinctor warp registered/her2.json her2.geojson -o her2_on_he.geojson
          tinctor warp registered/her2.json he.geojson -o he_on_her2.geojson --inverse
          tinctor warp registered/her2.json marks.csv -o moved.csv
        """;

    private static readonly Argument<string> Transform = new("transform") { Description = "Transform: NAME.json of 'tinctor register'" };
    private static readonly Argument<string> Input = new("input") { Description = "Slide, image, .csv, .pts or .geojson (.json) file" };
    private static readonly Option<string> Output =
        CommonOptions.Output("Output file; for slides and images .ome.tif, .tif, .png or .jpg", "FILE");
    private static readonly Option<bool> Inverse = new("--inverse") { Description = "Map from the source onto the target" };
    private static readonly Option<bool> Lossless = new("--lossless") { Description = "Compress slides without loss; larger files" };
    private static readonly Option<int> Quality = ImageJobs.Quality();
    private static readonly Option<bool> AcceptFailed =
        new("--accept-failed") { Description = "Use a transform that failed its quality check" };
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        var command = new Command("warp", Description)
        {
            Transform, Input, Output, Inverse, Lossless, Quality, AcceptFailed, Overwrite, ThreadCount,
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string path = parse.GetRequiredValue(Transform), input = parse.GetRequiredValue(Input), output = parse.GetRequiredValue(Output);
        RegistrationTransform transform = TransformFile.Read(path);
        if (!transform.IsUsable && !parse.GetValue(AcceptFailed))
        {
            throw new TinctorException(path, transform.Review is null
                ? $"the registration failed its quality check ({string.Join("; ", transform.Refusals)})"
                : "the registration was rejected in a review", "Look at its pictures, and accept it if it is correct")
            { Option = nameof(AcceptFailed) };
        }
        if (!SlideFormats.Exists(input)) throw new TinctorException(input, "no such file", "Check the path");
        if (Path.GetFullPath(input) == Path.GetFullPath(output))
            throw new TinctorException(output, "the output is the input", "Choose another file") { Option = nameof(Output) };
        if (ExistingResults.Keep(output, parse.GetValue(Overwrite))) return 0;
        bool inverse = parse.GetValue(Inverse);
        Func<double, double, (double X, double Y)> map = inverse ? transform.Apply : transform.Invert;
        switch (Path.GetExtension(input).ToLowerInvariant())
        {
            case ".csv" or ".pts":
                LandmarkFile.Map(input, output, map);
                break;
            case ".geojson" or ".json":
                GeoJsonFile.Map(input, output, map);
                break;
            default:
                WriteSlide(parse, inverse ? transform.Inverse() : transform, input, output, cancel);
                break;
        }
        Terminal.Result($"Wrote {output}.");
        return 0;
    }

    private static void WriteSlide(ParseResult parse, RegistrationTransform transform, string input, string output,
        CancellationToken cancel)
    {
        using var slide = Slide.Open(input);
        int? quality = parse.GetValue(Lossless) ? null : parse.GetValue(Quality);
        ProgressDisplay.Show("warping", progress => SlideWarp.Write(transform, slide, output, quality, progress,
            Threads.Count(parse.GetValue(ThreadCount)), cancel));
    }
}
