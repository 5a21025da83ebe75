using System.CommandLine;
using Spectre.Console;
using Tinctor.Registration;
using Tinctor.Registration.Annotations;
using Tinctor.Registration.Slides;
using Tinctor.Slides;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor warp</c>: applies a transform of <c>tinctor register</c>.</summary>
internal static class WarpCommand
{
    private const string Description = """
        Bring what belongs to the target of a transform onto its source: a slide, an image, landmarks (CSV with X and Y) or annotations
        (GeoJSON). With --inverse, what belongs to the source onto the target. A transform that failed is refused.

        Examples:
          tinctor warp registered/her2.json her2.svs -o her2_on_he.ome.tif
          tinctor warp registered/her2.json her2.geojson -o her2_on_he.geojson
          tinctor warp registered/her2.json he.geojson -o he_on_her2.geojson --inverse
          tinctor warp registered/her2.json marks.csv -o moved.csv
        """;

    private static readonly Argument<string> Transform = new("transform") { Description = "NAME.json of `tinctor register`" };
    private static readonly Argument<string> Input = new("input") { Description = "A slide, image, .csv or .geojson (.json) file" };
    private static readonly Option<string> Out = new("--out", "-o")
    {
        Description = "The file to write; of slides and images .ome.tif, .tif, .png or .jpg",
        HelpName = "FILE",
        Required = true,
    };
    private static readonly Option<bool> Inverse = new("--inverse") { Description = "From the source onto the target" };
    private static readonly Option<bool> Lossless = new("--lossless") { Description = "Write slides without loss instead of as JPEG" };
    private static readonly Option<int> Quality = ImageJobs.Quality();
    private static readonly Option<bool> Force = new("--force") { Description = "Use a transform that failed" };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Replace the file that is there" };
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        var command = new Command("warp", Description) { Transform, Input, Out, Inverse, Lossless, Quality, Force, Overwrite, ThreadCount };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        string path = parse.GetRequiredValue(Transform), input = parse.GetRequiredValue(Input), output = parse.GetRequiredValue(Out);
        RegistrationTransform transform = TransformFile.Read(path);
        if (!transform.Quality.Passed && !parse.GetValue(Force))
            throw new TinctorException($"{path}: the registration failed ({string.Join("; ", transform.Quality.Reasons)}); look at its "
                + "pictures, --force uses it all the same");
        if (!File.Exists(input)) throw new TinctorException($"{input}: there is no such file");
        if (Path.GetFullPath(input) == Path.GetFullPath(output))
            throw new TinctorException($"{output}: would be written over; choose another file for -o");
        if (File.Exists(output) && !parse.GetValue(Overwrite))
            throw new TinctorException($"{output}: is there already; --overwrite replaces it");
        bool inverse = parse.GetValue(Inverse);
        Func<double, double, (double X, double Y)> map = inverse ? transform.Apply : transform.Invert;
        switch (Path.GetExtension(input).ToLowerInvariant())
        {
            case ".csv" or ".pts":
                LandmarkFile.Map(input, output, map);
                break;
            case ".geojson" or ".json":
                GeoJsonAnnotations.Map(input, output, map);
                break;
            default:
                WriteSlide(parse, inverse ? transform.Inverse() : transform, input, output, cancel);
                break;
        }
        Console.WriteLine(output);
        return 0;
    }

    private static void WriteSlide(ParseResult parse, RegistrationTransform transform, string input, string output, CancellationToken cancel)
    {
        using var slide = Slide.Open(input);
        int? quality = parse.GetValue(Lossless) ? null : parse.GetValue(Quality);
        AnsiConsole.Progress().Start(context =>
            SlideWarp.Write(transform, slide, output, quality, new TaskProgress(context.AddTask("warping", maxValue: 1)), cancel));
    }
}
