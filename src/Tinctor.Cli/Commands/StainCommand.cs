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

    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".tif", ".tiff"];

    private static readonly Argument<string> Model = new("model") { Description = "Model folder, or the run folder of a finished run" };
    private static readonly Argument<string[]> Inputs =
        new("input") { Description = "Images, or folders of images (searched through)", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string?> Split = new("--split")
    {
        Description = "The inputs are data sets (folders or manifests of pairs); stain the sources of this split",
        HelpName = "train|val|test",
    };
    private static readonly Option<string> Out =
        new("--out", "-o") { Description = "Folder for the stained images", HelpName = "DIR", Required = true };
    private static readonly Option<string> Format = new("--format") { Description = "png, jpg or tif", DefaultValueFactory = _ => "png" };
    private static readonly Option<int> Quality =
        new("--quality") { Description = "Quality of jpg, 1 to 100", DefaultValueFactory = _ => 90 };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Stain again what is there already" };
    private static readonly Option<string> Device =
        new("--device") { Description = "cpu, cuda, cuda:N or auto", DefaultValueFactory = _ => "auto" };
    private static readonly Option<bool> Amp = new("--amp") { Description = "Compute in bfloat16 where it suits" };
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        Format.AcceptOnlyFromAmong("png", "jpg", "tif");
        Quality.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 100) result.AddError("--quality lies between 1 and 100.");
        });
        Split.AcceptOnlyFromAmong([.. PairManifest.Splits]);
        var command = new Command("stain", Description) { Model, Inputs, Split, Out, Format, Quality, Overwrite, Device, Amp, ThreadCount };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        List<Job> work = Plan(parse);
        string model = parse.GetRequiredValue(Model);
        LevelTable? levels = ModelFolder.ReadConfig(model).Model.PredictedLabels is { Count: > 0 } labels
            ? new LevelTable(parse.GetRequiredValue(Out), labels) : null;
        bool IsDone(Job job) => File.Exists(job.Output) && (levels is null || levels.Contains(job.Name));
        List<Job> open = parse.GetValue(Overwrite) ? work : [.. work.Where(job => !IsDone(job))];
        if (open.Count < work.Count)
            AnsiConsole.MarkupLineInterpolated(
                $"[dim]{work.Count - open.Count} of {work.Count} are stained already; --overwrite stains them again[/]");
        if (open.Count == 0) return 0;
        (Device device, string reason) = DeviceChoice.Resolve(parse.GetRequiredValue(Device));
        AnsiConsole.MarkupLineInterpolated($"[dim]device: {reason}[/]");
        using var stainer = Stainer.Load(model, device, parse.GetValue(Amp));
        List<string> failures = StainAll(stainer, levels, open, parse.GetValue(Quality), cancel);
        if (!cancel.IsCancellationRequested) Console.WriteLine($"{open.Count - failures.Count} stained into {parse.GetRequiredValue(Out)}");
        foreach (string failure in failures) Console.Error.WriteLine($"error: {failure}");
        if (cancel.IsCancellationRequested) Console.Error.WriteLine("stopped; the same command goes on with what is left");
        return cancel.IsCancellationRequested ? 130 : failures.Count == 0 ? 0 : 1;
    }

    private static List<string> StainAll(Stainer stainer, LevelTable? levels, List<Job> work, int quality, CancellationToken cancel)
    {
        var failures = new List<string>();
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask("staining", maxValue: work.Count);
                foreach (Job job in work)
                {
                    if (cancel.IsCancellationRequested) break;
                    if (Stain(stainer, levels, job, quality) is string failure) failures.Add(failure);
                    task.Increment(1);
                }
                levels?.Save();
            });
        return failures;
    }

    // What went wrong, in one line; null if nothing did.
    private static string? Stain(Stainer stainer, LevelTable? levels, Job job, int quality)
    {
        try
        {
            Image source = job.Read();
            if (source.Channels != stainer.InputChannels)
                return $"{job.Input}: its number of channels is {source.Channels}, the model takes {stainer.InputChannels}";
            (Image stained, LevelPrediction? level) = stainer.StainAndPredict(source);
            Directory.CreateDirectory(Path.GetDirectoryName(job.Output)!);
            stained.Write(job.Output, quality);
            if (level is not null) levels?.Set(job.Name, level);
            return null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
        catch (TorchException e)
        {
            return $"{job.Input}: {(e.Message.Contains("memory") ? "too large for this device's memory" : e.Message.Split('\n')[0])}";
        }
    }

    private static List<Job> Plan(ParseResult parse)
    {
        string[] inputs = parse.GetRequiredValue(Inputs);
        string folder = parse.GetRequiredValue(Out), format = parse.GetRequiredValue(Format);
        List<Job> work = [.. inputs.SelectMany(input =>
            parse.GetValue(Split) is string split ? OfSplit(input, split, folder, format) : OfImages(input, folder, format))];
        if (work.Count == 0)
            throw new InvalidDataException($"{string.Join(", ", inputs)}: no images found (looked for {string.Join(" ", Extensions)})");
        if (work.Find(job => Path.GetFullPath(job.Input) == Path.GetFullPath(job.Output)) is { Input: string own })
            throw new InvalidDataException($"{own}: would be written over by its stained image; choose another folder for -o");
        foreach (var same in work.GroupBy(job => job.Output).Where(group => group.Count() > 1))
            throw new InvalidDataException($"{string.Join(" and ", same.Select(job => job.Input))} "
                + $"would both be written to {same.Key}; stain them into folders of their own");
        return work;
    }

    private static IEnumerable<Job> OfSplit(string dataset, string split, string folder, string format) =>
        PairManifest.Read(dataset).OfSplit(split)
        .Select(pair => new Job(pair.Source, () => PairedDataset.ReadPair(pair).Source, folder, pair.Name, format));

    // Folders keep their inner structure. What was stained earlier into a folder inside the input is no input.
    private static IEnumerable<Job> OfImages(string input, string folder, string format)
    {
        if (File.Exists(input)) return [new(input, () => Image.Read(input), folder, Path.GetFileNameWithoutExtension(input), format)];
        if (!Directory.Exists(input)) throw new InvalidDataException($"{input}: there is no such file or folder");
        return Directory.EnumerateFiles(input, "*", SearchOption.AllDirectories)
            .Where(file => IsImage(file) && !(IsInside(input, folder) && IsInside(folder, file))).Order(StringComparer.Ordinal)
            .Select(file => new Job(file, () => Image.Read(file), folder, Path.ChangeExtension(Path.GetRelativePath(input, file), null), format));
    }

    private static bool IsInside(string folder, string path) =>
        Path.GetRelativePath(folder, path) is var relative && relative != "." && relative.Split(Path.DirectorySeparatorChar)[0] != "..";

    private static bool IsImage(string path) => Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>One image to stain: its name for messages, how it is read, where the stained one goes.</summary>
    private sealed record Job(string Input, Func<Image> Read, string Folder, string Name, string Format)
    {
        public string Output => Path.Combine(Folder, $"{Name}.{Format}");
    }
}
