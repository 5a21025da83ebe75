using System.Diagnostics.Metrics;
using System.Threading.RateLimiting;

namespace Tinctor.Viewer.Pixels;

/// <summary>The queue of reads is full; clients repeat the request later.</summary>
internal sealed class BusyException() : Exception("The server is busy.")
{
    /// <summary>Time after which a client may repeat the request.</summary>
    public static TimeSpan RetryAfter { get; } = TimeSpan.FromSeconds(1);
}

/// <summary>Runs a bounded number of reads of slides at a time; a bounded number of others waits.</summary>
internal sealed class ReadQueue : IDisposable
{
    private readonly ConcurrencyLimiter limiter;
    private readonly Counter<long> done, refused;

    /// <summary>Creates a queue.</summary>
    /// <param name="readers">Largest number of reads at a time.</param>
    /// <param name="queued">Largest number of reads that wait.</param>
    /// <param name="meters">Creates the meter of reads.</param>
    public ReadQueue(int readers, int queued, IMeterFactory meters)
    {
        limiter = new(new()
        {
            PermitLimit = readers,
            QueueLimit = queued,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
        Meter meter = meters.Create(ViewerMeter.Name);
        done = meter.CreateCounter<long>("tinctor.viewer.reads", description: "Regions read from slides");
        refused = meter.CreateCounter<long>("tinctor.viewer.refused_reads", description: "Reads refused because the queue was full");
        meter.CreateObservableGauge("tinctor.viewer.queued_reads", () => limiter.GetStatistics()?.CurrentQueuedCount ?? 0,
            description: "Reads that wait");
    }

    /// <summary>Runs a read when its turn comes.</summary>
    /// <exception cref="BusyException">Too many reads wait.</exception>
    /// <exception cref="OperationCanceledException">The request was cancelled while it waited.</exception>
    public async Task<T> RunAsync<T>(Func<T> read, CancellationToken cancel)
    {
        using RateLimitLease turn = await limiter.AcquireAsync(1, cancel);
        if (!turn.IsAcquired)
        {
            refused.Add(1);
            throw new BusyException();
        }
        cancel.ThrowIfCancellationRequested();
        // A thread of its own: those of the pool answer requests, and there are as few of them as processors.
        T result = await Task.Factory.StartNew(read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        done.Add(1);
        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => limiter.Dispose();
}

/// <summary>The meter of the viewer.</summary>
internal static class ViewerMeter
{
    /// <summary>Name of the meter.</summary>
    public const string Name = "Tinctor.Viewer";
}
