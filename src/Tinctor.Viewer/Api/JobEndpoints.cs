using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Jobs;

namespace Tinctor.Viewer.Api;

/// <summary>Request for a job: identifiers of a slide and a model.</summary>
internal sealed record JobRequest(string Slide, string Model);

/// <summary>Job that stains a slide. Slide, model and result are identifiers; done and total are tiles.</summary>
internal sealed record JobJson(string Id, string Slide, string SlideName, string Model, string ModelName, string State, int Done, int Total,
    string? Error, string? Result, DateTime Created, DateTime Updated);

/// <summary>Jobs that stain whole slides: list, add, pause, continue, cancel, and events as they go on.</summary>
/// <param name="jobs">The jobs.</param>
/// <param name="places">Places of results.</param>
/// <param name="models">Models of the folders.</param>
/// <param name="stopping">Ends the streams of events.</param>
internal sealed class JobEndpoints(StainingJobs jobs, StainedPlaces places, ModelEndpoints models, CancellationToken stopping)
    : IDisposable
{
    private const int MostStreams = 100;

    // A client that does not read loses old events: the newest of a job holds all that matters.
    private const int LargestBacklog = 64;

    private readonly EventStreams streams = new(MostStreams);

    /// <summary>Adds the addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup("/api/v1/jobs").WithTags("Jobs");
        group.MapGet("", () => jobs.All.Select(Describe)).WithSummary("Lists jobs, the oldest first");
        group.MapPost("", Add).WithSummary("Adds a job that stains a slide with a model").Produces<JobJson>(201).ProducesProblem(404);
        group.MapGet("/{id}", (string id) => Answer(jobs.All.FirstOrDefault(job => job.Id == id), "There is no such job.", 404))
            .WithSummary("Gets a job").Produces<JobJson>().ProducesProblem(404);
        group.MapGet("/events", Follow).WithSummary("Sends a job whenever it changes").Produces(200, contentType: "text/event-stream");
        MapChange("pause", JobState.Paused, "Pauses a job; stained tiles are kept");
        MapChange("resume", JobState.Queued, "Continues a job that was paused or cancelled, or that failed");
        MapChange("cancel", JobState.Cancelled, "Cancels a job; stained tiles are kept");

        void MapChange(string action, JobState state, string summary) =>
            group.MapPost($"/{{id}}/{action}", (string id) => Answer(jobs.Change(id, state),
                "There is no such job, or its state does not allow this.", 409))
                .WithSummary(summary).Produces<JobJson>().ProducesProblem(409);
    }

    /// <inheritdoc/>
    public void Dispose() => streams.Dispose();

    private IResult Add(JobRequest request)
    {
        if (places.Find(request.Slide, request.Model) is not { } key)
            return Results.Problem("There is no such slide or model.", statusCode: 404);
        if (StainedPlaces.FinishedId(key.Target) is not null)
            return Results.Problem("The slide is stained with this model already.", statusCode: 409);
        StainingJob job = jobs.Add(key);
        return Results.Created($"/api/v1/jobs/{job.Id}", Describe(job));
    }

    private IResult Follow(HttpContext context)
    {
        streams.Enter(context);
        return TypedResults.ServerSentEvents(Events(context.RequestAborted));
    }

    private async IAsyncEnumerable<SseItem<JobJson?>> Events([EnumeratorCancellation] CancellationToken cancel)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel, stopping);
        var changed = Channel.CreateBounded<StainingJob>(
            new BoundedChannelOptions(LargestBacklog) { FullMode = BoundedChannelFullMode.DropOldest });
        void Receive(StainingJob job) => changed.Writer.TryWrite(job);
        jobs.Changed += Receive;
        try
        {
            // The first event opens the stream, also where there is no job.
            yield return new(null, "open");
            foreach (StainingJob job in jobs.All) yield return new(Describe(job));
            await foreach (StainingJob job in changed.Reader.ReadAllAsync(end.Token)) yield return new(Describe(job));
        }
        finally
        {
            jobs.Changed -= Receive;
        }
    }

    private IResult Answer(StainingJob? job, string problem, int status) =>
        job is null ? Results.Problem(problem, statusCode: status) : Results.Ok(Describe(job));

    private JobJson Describe(StainingJob job)
    {
        string model = CatalogueModel.IdOf(job.Model, job.Stain);
        return new(job.Id, SafeFolders.IdOf(job.Slide), Path.GetFileName(job.Slide), model,
            models.Find(model)?.Name ?? Path.GetFileName(job.Model), $"{job.State}".ToLowerInvariant(), job.Done, job.Total, job.Error,
            job.State == JobState.Finished ? StainedPlaces.FinishedId(job.Target) : null, job.Created, job.Updated);
    }
}
