using System.CommandLine;
using System.CommandLine.Invocation;
using Tinctor.Slides;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Cli.Commands;

/// <summary>Options of <c>tinctor stain</c> for many processes that share inputs and output folder, and their status.</summary>
internal static class FleetOptions
{
    private const int MostMissing = 20;

    private static readonly Option<string?> ShardPart = new("--shard")
    {
        Description = "Stain part I of N of the inputs; auto, auto/N: number of the Slurm task or Kubernetes pod",
        HelpName = "I/N|auto",
    };
    private static readonly Option<string?> BandPart = new("--band")
    {
        Description = "Stain band I of N of each slide; the process that completes a slide writes it",
        HelpName = "I/N|auto",
    };
    private static readonly Option<string?> Folder = new("--status")
    {
        Description = "Print which results of an output folder are done, running, failed or missing",
        HelpName = "DIR",
        Action = new StatusAction(),
    };
    private static readonly Option<bool> Json = new("--json") { Description = "Print the status as JSON" };

    /// <summary>All options.</summary>
    public static IReadOnlyList<Option> All { get; } = [ShardPart, BandPart, Folder, Json];

    /// <summary>Gets the part of the inputs that this process stains; null for all.</summary>
    /// <exception cref="OptionException">The value is no part, or the environment does not state it.</exception>
    public static Shard? ShardOf(ParseResult parse) => Read(parse, ShardPart, "Shard");

    /// <summary>Refuses --json where nothing is printed.</summary>
    /// <exception cref="OptionException">The option is given.</exception>
    public static void RefuseJson(ParseResult parse)
    {
        if (parse.GetValue(Json)) throw new OptionException("Json", "only the status is printed as JSON", "Add --status DIR");
    }

    /// <summary>Gets the band of each slide that this process stains; null for whole slides.</summary>
    /// <exception cref="OptionException">The value is no part, or the environment does not state it.</exception>
    public static Shard? BandOf(ParseResult parse) => Read(parse, BandPart, "Band");

    /// <summary>Selects the jobs of a process, balanced by the sizes of their files.</summary>
    /// <param name="jobs">Jobs of all processes.</param>
    /// <param name="shard">Part of this process; null for all.</param>
    /// <param name="band">Band of this process; images, which have no bands, belong to the first one. Null for whole slides.</param>
    public static List<ImageJob> Select(List<ImageJob> jobs, Shard? shard, Shard? band)
    {
        bool[]? selected = shard?.Select([.. jobs.Select(job => FilesOf(job.Input).Sum(SizeOf))],
            [.. jobs.Select(job => job.Name)]);
        return [.. jobs.Where((job, i) => selected?[i] != false && (job.IsSlide || band is not { Number: > 1 }))];
    }

    private static Shard? Read(ParseResult parse, Option<string?> option, string name) =>
        parse.GetValue(option) is { } text ? Shard.Parse(text, name, Environment.GetEnvironmentVariable) : null;

    // The pixels of MRXS are in a folder beside the file.
    private static IEnumerable<string> FilesOf(string input) =>
        Path.GetExtension(input).Equals(".mrxs", StringComparison.OrdinalIgnoreCase)
        && Path.ChangeExtension(input, null) is var folder && Directory.Exists(folder)
            ? SlideFormats.FilesOf(folder) : SlideFormats.FilesOf(input);

    // Missing files have problems that reading reports.
    private static long SizeOf(string file) => new FileInfo(file) is { Exists: true } found ? found.Length : 0;

    private static void Print(StainStatus status)
    {
        foreach (StainState state in new[] { StainState.Failed, StainState.Running, StainState.Missing })
        {
            StainStatus.Entry[] results = [.. status.Results.Where(result => result.State == state)];
            foreach (StainStatus.Entry result in results.Take(state == StainState.Missing ? MostMissing : results.Length))
                Terminal.Result($"{Words.Of(state),-8} {result.File} {result.Detail}".TrimEnd());
            if (state == StainState.Missing && results.Length > MostMissing)
                Terminal.Result($"{Words.Of(state),-8} {results.Length - MostMissing} more; --json lists them");
        }
        Terminal.Result(string.Join(", ", Enum.GetValues<StainState>().Select(state => $"{status.Count(state)} {Words.Of(state)}")) + ".");
    }

    /// <summary>Prints the status in place of staining, for which model and inputs need not be given.</summary>
    private sealed class StatusAction : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            if (parseResult.GetResult(Folder)?.Tokens is not [var folder])
                throw new OptionException("Status", "--status needs the output folder of tinctor stain", "Write it as --status DIR");
            var status = StainStatus.Read(folder.Value);
            if (parseResult.GetValue(Json)) Terminal.Result(status.ToJson());
            else Print(status);
            return status.IsDone ? 0 : 1;
        }
    }
}
