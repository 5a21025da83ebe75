using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Cli.Commands.Stains;

/// <summary><c>tinctor stains estimate</c>: estimates the common stains of images.</summary>
internal static class EstimateCommand
{
    private const string Description = """
        Estimate the two stains of images, all of them together, and print them. With -o they are kept as a profile, which is a reference
        for 'tinctor stains normalize --to' and for data.normalize of 'tinctor train'.

        Examples:
          tinctor stains estimate slide.png
          tinctor stains estimate slides/A/ slides/B/*.png --method vahadane -o reference.json
        """;

    /// <summary>Largest number of sampled pixels over all images, within limits per image.</summary>
    private const int MostPixels = 1_000_000;

    private static readonly Dictionary<string, double[]> Published = new()
    {
        ["H"] = [.. StainMatrix.HaematoxylinEosinDab.Rows[..3]],
        ["E"] = [.. StainMatrix.HaematoxylinEosinDab.Rows[3..6]],
        ["DAB"] = [.. StainMatrix.HaematoxylinEosinDab.Rows[6..]],
    };

    private static readonly Argument<string[]> Inputs = ImageJobs.Inputs();
    private static readonly Option<StainMethod?> Method =
        Words.Optional<StainMethod>("--method", "Method; reinhard has colours only [default: macenko]");
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "Profile to write (.json)", HelpName = "FILE" };
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();

    public static Command Create()
    {
        var command = new Command("estimate", Description) { Inputs, Method, Output, Overwrite };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string[] inputs = parse.GetRequiredValue(Inputs);
        ImageJob[] jobs = [.. inputs.SelectMany(input => ImageJobs.Find(input))];
        ImageJobs.RefuseNone(jobs, inputs);
        var pixels = new StainedPixels(Math.Clamp(MostPixels / jobs.Length, 1_000, 100_000));
        int done = 0;
        var remarks = new List<string>();
        int bare = ProgressDisplay.Show("estimating", progress =>
        {
            return jobs.Count(job =>
            {
                cancel.ThrowIfCancellationRequested();
                int found = StainsCommand.Naming(job.Input, () =>
                {
                    Image image = job.Read();
                    if (ImageJobs.Remarks(image.Notes) is string remark) remarks.Add($"{job.Input}: {remark}");
                    return pixels.Add(image);
                });
                progress.Report((double)++done / jobs.Length);
                return found == 0;
            });
        });
        StainProfile profile = StainsCommand.Naming(string.Join(", ", inputs),
            () => StainProfile.Estimate(pixels, parse.GetValue(Method) ?? StainMethod.Macenko));
        foreach (string remark in remarks) Terminal.Warning(Errors.Sentence(remark));
        Print(profile, bare);
        if (parse.GetValue(Output) is string path)
        {
            if (ExistingResults.Keep(path, parse.GetValue(Overwrite))) return 0;
            profile.Write(path);
            Terminal.Result($"profile: {path}");
        }
        return 0;
    }

    private static void Print(StainProfile profile, int bare)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (string heading in (string[])["", "R", "G", "B", "99th percentile", "from the published"])
            table.AddColumn(heading, column => column.NoWrap());
        foreach (StainVector stain in profile.Stains)
        {
            table.AddRow([stain.Name, .. stain.Od.Select(value => Number(value, "0.000")), $"{Number(stain.Maximum, "0.00")} OD",
                $"{Number(Degrees(Published[stain.Name], stain.Od), "0.0")}°"]);
        }
        if (profile.Stains.Length > 0) Terminal.Results.Write(table);
        string[] lab = [.. profile.LabMean.Zip(profile.LabDeviation, (mean, deviation) =>
            $"{Number(mean, "0.0")} ± {Number(deviation, "0.0")}")];
        Terminal.Result($"L* {lab[0]}, a* {lab[1]}, b* {lab[2]}");
        Terminal.Result($"{profile.Method.ToString().ToLowerInvariant()}, {profile.Pixels} stained pixels of {profile.Images} "
            + $"{(profile.Images == 1 ? "image" : "images")}{(bare == 0 ? "" : $", {bare} of them without any")}");
    }

    private static double Degrees(double[] a, double[] b)
    {
        double Dot(double[] x, double[] y) => x.Zip(y, (p, q) => p * q).Sum();
        return Math.Acos(Math.Min(1, Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b)))) * 180 / Math.PI;
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
