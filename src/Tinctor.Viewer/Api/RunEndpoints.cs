using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Api;

/// <summary>Training run. Steps is null if the number is not set; the state is running, finished or stopped.</summary>
internal record RunJson(string Id, string Name, string? Method, long Step, long? Steps, string State);

/// <summary>Curve of a loss or score; a point is a step and a value.</summary>
internal sealed record CurveJson(string Name, IReadOnlyList<double[]> Points);

/// <summary>Sample image of a run.</summary>
internal sealed record SampleJson(long Step, string Url);

/// <summary>Training run with its curves and sample images.</summary>
internal sealed record RunDetailsJson(
    string Id, string Name, string? Method, long Step, long? Steps, string State, IReadOnlyList<CurveJson> Curves,
    IReadOnlyList<SampleJson> Samples) : RunJson(Id, Name, Method, Step, Steps, State);

/// <summary>Training runs: lists, curves, sample images, and events as rows are logged.</summary>
internal sealed class RunEndpoints : IDisposable
{
    private const int MostPoints = 2000, MostStreams = 64;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly Refreshed<IReadOnlyDictionary<string, CatalogueRun>> runs;
    private readonly CancellationToken stopping;
    private readonly EventStreams streams = new(MostStreams);

    /// <summary>Creates the addresses of the runs of folders.</summary>
    /// <param name="folders">Run folders, or folders of them.</param>
    /// <param name="interval">Age from which on the folders are read again.</param>
    /// <param name="stopping">Ends the streams of events.</param>
    public RunEndpoints(SafeFolders folders, TimeSpan interval, CancellationToken stopping)
    {
        this.stopping = stopping;
        runs = new(_ => CatalogueRun.Read(folders), interval);
    }

    /// <summary>Adds the addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup("/api/v1/runs").WithTags("Runs");
        group.MapGet("", () => runs.Value.Values.OrderBy(run => run.Name, StringComparer.Ordinal).Select(Describe))
            .WithSummary("Lists training runs");
        group.MapGet("/{id}", Get).WithSummary("Gets a run with its curves and sample images").Produces<RunDetailsJson>().Produces(404);
        group.MapGet("/{id}/samples/{file}", Sample).WithSummary("Gets a sample image").Produces(200, contentType: "image/png");
        group.MapGet("/{id}/events", Follow).Produces(200, contentType: "text/event-stream")
            .WithSummary("Follows the losses and scores as they are logged; with after, from the rows after that step on");
    }

    /// <inheritdoc/>
    public void Dispose() => streams.Dispose();

    private static RunJson Describe(CatalogueRun run)
    {
        (string? method, long? steps) = run.ReadConfig();
        return new(run.Id, run.Name, method, run.Metrics.LastStep(), steps, run.State.ToString().ToLowerInvariant());
    }

    private static IResult NotFound() => Results.Problem("There is no such run or sample.", statusCode: StatusCodes.Status404NotFound);

    private IResult Get(string id)
    {
        if (!runs.Value.TryGetValue(id, out CatalogueRun? run)) return NotFound();
        RunJson summary = Describe(run);
        return Results.Ok(new RunDetailsJson(summary.Id, summary.Name, summary.Method, summary.Step, summary.Steps, summary.State,
            [.. run.Metrics.Curves(MostPoints).Select(curve => new CurveJson(curve.Name, curve.Points))],
            [.. run.Samples().Select(sample => new SampleJson(sample.Step, $"/api/v1/runs/{id}/samples/{sample.File}"))]));
    }

    private IResult Sample(HttpContext context, string id, string file)
    {
        if (!runs.Value.TryGetValue(id, out CatalogueRun? run) || run.SamplePath(file) is not { } path) return NotFound();
        var info = new FileInfo(path);
        context.Response.Headers.CacheControl = "private, no-cache";
        return Results.File(path, "image/png", lastModified: info.LastWriteTimeUtc,
            entityTag: new EntityTagHeaderValue(
                string.Create(CultureInfo.InvariantCulture, $"\"{info.LastWriteTimeUtc.Ticks:x}-{info.Length:x}\"")));
    }

    private IResult Follow(HttpContext context, string id, long? after = null)
    {
        if (!runs.Value.TryGetValue(id, out CatalogueRun? run)) return NotFound();
        streams.Enter(context);
        // A browser that connects again names the last step that it got.
        if (long.TryParse(context.Request.Headers["Last-Event-ID"], CultureInfo.InvariantCulture, out long last)) after = last;
        return TypedResults.ServerSentEvents(EventsAsync(run, after, context.RequestAborted));
    }

    private async IAsyncEnumerable<SseItem<MetricsRow?>> EventsAsync(
        CatalogueRun run, long? after, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel, stopping);
        DateTime sent = DateTime.MinValue;
        await foreach (MetricsRow? row in run.Metrics.FollowAsync(after, Interval, end.Token))
        {
            // An event from time to time finds clients that are gone.
            if (row is null && DateTime.UtcNow - sent < TimeSpan.FromSeconds(15)) continue;
            sent = DateTime.UtcNow;
            yield return row is null ? new(null, "ping")
                : new(row) { EventId = row.Step.ToString(CultureInfo.InvariantCulture) };
        }
    }
}
