using System.CommandLine;
using Spectre.Console;
using Tinctor.Slides;
using Tinctor.Staining.Data;
using Tinctor.Staining.Inference;
using Tinctor.Staining.Training;
using Tinctor.Torch;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor stain</c>: stains images with a trained model.</summary>
internal static class StainCommand
{
    private const string Description = """
        Stain images of any size with a model. Names are kept; what is there already is left alone; what fails is reported at the end.
        Models that tell a level from the source (derestainer) write it to levels.csv beside the images, with its probability.

        Examples:
          tinctor stain runs/first/model field.png -o stained
          tinctor stain runs/first slides/ more/*.tif -o stained --format tif
          tinctor stain my-model images/ -o stained --device cuda --amp
          tinctor stain runs/first pairs/manifest.csv --split test -o stained   the sources of a data set's test split
        """;

    private static readonly Argument<string> Model = new("model") { Description = "Model folder, or the run folder of a finished run" };
    private static readonly Argument<string[]> Inputs = ImageJobs.Inputs();
    private static readonly Option<string?> Split = new("--split")
    {
        Description = "The inputs are data sets (folders or manifests of pairs); stain the sources of this split",
        HelpName = "train|val|test",
    };
    private static readonly Option<string> Out =
        new("--out", "-o") { Description = "Folder for the stained images", HelpName = "DIR", Required = true };
    private static readonly Option<string> Format = ImageJobs.Format();
    private static readonly Option<int> Quality = ImageJobs.Quality();
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Stain again what is there already" };
    private static readonly Option<string> Device =
        new("--device") { Description = "cpu, cuda, cuda:N or auto", DefaultValueFactory = _ => "auto" };
    private static readonly Option<bool> Amp = new("--amp") { Description = "Compute in bfloat16 where it suits" };
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        Split.AcceptOnlyFromAmong([.. PairManifest.Splits]);
        var command = new Command("stain", Description) { Model, Inputs, Split, Out, Format, Quality, Overwrite, Device, Amp, ThreadCount };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        string folder = parse.GetRequiredValue(Out), format = parse.GetRequiredValue(Format), model = parse.GetRequiredValue(Model);
        List<ImageJob> jobs = Jobs(parse, folder);
        LevelTable? levels = ModelFolder.ReadConfig(model).Model.PredictedLabels is { Count: > 0 } labels
            ? new LevelTable(folder, labels) : null;
        List<ImageJob> open = ImageJobs.Open(jobs, job => [job.Output(folder, format)], parse.GetValue(Overwrite), "stained",
            job => levels is null || levels.Contains(job.Name));
        if (open.Count == 0) return 0;
        (Device device, string reason) = DeviceChoice.Resolve(parse.GetRequiredValue(Device));
        AnsiConsole.MarkupLineInterpolated($"[dim]device: {reason}[/]");
        using var stainer = Stainer.Load(model, device, parse.GetValue(Amp));
        int code = ImageJobs.Run(open, "staining", $"stained into {folder}",
            job => Stain(stainer, levels, job, job.Output(folder, format), parse.GetValue(Quality)), threads: 1, cancel);
        levels?.Save();
        return code;
    }

    private static string? Stain(Stainer stainer, LevelTable? levels, ImageJob job, string output, int quality)
    {
        Image source = job.Read();
        if (source.Channels != stainer.InputChannels)
            throw new InvalidDataException(
                $"{job.Input}: its number of channels is {source.Channels}, the model takes {stainer.InputChannels}");
        (Image stained, LevelPrediction? level, string? untouched) = stainer.StainAndPredict(source);
        stained.Write(output, quality);
        if (level is not null) levels?.Set(job.Name, level);
        return untouched is null ? null : $"{untouched}; stained without normalising it";
    }

    private static List<ImageJob> Jobs(ParseResult parse, string folder)
    {
        string[] inputs = parse.GetRequiredValue(Inputs);
        List<ImageJob> jobs = [.. inputs.SelectMany(input =>
            parse.GetValue(Split) is string split ? OfSplit(input, split) : ImageJobs.Find(input, folder))];
        ImageJobs.RefuseNone(jobs, inputs);
        return jobs;
    }

    private static IEnumerable<ImageJob> OfSplit(string dataset, string split) => PairManifest.Read(dataset).OfSplit(split)
        .Select(pair => new ImageJob(pair.Source, () => PairedDataset.ReadPair(pair).Source, pair.Name));
}
