using System.CommandLine;
using Spectre.Console;
using Tinctor.Slides;
using Tinctor.Staining.Inference;
using Tinctor.Staining.Training;
using Tinctor.Torch;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor stain</c>: stains images with a trained model.</summary>
internal static class StainCommand
{
    private const string Description = """
        Stain images of any size with a model. Names are kept; what is there already is left alone; what fails is reported at the end.

        Examples:
          tinctor stain runs/first/model field.png -o stained
          tinctor stain runs/first slides/ more/*.tif -o stained --format tif
          tinctor stain my-model images/ -o stained --device cuda --amp
        """;

    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".tif", ".tiff"];

    private static readonly Argument<string> Model = new("model") { Description = "Model folder, or the run folder of a finished run" };
    private static readonly Argument<string[]> Inputs = new("input") { Description = "Images, or folders of images (searched through)", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "Folder for the stained images", HelpName = "DIR", Required = true };
    private static readonly Option<string> Format = new("--format") { Description = "png, jpg or tif", DefaultValueFactory = _ => "png" };
    private static readonly Option<int> Quality = new("--quality") { Description = "Quality of jpg, 1 to 100", DefaultValueFactory = _ => 90 };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Stain again what is there already" };
    private static readonly Option<string> Device = new("--device") { Description = "cpu, cuda, cuda:N or auto", DefaultValueFactory = _ => "auto" };
    private static readonly Option<bool> Amp = new("--amp") { Description = "Compute in bfloat16 where it suits" };
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        Format.AcceptOnlyFromAmong("png", "jpg", "tif");
        var command = new Command("stain", Description) { Model, Inputs, Out, Format, Quality, Overwrite, Device, Amp, ThreadCount };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        List<(string input, string output)> work = Plan(parse.GetRequiredValue(Inputs), parse.GetRequiredValue(Out), parse.GetRequiredValue(Format));
        List<(string input, string output)> open = parse.GetValue(Overwrite) ? work : [.. work.Where(pair => !File.Exists(pair.output))];
        if (open.Count < work.Count) AnsiConsole.MarkupLineInterpolated($"[dim]{work.Count - open.Count} of {work.Count} are stained already; --overwrite stains them again[/]");
        if (open.Count == 0) return 0;
        (Device device, string reason) = DeviceChoice.Resolve(parse.GetRequiredValue(Device));
        AnsiConsole.MarkupLineInterpolated($"[dim]device: {reason}[/]");
        using var stainer = Stainer.Load(parse.GetRequiredValue(Model), device, parse.GetValue(Amp));
        List<string> failures = StainAll(stainer, open, parse.GetValue(Quality), cancel);
        AnsiConsole.MarkupLineInterpolated($"{open.Count - failures.Count} stained into {parse.GetRequiredValue(Out)}");
        foreach (string failure in failures) Console.Error.WriteLine($"error: {failure}");
        return failures.Count == 0 ? 0 : 1;
    }

    /// <summary>Stains each input into its output with a progress bar.</summary>
    /// <returns>One line for each that failed.</returns>
    public static List<string> StainAll(Stainer stainer, IReadOnlyList<(string input, string output)> work, int quality, CancellationToken cancel)
    {
        var failures = new List<string>();
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask("staining", maxValue: work.Count);
                foreach ((string input, string output) in work)
                {
                    cancel.ThrowIfCancellationRequested();
                    if (Stain(stainer, input, output, quality) is string failure) failures.Add(failure);
                    task.Increment(1);
                }
            });
        return failures;
    }

    private static string? Stain(Stainer stainer, string input, string output, int quality)
    {
        try
        {
            Image source = Image.Read(input);
            Image stained;
            try
            {
                stained = stainer.Stain(source);
            }
            catch (InvalidDataException e)
            {
                return $"{input}: {e.Message}";
            }
            Directory.CreateDirectory(Path.GetDirectoryName(output)!);
            stained.Write(output, quality);
            return null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
        catch (TorchException e) when (e.Message.Contains("memory"))
        {
            return $"{input}: too large for this device's memory";
        }
    }

    /// <summary>Pairs each image with its output; folders keep their inner structure.</summary>
    /// <exception cref="InvalidDataException">An input is missing, there are none, or two would be written to the same file.</exception>
    private static List<(string input, string output)> Plan(string[] inputs, string folder, string format)
    {
        var work = new List<(string input, string output)>();
        foreach (string input in inputs)
        {
            if (Directory.Exists(input))
            {
                foreach (string file in Directory.EnumerateFiles(input, "*", SearchOption.AllDirectories).Where(IsImage).Order(StringComparer.Ordinal))
                    work.Add((file, Output(folder, Path.GetRelativePath(input, file), format)));
            }
            else if (File.Exists(input)) work.Add((input, Output(folder, Path.GetFileName(input), format)));
            else throw new InvalidDataException($"{input}: there is no such file or folder");
        }
        if (work.Count == 0) throw new InvalidDataException($"{string.Join(", ", inputs)}: no images found (looked for {string.Join(" ", Extensions)})");
        foreach (var same in work.GroupBy(pair => pair.output).Where(group => group.Count() > 1))
            throw new InvalidDataException($"{string.Join(" and ", same.Select(pair => pair.input))} would both be written to {same.Key}; stain them into folders of their own");
        return work;
    }

    private static string Output(string folder, string name, string format) => Path.Combine(folder, Path.ChangeExtension(name, format));

    private static bool IsImage(string path) => Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());
}
