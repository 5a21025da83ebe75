using System.CommandLine;
using Spectre.Console;
using Tinctor.Slides;
using Tinctor.Staining.Bridges;
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
        Models that tell a level from the source (derestainer) write it to levels.csv beside the images, with its probability. Diffusion
        bridges (bbdm, i2sb) stain by chance: the same seed gives the same pixels, --repeats tells how sure they are.

        Examples:
          tinctor stain runs/first/model field.png -o stained
          tinctor stain runs/first slides/ more/*.tif -o stained --format tif
          tinctor stain my-model images/ -o stained --device cuda --amp
          tinctor stain runs/first pairs/manifest.csv --split test -o stained   the sources of a data set's test split
          tinctor stain runs/bridge field.png -o stained --evaluations 10 --solver extrapolated --spacing angular --repeats 5
          tinctor stain runs/bridge field.png -o stained --trajectory           what lies between source and stained image
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
        foreach (Option option in ChanceOptions.All) command.Add(option);
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
        BridgeSampling? sampling = ChanceOptions.Of(parse, stainer.Sampling, model);
        int code = ImageJobs.Run(open, "staining", $"stained into {folder}", job => sampling is null
            ? Stain(stainer, levels, job, job.Output(folder, format), parse.GetValue(Quality))
            : StainByChance(stainer, sampling, job, parse), threads: 1, cancel);
        levels?.Save();
        return code;
    }

    private static string? Stain(Stainer stainer, LevelTable? levels, ImageJob job, string output, int quality)
    {
        (Image stained, LevelPrediction? level, string? untouched) = stainer.StainAndPredict(job.Read());
        stained.Write(output, quality);
        if (level is not null) levels?.Set(job.Name, level);
        return Describe(untouched);
    }

    // The stained image comes last: what has one is done.
    private static string? StainByChance(Stainer stainer, BridgeSampling sampling, ImageJob job, ParseResult parse)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        string folder = parse.GetRequiredValue(Out);
        int repeats = parse.GetValue(ChanceOptions.Repeats);
        Trajectory? trajectory = parse.GetValue(ChanceOptions.Trajectory) ? new() : null;
        var place = new NoisePlace(Path.GetFileName(job.Name), parse.GetValue(ChanceOptions.Seed));
        Image source = job.Read();
        string? untouched = null;
        (Tensor mean, Tensor deviation) = RepeatedSampling.Run(repeats, run =>
        {
            (Image stained, _, untouched) = stainer.StainAndPredict(source, new(sampling, place, run, trajectory is null ? null : trajectory.See));
            return stained.ToTensor(ValueRange.ZeroToOne);
        });
        if (repeats > 1) Variation(mean, deviation).Write(Beside("variation", "png"));
        if (trajectory is not null)
        {
            trajectory.Strip().Write(Beside("trajectory", "png"));
            Animation.Write(trajectory.Frames, Beside("trajectory", "webp"));
        }
        Image.FromTensor(mean, ValueRange.ZeroToOne).Write(job.Output(folder, parse.GetRequiredValue(Format)), parse.GetValue(Quality));
        return Describe(untouched);

        string Beside(string kind, string extension)
        {
            string path = job.Output(Path.Combine(folder, kind), extension);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return path;
        }
    }

    // The coefficient of variation, its mean over the channels: 65535 is 1 and more.
    private static Image Variation(Tensor mean, Tensor deviation) =>
        Image.FromTensor((deviation / mean.clamp(min: 1 / 255.0)).mean([0], keepdim: true).clamp(0, 1), ValueRange.ZeroToOne, SampleType.UInt16);

    private static string? Describe(string? untouched) => untouched is null ? null : $"{untouched}; stained without normalising it";

    private static List<ImageJob> Jobs(ParseResult parse, string folder)
    {
        string[] inputs = parse.GetRequiredValue(Inputs);
        List<ImageJob> jobs = [.. inputs.SelectMany(input =>
            parse.GetValue(Split) is string split ? OfSplit(input, split)
            : Path.GetExtension(input) is ".csv" or ".yaml" or ".yml"
                ? throw new InvalidDataException($"{input}: is a manifest; --split train, val or test says which of its sources to stain")
            : ImageJobs.Find(input, folder))];
        ImageJobs.RefuseNone(jobs, inputs);
        return jobs;
    }

    private static IEnumerable<ImageJob> OfSplit(string dataset, string split) => PairManifest.Read(dataset).OfSplit(split)
        .Select(pair => new ImageJob(pair.Source, () => PairedDataset.ReadPair(pair).Source, pair.Name));
}
