using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Tinctor.Cli;

/// <summary>Options common to the commands that run a <see cref="Study"/>.</summary>
internal static class StudyOptions
{
    /// <summary>Data set of the pairs.</summary>
    public static Option<string> Data { get; } =
        new("--data") { Description = "Folder or manifest of pairs with a test split", HelpName = "DIR", Required = true };

    /// <summary>Random seeds, one training each.</summary>
    public static Option<ulong[]> Seeds { get; } = new("--seeds")
    {
        Description = "Random seeds; one training per seed, as in 0,1,2",
        HelpName = "N,N",
        DefaultValueFactory = _ => [0],
        CustomParser = result => [.. Items(result).Select(item =>
        {
            if (!ulong.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
                result.AddError($"--seeds {item}: expected whole numbers, as in 0,1,2");
            return seed;
        })],
    };

    /// <summary>Number of steps of each training.</summary>
    public static Option<int?> Steps { get; } = new("--steps") { Description = "Number of training steps of each model", HelpName = "N" };
    private static readonly Option<string?> Device =
        new("--device") { Description = "cpu, cuda, cuda:N or auto [default: auto]", HelpName = "DEVICE" };
    private static readonly Option<bool> Amp = CommonOptions.Amp();
    private static readonly Option<int> ThreadCount = Threads.Option();

    /// <summary>Device and threads.</summary>
    public static IReadOnlyList<Option> Computation { get; } = [Device, Amp, ThreadCount];

    /// <summary>Gets the options as settings of a run.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="data">Data set of the pairs.</param>
    public static IEnumerable<string> Overrides(ParseResult parse, string data)
    {
        yield return $"data.path={Path.GetFullPath(data)}";
        if (parse.GetValue(Steps) is int steps) yield return $"training.steps={steps}";
        if (parse.GetValue(Device) is string device) yield return $"training.device={device}";
        if (parse.GetValue(Amp)) yield return "training.amp=true";
    }

    /// <summary>Options of each training.</summary>
    public static string[] OfTraining(ParseResult parse) => parse.GetValue(ThreadCount) is > 0 and int threads ? ["--threads", $"{threads}"]
        : [];

    /// <summary>Options of each staining.</summary>
    public static string[] OfStaining(ParseResult parse) =>
        parse.GetValue(Device) is string device ? ["--device", device, .. OfTraining(parse)] : OfTraining(parse);

    /// <summary>Splits a comma-separated list.</summary>
    public static IEnumerable<string> Items(ArgumentResult result) => result.Tokens
        .SelectMany(token => token.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
