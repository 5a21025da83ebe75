using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tinctor.Viewer.Pixels;

namespace Tinctor.Viewer.Measurements;

/// <summary>State of a measurement.</summary>
internal enum MeasurementState
{
    /// <summary>Waits for its turn.</summary>
    Queued,

    /// <summary>Regions are measured.</summary>
    Running,

    /// <summary>The result is there.</summary>
    Finished,

    /// <summary>Ended by an error.</summary>
    Failed,

    /// <summary>Ended by a user, or because nobody asked for it any more.</summary>
    Cancelled,
}

/// <summary>Measurement at one time.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="Plan">Regions, pictures and settings.</param>
internal sealed record MeasurementStatus(string Id, MeasurementPlan Plan)
{
    public MeasurementState State { get; init; }

    /// <summary>Number of finished steps.</summary>
    public int Done { get; init; }

    /// <summary>Number of all steps; 0 until the pictures are open.</summary>
    public int Total { get; init; }

    /// <summary>Reason of the failure; null if there is none.</summary>
    public Exception? Error { get; init; }

    /// <summary>The values; null until the measurement has finished.</summary>
    public MeasurementResult? Result { get; init; }
}

/// <summary>
/// Carries out one measurement at a time; a bounded number of others waits. The latest results are kept in memory. A measurement that
/// nobody asks for is cancelled.
/// </summary>
/// <param name="measure">Carries out a measurement: plan, progress, cancellation.</param>
/// <param name="log">Receives errors that are defects.</param>
internal sealed class MeasurementQueue(Func<MeasurementPlan, Action<int, int>, CancellationToken, MeasurementResult> measure,
    ILogger<MeasurementQueue> log) : BackgroundService
{
    /// <summary>Number of measurements that may wait.</summary>
    public const int MostWaiting = 8;

    private const int MostKept = 50;
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(5);

    private readonly Channel<Entry> waiting = Channel.CreateUnbounded<Entry>();
    private readonly ConcurrentDictionary<string, Entry> entries = [];
    private readonly Lock adding = new();

    /// <summary>Adds a measurement.</summary>
    /// <exception cref="BusyException">Too many measurements wait.</exception>
    public MeasurementStatus Add(MeasurementPlan plan)
    {
        lock (adding)
        {
            if (entries.Values.Count(entry => entry.Status.State == MeasurementState.Queued) >= MostWaiting) throw new BusyException();
            foreach (Entry old in entries.Values.Where(entry => entry.HasEnded).OrderByDescending(entry => entry.Asked).Skip(MostKept - 1))
                entries.TryRemove(old.Status.Id, out _);
            var entry = new Entry(new(Guid.CreateVersion7().ToString("N"), plan));
            entries[entry.Status.Id] = entry;
            waiting.Writer.TryWrite(entry);
            return entry.Status;
        }
    }

    /// <summary>Gets a measurement; null if there is none, or its result is not kept any more.</summary>
    public MeasurementStatus? Find(string id)
    {
        if (!entries.TryGetValue(id, out Entry? entry)) return null;
        entry.Asked = DateTime.UtcNow;
        return entry.Status;
    }

    /// <summary>Cancels a measurement that has not ended, and forgets its result otherwise; null if there is none.</summary>
    public MeasurementStatus? Cancel(string id)
    {
        if (!entries.TryGetValue(id, out Entry? entry)) return null;
        if (entry.HasEnded) entries.TryRemove(id, out _);
        else entry.Cancel();
        return entry.Status;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Factory.StartNew(() =>
    {
        try
        {
            while (true)
            {
                Entry entry = waiting.Reader.ReadAsync(stoppingToken).AsTask().GetAwaiter().GetResult();
                Run(entry, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The server ends.
        }
    }, stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(Entry entry, CancellationToken stopping)
    {
        if (!entry.TryStart()) return;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stopping, entry.Cancelled);
        try
        {
            MeasurementResult result = measure(entry.Status.Plan, (done, total) =>
            {
                entry.Change(now => now with { Done = done, Total = total });
                if (DateTime.UtcNow - entry.Asked > Forgotten) entry.Cancel();
            }, cancel.Token);
            entry.Change(now => now with { State = MeasurementState.Finished, Result = result });
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            entry.Change(now => now with { State = MeasurementState.Cancelled });
        }
        catch (Exception e)
        {
            if (e is not TinctorException) log.LogError(e, "Measurement {Id} failed", entry.Status.Id);
            entry.Change(now => now with { State = MeasurementState.Failed, Error = e });
        }
    }

    private sealed class Entry(MeasurementStatus status)
    {
        private readonly Lock access = new();
        private readonly CancellationTokenSource cancelled = new();

        public MeasurementStatus Status { get; private set; } = status;

        public DateTime Asked { get; set; } = DateTime.UtcNow;

        public CancellationToken Cancelled => cancelled.Token;

        public bool HasEnded => Status.State is not (MeasurementState.Queued or MeasurementState.Running);

        public void Change(Func<MeasurementStatus, MeasurementStatus> change)
        {
            lock (access) Status = change(Status);
        }

        public bool TryStart()
        {
            lock (access)
            {
                if (Status.State != MeasurementState.Queued) return false;
                Status = Status with { State = MeasurementState.Running };
                return true;
            }
        }

        public void Cancel()
        {
            lock (access)
            {
                if (Status.State == MeasurementState.Queued) Status = Status with { State = MeasurementState.Cancelled };
            }
            cancelled.Cancel();
        }
    }
}
