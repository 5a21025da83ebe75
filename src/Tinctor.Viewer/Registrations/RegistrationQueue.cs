using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tinctor.Slides;
using Tinctor.Transforms;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Pixels;
using Tinctor.Viewer.Security;

namespace Tinctor.Viewer.Registrations;

/// <summary>State of an automatic registration.</summary>
internal enum EstimateState
{
    /// <summary>It waits for others.</summary>
    Queued,

    /// <summary>It is computed.</summary>
    Running,

    /// <summary>It ended with an error.</summary>
    Failed,
}

/// <summary>Automatic registration that has not ended, or that failed.</summary>
/// <param name="Id">Identifier of the registration.</param>
/// <param name="Source">Source slide.</param>
/// <param name="Target">Target slide.</param>
internal sealed record Estimate(string Id, CatalogueSlide Source, CatalogueSlide Target)
{
    /// <summary>State.</summary>
    public EstimateState State { get; init; }

    /// <summary>Completed share, 0 to 1.</summary>
    public double Done { get; init; }

    /// <summary>Reason of the failure; null if it has not failed.</summary>
    public string? Error { get; init; }
}

/// <summary>Registers slides in the background, one pair at a time.</summary>
/// <param name="catalogue">Receives the transforms.</param>
/// <param name="estimate">Estimates a transform; null if that is not possible.</param>
/// <param name="log">Receives errors that are defects.</param>
internal sealed partial class RegistrationQueue(RegistrationCatalogue catalogue,
    Func<Slide, Slide, IProgress<double>, RegistrationTransform>? estimate, ILogger<RegistrationQueue> log) : BackgroundService
{
    private const int MostQueued = 20, MostFailures = 100;

    private readonly Channel<string> waiting = Channel.CreateBounded<string>(MostQueued);
    private readonly ConcurrentDictionary<string, Estimate> estimates = new(StringComparer.Ordinal);

    /// <summary>Whether slides can be registered automatically.</summary>
    public bool IsAvailable => estimate is not null;

    /// <summary>Registrations that have not ended, or that failed.</summary>
    public IEnumerable<Estimate> Estimates => estimates.Values;

    /// <summary>Finds a registration that has not ended, or that failed; null if there is none.</summary>
    public Estimate? Find(string id) => estimates.GetValueOrDefault(id);

    /// <summary>Adds a registration, unless the same one waits or runs.</summary>
    /// <exception cref="BusyException">Too many registrations wait.</exception>
    public Estimate Add(CatalogueSlide source, CatalogueSlide target)
    {
        if (estimates.Values.FirstOrDefault(one => one.State != EstimateState.Failed
            && (one.Source.Id, one.Target.Id) == (source.Id, target.Id)) is { } same) return same;
        foreach (Estimate old in estimates.Values.Where(one => one.State == EstimateState.Failed).Skip(MostFailures).ToList())
            estimates.TryRemove(old.Id, out _);
        var added = new Estimate(Guid.CreateVersion7().ToString("N"), source, target);
        estimates[added.Id] = added;
        if (waiting.Writer.TryWrite(added.Id)) return added;
        estimates.TryRemove(added.Id, out _);
        throw new BusyException();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (estimate is null) return;
        await foreach (string id in waiting.Reader.ReadAllAsync(stoppingToken))
            await Task.Factory.StartNew(() => Run(estimates[id]), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Run(Estimate job)
    {
        void Set(Estimate next) => estimates[job.Id] = next;
        try
        {
            Set(job with { State = EstimateState.Running });
            using Slide source = Slide.Open(job.Source.Path), target = Slide.Open(job.Target.Path);
            RegistrationTransform transform = estimate!(source, target,
                new DelegateProgress<double>(done => Set(job with { State = EstimateState.Running, Done = done })));
            catalogue.Add(job.Target, transform, job.Id, isManual: false);
            estimates.TryRemove(job.Id, out _);
        }
        catch (TinctorException e)
        {
            Set(job with { State = EstimateState.Failed, Error = PublicMessage.Of(e) });
        }
        // A defect, or files that vanished, must not end the queue.
        catch (Exception e)
        {
            LogFailure(log, job.Source.Name, job.Target.Name, e);
            Set(job with { State = EstimateState.Failed, Error = "The registration failed; the log of the server has the reason." });
        }
    }

    [LoggerMessage(LogLevel.Error, "The registration of {Source} and {Target} failed")]
    private static partial void LogFailure(ILogger log, string source, string target, Exception exception);
}
