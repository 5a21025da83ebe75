using System.Text.Json;
using System.Text.RegularExpressions;
using Tinctor.Torch;
using YamlDotNet.Core;

namespace Tinctor.Cli;

/// <summary>Error lines of failed commands.</summary>
internal static partial class Errors
{
    /// <summary>Exit code of a command that was cancelled.</summary>
    public const int Cancelled = 130;

    /// <summary>Exit code of a command that SIGTERM cancelled.</summary>
    public const int Terminated = 143;

    /// <summary>Flags of options whose property has another name, by command; the first one that the command has is used.</summary>
    private static readonly Dictionary<string, string[]> Flags = new()
    {
        ["TransformFolder"] = ["--transforms"],
        ["Mpp"] = ["--work-mpp", "--output-mpp"],
        ["Resolution"] = ["--work-mpp"],
        ["Tile"] = ["--tile-size"],
        ["Ramp"] = ["--overlap"],
        ["Batch"] = ["--batch-size"],
        ["Statistics"] = ["--normalization", "--norm-statistics"],
        ["Evaluations"] = ["--steps"],
        ["Repeats"] = ["--samples"],
        ["Images"] = ["--images"],
        ["AverageOrientations"] = ["--tta"],
        ["Whole"] = ["--whole-slide"],
        ["Model"] = ["--transform"],
        ["Registration"] = ["--aligned"],
        ["Size"] = ["--features-size"],
        ["ValidationShare"] = ["--val"],
        ["TestShare"] = ["--test"],
        ["Path"] = ["--data"],
        ["Misalign"] = ["--misalign"],
        ["MicronsPerPixel"] = ["--output-mpp", "--slide-mpp"],
        ["Ki67Share"] = ["--ki67"],
        ["SensorNoise"] = ["--noise"],
        ["AutofluorescenceFactor"] = ["--af-factor"],
        ["FieldsPerSlide"] = ["--fields"],
        ["Width"] = ["--size"],
        ["Height"] = ["--size"],
        ["PositiveDensity"] = ["--dab-threshold"],
    };

    /// <summary>Whether an exception means that the command was cancelled.</summary>
    public static bool IsCancellation(Exception e) =>
        e is OperationCanceledException || (e is AggregateException many && many.Flatten().InnerExceptions.All(IsCancellation));

    /// <summary>Formats an exception as one line, <c>error: FILE: problem. Remedy.</c></summary>
    public static string Describe(Exception e) => $"error: {Text(e)}";

    /// <summary>Formats an exception as one line without "error:".</summary>
    public static string Text(Exception e) => Sentence(e switch
    {
        AggregateException { InnerExceptions: [Exception first, ..] } => Text(first),
        TypeInitializationException { InnerException: Exception inner } => Text(inner),
        TinctorException problem => WithFlag(problem),
        TorchException { IsOutOfMemory: true } =>
            $"the device ran out of memory ({FirstLine(e)}). Use a smaller crop, tile or batch",
        OutOfMemoryException => "out of memory. Use a smaller crop, tile or batch",
        TorchException => $"libtorch refused: {FirstLine(e)}. --debug shows where",
        FileNotFoundException { FileName: string file } when !e.Message.StartsWith(file, StringComparison.Ordinal) =>
            $"{file}: there is no such file. Check the path",
        FileNotFoundException => FirstLine(e),
        DirectoryNotFoundException => $"{Quoted(e)}: there is no such folder. Check the path",
        UnauthorizedAccessException => $"{Quoted(e)}: access is denied. Check the permissions",
        EndOfStreamException => "a file ends too early. It is damaged or was cut short",
        JsonException json => $"a file is not valid JSON (line {json.LineNumber + 1})",
        YamlException yaml => $"a file is not valid YAML (line {yaml.Start.Line})",
        ArgumentException when e.Message.StartsWith("Null character in path", StringComparison.Ordinal) =>
            "a path has a NUL character. Check the paths in the files",
        FormatException => "a file is malformed. --debug shows which",
        IOException when FileErrors.IsNoSpace(e) => $"{Quoted(e)}: no space left on the disk. Free some space and repeat the command",
        IOException when e.Message.Split('\'') is [var reason, string path, ..] && reason.EndsWith(" : ", StringComparison.Ordinal) =>
            $"{path}: {reason.TrimEnd(' ', ':')}. Check the disk and the network",
        IOException => FirstLine(e),
        DllNotFoundException => $"{FirstLine(e)}. 'tinctor doctor' shows what is missing",
        _ => $"internal error, please report it: {e.GetType().Name}: {FirstLine(e)}. --debug shows where",
    });

    /// <summary>Ends a text with a full stop.</summary>
    public static string Sentence(string text) => text.Length > 0 && text[^1] is '.' or '?' or '!' ? text : text + ".";

    // The flag that the running command has for the option that an exception names; a setting is one of --set.
    private static string WithFlag(TinctorException problem)
    {
        string text = problem.Message.TrimEnd('.');
        return problem.Option is string option && FlagOf(option) is string flag ? $"{text} ({flag})" : text;
    }

    private static string? FlagOf(string option)
    {
        if (Terminal.Command is not { } command) return null;
        HashSet<string> known = [.. command.Options.Select(known => known.Name)];
        if (option.Contains('.')) return known.Contains("--set") ? $"--set {option}{(option.Contains('=') ? "" : "=VALUE")}" : null;
        return Flags.GetValueOrDefault(option, []).Append("--" + Kebab(option)).FirstOrDefault(known.Contains);
    }

    /// <summary>Formats a name of C# as the command line has it: SlideMpp is slide-mpp.</summary>
    public static string Kebab(string name) => WordStart().Replace(name, "-$0").ToLowerInvariant();

    // Messages of .NET have the path in quotes.
    private static string Quoted(Exception e) => e.Message.Split('\'') is [_, string path, ..] ? path : FirstLine(e);

    private static string FirstLine(Exception e) => e.Message.Split('\n', 2)[0].TrimEnd('.');

    [GeneratedRegex("(?<=[a-z0-9])[A-Z]|(?<=.)[A-Z](?=[a-z])")]
    private static partial Regex WordStart();
}
