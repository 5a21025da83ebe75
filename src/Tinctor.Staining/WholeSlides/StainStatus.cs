using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tinctor.Staining.WholeSlides;

/// <summary>State of a result of staining.</summary>
internal enum StainState
{
    /// <summary>The result is complete.</summary>
    Done,

    /// <summary>A running process stains it.</summary>
    Running,

    /// <summary>The last attempt failed.</summary>
    Failed,

    /// <summary>Nothing is there, or tiles of an interrupted process.</summary>
    Missing,
}

/// <summary>States of all results that were asked for in an output folder.</summary>
internal sealed class StainStatus
{
    private const string Format = "tinctor-stain-status";
    private const int Version = 1;

    private static readonly JsonSerializerOptions Json = new(JsonFormat.Readable)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    private StainStatus(IReadOnlyList<Entry> results) => Results = results;

    /// <summary>The results, in the order of their files.</summary>
    public IReadOnlyList<Entry> Results { get; }

    /// <summary>Whether all results are complete.</summary>
    public bool IsDone => Results.All(result => result.State == StainState.Done);

    /// <summary>Reads the states in an output folder.</summary>
    /// <exception cref="TinctorException">No results were asked for in this folder.</exception>
    public static StainStatus Read(string folder) => new([.. StainJobs.Read(folder).Select(job => StateOf(folder, job))]);

    /// <summary>Number of results in a state.</summary>
    public int Count(StainState state) => Results.Count(result => result.State == state);

    /// <summary>Formats the states as JSON with a format and a version.</summary>
    public string ToJson() => JsonSerializer.Serialize(new
    {
        Format,
        Version,
        Done = Count(StainState.Done),
        Running = Count(StainState.Running),
        Failed = Count(StainState.Failed),
        Missing = Count(StainState.Missing),
        Results,
    }, Json);

    private static Entry StateOf(string folder, StainJob job)
    {
        string path = Path.Combine(folder, job.File), tiles = SlideTiles.StorePath(path);
        // A result that is being replaced is not done.
        if (TileLock.FindHolders(tiles) is { Count: > 0 } holders)
        {
            return new(job.File, job.Source, StainState.Running)
            {
                Processes = [.. holders.Select(found => new Worker(found.Holder.Host, found.Holder.Process, found.Band?.ToString()))],
                Tiles = CountTiles(tiles),
            };
        }
        if (File.Exists(path) && !SlideTiles.IsIncomplete(path)
            && (job.Uncertainty is null || File.Exists(Path.Combine(folder, job.Uncertainty))))
            return new(job.File, job.Source, StainState.Done);
        return StainFailure.Read(path) is { } failure
            ? new(job.File, job.Source, StainState.Failed) { Error = failure.Error, Host = failure.Host, Time = failure.Time }
            : new(job.File, job.Source, StainState.Missing) { Tiles = CountTiles(tiles) };
    }

    // The other files of the folder are tiles of uncertainty, and a note.
    private static int? CountTiles(string folder) => !Directory.Exists(folder) ? null
        : Directory.EnumerateFiles(folder, "*.png").Select(file => Path.GetFileName(file))
            .Count(name => name[0] != '.' && name.Count(letter => letter == '-') == 1);

    /// <summary>Running process that stains a result.</summary>
    /// <param name="Host">Name of its computer.</param>
    /// <param name="Process">Its process id.</param>
    /// <param name="Band">Band of the slide, as in 2/8; null for the whole slide.</param>
    internal sealed record Worker(string Host, int Process, string? Band);

    /// <summary>State of a result.</summary>
    /// <param name="File">Stained image or slide, relative to the output folder.</param>
    /// <param name="Source">The image or slide.</param>
    /// <param name="State">The state.</param>
    internal sealed record Entry(string File, string Source, StainState State)
    {
        /// <summary>Processes that stain it; null unless it is running.</summary>
        public IReadOnlyList<Worker>? Processes { get; init; }

        /// <summary>Number of stained tiles of an unfinished slide; null for none.</summary>
        public int? Tiles { get; init; }

        /// <summary>Error of the last attempt, in one line; null unless it failed.</summary>
        public string? Error { get; init; }

        /// <summary>Computer of the last attempt; null unless it failed.</summary>
        public string? Host { get; init; }

        /// <summary>Time of the last attempt, UTC; null unless it failed.</summary>
        public DateTime? Time { get; init; }

        /// <summary>Describes the state in a few words; empty for a complete result.</summary>
        [JsonIgnore]
        public string Detail => State switch
        {
            StainState.Running => string.Join(", ", Processes!.Select(worker => string.Create(CultureInfo.InvariantCulture,
                $"{(worker.Band is null ? "" : $"band {worker.Band}, ")}process {worker.Process} on {worker.Host}"))),
            StainState.Failed => $"{Error} ({Host}, {Time:u})",
            StainState.Missing when Tiles > 0 => $"interrupted after {Tiles} tiles",
            _ => "",
        };
    }
}
