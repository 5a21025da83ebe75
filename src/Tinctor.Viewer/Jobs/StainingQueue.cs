using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tinctor.Staining;
using Tinctor.Staining.WholeSlides;
using Tinctor.Viewer.Pixels;
using Tinctor.Viewer.Security;

namespace Tinctor.Viewer.Jobs;

/// <summary>
/// Stains tiles one after the other: first those that somebody looks at, nearest to the centre of the view first, then those of jobs.
/// Slides take turns, so that users share the machine. Requests that are cancelled, because their tiles left the view, are forgotten.
/// </summary>
internal sealed class StainingQueue : BackgroundService
{
    // Slides that are open for views, and jobs that take turns; each slide holds some images in memory.
    private const int MostOpen = 12, MostJobs = 4;

    private static readonly TimeSpan IdleTime = TimeSpan.FromMinutes(2), Beat = TimeSpan.FromSeconds(5);

    private readonly JobStore store;
    private readonly int mostRequests;
    private readonly ILogger<StainingQueue> log;
    private readonly Lock access = new();
    private readonly SemaphoreSlim wake = new(0);
    private readonly Dictionary<WorkKey, Opening> works = [];
    private readonly Dictionary<string, Stainer> models = [];
    private readonly Dictionary<string, StainingJob> jobs;
    private readonly List<Request> requests = [];
    private readonly List<Task> writes = [];
    private WorkKey? last, busy;
    private bool isUnsaved;

    /// <summary>Creates the queue. Jobs that were running when the server ended are queued again.</summary>
    /// <param name="store">Jobs.</param>
    /// <param name="mostRequests">Largest number of regions that wait to be stained.</param>
    /// <param name="log">Receives errors.</param>
    public StainingQueue(JobStore store, int mostRequests, ILogger<StainingQueue> log)
    {
        (this.store, this.mostRequests, this.log) = (store, mostRequests, log);
        jobs = store.Read().ToDictionary(job => job.Id, StringComparer.Ordinal);
        foreach (StainingJob job in jobs.Values.Where(job => job.State == JobState.Running).ToList())
            Update(job.Id, now => now with { State = JobState.Queued });
    }

    /// <summary>Is raised after a job has changed, on any thread.</summary>
    public event Action<StainingJob>? Changed;

    /// <summary>All jobs, the oldest first.</summary>
    public IReadOnlyList<StainingJob> Jobs
    {
        get
        {
            lock (access) return [.. jobs.Values.OrderBy(job => job.Created)];
        }
    }

    /// <summary>Adds a job, unless an active one does the same.</summary>
    /// <exception cref="TinctorException">The job cannot be saved, as on a full disk.</exception>
    public StainingJob Add(WorkKey key)
    {
        lock (access)
        {
            if (jobs.Values.FirstOrDefault(job => KeyOf(job) == key && (job.IsActive || job.State == JobState.Paused)) is { } same)
                return same;
            StainingJob job = Save(new(Guid.CreateVersion7().ToString("N"), key.Slide, key.Model, key.Target)
            {
                Stain = key.Stain,
                Created = DateTime.UtcNow,
            });
            wake.Release();
            return job;
        }
    }

    /// <summary>Pauses, continues or cancels a job.</summary>
    /// <returns>The job, or null if there is none or it cannot change to that state.</returns>
    /// <exception cref="TinctorException">The change cannot be saved, as on a full disk.</exception>
    public StainingJob? Change(string id, JobState state)
    {
        lock (access)
        {
            if (!jobs.TryGetValue(id, out StainingJob? job)) return null;
            bool allowed = state switch
            {
                JobState.Paused => job.IsActive,
                JobState.Queued => job.State is JobState.Paused or JobState.Failed or JobState.Cancelled,
                JobState.Cancelled => job.IsActive || job.State == JobState.Paused,
                _ => false,
            };
            if (!allowed) return null;
            wake.Release();
            return Save(job with { State = state, Error = null });
        }
    }

    /// <summary>Opens a slide for staining, or returns the one that is open.</summary>
    /// <exception cref="BusyException">Too many slides are in use.</exception>
    /// <exception cref="TinctorException">It cannot be stained with the model, or another process stains it.</exception>
    public Task<SlideInWork> OpenAsync(WorkKey key)
    {
        Opening? opened;
        lock (access)
        {
            if (works.TryGetValue(key, out opened)) return opened.Work;
            if (works.Count >= MostOpen && Idle().MinBy(work => work.Used) is { } oldest) Close(oldest);
            if (works.Count >= MostOpen) throw new BusyException();
            opened = works[key] = new();
        }
        wake.Release();
        return opened.Work;
    }

    /// <summary>Stains the tiles that touch a rectangle.</summary>
    /// <param name="work">The slide.</param>
    /// <param name="x">First column, in pixels of the stained slide.</param>
    /// <param name="y">First row.</param>
    /// <param name="width">Width of the rectangle.</param>
    /// <param name="height">Height of the rectangle.</param>
    /// <param name="cancel">Forgets the request.</param>
    /// <returns>False if too many requests wait.</returns>
    /// <exception cref="TinctorException">The slide is damaged, or the network fails.</exception>
    public async Task<bool> StainAsync(SlideInWork work, int x, int y, int width, int height, CancellationToken cancel)
    {
        work.Used = DateTime.UtcNow;
        if (work.IsFinishing || work.Missing(x, y, width, height).Count == 0) return true;
        var request = new Request(work, x, y, width, height);
        lock (access)
        {
            if (requests.Count >= mostRequests) return false;
            requests.Add(request);
        }
        wake.Release();
        try
        {
            await request.Done.Task.WaitAsync(cancel);
            return true;
        }
        finally
        {
            lock (access) requests.Remove(request);
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        Task[] running;
        lock (access) running = [.. writes];
        // Their errors have been reported where they belong.
        await Task.WhenAll(running).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        // The tile in work uses its model to the end.
        ExecuteTask?.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Wait();
        lock (access)
        {
            foreach (SlideInWork work in Opened().ToList()) Close(work);
            foreach (Opening opening in works.Values) opening.TryFail(new OperationCanceledException());
            foreach (Stainer model in models.Values) model.Dispose();
            models.Clear();
        }
        wake.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => Work(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Work(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            if (OpenNext() || StainRequested() || StainOfJob(cancel)) continue;
            lock (access) busy = null;
            CloseIdle();
            try
            {
                wake.Wait(Beat, cancel);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    // Slides are opened on this thread as well, because it measures them with the network.
    private bool OpenNext()
    {
        WorkKey key;
        lock (access)
        {
            key = works.FirstOrDefault(work => !work.Value.Work.IsCompleted).Key;
            if (key == default) return false;
        }
        try
        {
            Open(key);
        }
        catch (Exception e)
        {
            lock (access)
            {
                if (works.Remove(key, out Opening? failed)) failed.TryFail(e);
            }
        }
        return true;
    }

    private SlideInWork Open(WorkKey key)
    {
        Opening opening;
        lock (access)
        {
            if (!works.TryGetValue(key, out opening!)) opening = works[key] = new();
        }
        if (opening.Work.IsCompletedSuccessfully) return opening.Work.Result;
        if (!models.TryGetValue(key.Model, out Stainer? model)) model = models[key.Model] = OnnxModel.LoadStainer(key.Model);
        var work = new SlideInWork(key, key.Stain is { } stain ? model.ForStain(stain) : model);
        opening.Succeed(work);
        return work;
    }

    // Slides take turns; of one slide, the tile nearest to the centre of the view.
    private bool StainRequested()
    {
        SlideInWork? work;
        lock (access)
        {
            work = Next(requests.Select(request => request.Work).Distinct().ToList(), work => work.Key);
            if (work is null) return false;
            last = busy = work.Key;
        }
        try
        {
            if (NextRequested(work) is { } tile) work.Stain(tile);
            Complete(work, null);
        }
        catch (Exception e)
        {
            Complete(work, e);
        }
        return true;
    }

    private Tile? NextRequested(SlideInWork work)
    {
        Request[] own;
        lock (access) own = [.. requests.Where(request => request.Work == work)];
        IEnumerable<Tile> tiles = own.SelectMany(request => request.Missing()).Distinct();
        if (work.ViewCentre is not { } centre) return tiles.Select(tile => (Tile?)tile).FirstOrDefault();
        return tiles.Select(tile => (Tile?)tile).MinBy(tile => work.Distance(tile!.Value, centre.X, centre.Y));
    }

    private void Complete(SlideInWork work, Exception? error)
    {
        lock (access)
        {
            foreach (Request request in requests.Where(request => request.Work == work).ToList())
            {
                if (error is not null) request.Done.TrySetException(error);
                else if (!request.Missing().Any()) request.Done.TrySetResult();
                else continue;
                requests.Remove(request);
            }
        }
    }

    private bool StainOfJob(CancellationToken cancel)
    {
        StainingJob? job;
        lock (access)
        {
            job = Next(jobs.Values.Where(job => job.IsActive && !IsFinishing(job)).OrderBy(job => job.Created).Take(MostJobs).ToList(),
                KeyOf);
            if (job is null) return false;
            last = busy = KeyOf(job);
        }
        try
        {
            SlideInWork work = Open(KeyOf(job));
            work.Used = DateTime.UtcNow;
            if (work.NextMissing() is { } tile) work.Stain(tile);
            Update(job.Id, now => now.IsActive ? now with { State = JobState.Running, Done = work.Done, Total = work.Total } : now);
            if (work.NextMissing() is null) Finish(job, work, cancel);
        }
        catch (Exception e)
        {
            lock (access)
            {
                if (works.TryGetValue(KeyOf(job), out Opening? opening) && opening.TryFail(e)) works.Remove(KeyOf(job));
            }
            Fail(job, e);
        }
        return true;
    }

    private bool IsFinishing(StainingJob job) =>
        works.TryGetValue(KeyOf(job), out Opening? opening) && opening.Work is { IsCompletedSuccessfully: true, Result.IsFinishing: true };

    // The slide is written on another thread, while other slides are stained.
    private void Finish(StainingJob job, SlideInWork work, CancellationToken cancel)
    {
        work.IsFinishing = true;
        Task write = Task.Run(() =>
        {
            try
            {
                work.Finish(cancel);
                Close(work);
                Update(job.Id, now => now with { State = JobState.Finished, Done = work.Total, Total = work.Total });
            }
            catch (OperationCanceledException)
            {
                // The server ends; the job goes on after its next start.
            }
            catch (Exception e)
            {
                Close(work);
                Fail(job, e);
            }
        }, CancellationToken.None);
        lock (access)
        {
            writes.RemoveAll(task => task.IsCompleted);
            writes.Add(write);
        }
    }

    private void Fail(StainingJob job, Exception error)
    {
        string message = error is TinctorException e ? PublicMessage.Of(e)
            : "The slide could not be stained; the log of the server has the reason.";
        if (error is not TinctorException) log.LogError(error, "Job {Job} failed", job.Id);
        Update(job.Id, now => now with { State = JobState.Failed, Error = message });
    }

    // Progress that cannot be saved, as on a full disk, is lost by a restart only: the job then goes on from its tiles.
    private void Update(string id, Func<StainingJob, StainingJob> change)
    {
        lock (access)
        {
            if (!jobs.TryGetValue(id, out StainingJob? job)) return;
            job = change(job) with { Updated = DateTime.UtcNow };
            try
            {
                store.Write(job);
                isUnsaved = false;
            }
            catch (TinctorException e)
            {
                if (!isUnsaved) log.LogError(e, "Jobs cannot be saved");
                isUnsaved = true;
            }
            Announce(job);
        }
    }

    private StainingJob Save(StainingJob job)
    {
        job = job with { Updated = DateTime.UtcNow };
        store.Write(job);
        return Announce(job);
    }

    [SuppressMessage("Design", "CA1031", Justification = "A receiver that fails must not stop the queue.")]
    private StainingJob Announce(StainingJob job)
    {
        jobs[job.Id] = job;
        try
        {
            Changed?.Invoke(job);
        }
        catch (Exception e)
        {
            log.LogError(e, "A receiver of jobs failed");
        }
        return job;
    }

    // The item after that of the last turn.
    private T? Next<T>(List<T> items, Func<T, WorkKey> keyOf) where T : class =>
        items.Count == 0 ? null : items[(items.FindLastIndex(item => keyOf(item) == last) + 1) % items.Count];

    private void CloseIdle()
    {
        lock (access)
        {
            foreach (SlideInWork work in Idle().Where(work => DateTime.UtcNow - work.Used > IdleTime).ToList()) Close(work);
            // Models are used on this thread only, which uses none now.
            foreach (string model in models.Keys.Where(model => works.Keys.All(key => key.Model != model)).ToList())
            {
                models.Remove(model, out Stainer? unused);
                unused!.Dispose();
            }
        }
    }

    private IEnumerable<SlideInWork> Opened() =>
        works.Values.Where(opening => opening.Work.IsCompletedSuccessfully).Select(opening => opening.Work.Result);

    // Slides that nobody waits for and no job stains.
    private IEnumerable<SlideInWork> Idle()
    {
        HashSet<WorkKey> used = [.. jobs.Values.Where(job => job.IsActive).Select(KeyOf), .. requests.Select(request => request.Work.Key)];
        return Opened().Where(work => !work.IsFinishing && work.Key != busy && !used.Contains(work.Key));
    }

    private void Close(SlideInWork work)
    {
        lock (access) works.Remove(work.Key);
        work.Dispose();
    }

    private static WorkKey KeyOf(StainingJob job) => new(job.Slide, job.Model, job.Target, job.Stain);

    // Slide that is being opened or open.
    private sealed class Opening
    {
        private readonly TaskCompletionSource<SlideInWork> source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<SlideInWork> Work => source.Task;

        public void Succeed(SlideInWork work) => source.TrySetResult(work);

        public bool TryFail(Exception error) => source.TrySetException(error);
    }

    private sealed record Request(SlideInWork Work, int X, int Y, int Width, int Height)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IEnumerable<Tile> Missing() => Work.Missing(X, Y, Width, Height);
    }
}
