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

    private readonly StainingJobs jobs;
    private readonly int mostRequests;
    private readonly ILogger<StainingQueue> log;
    private readonly Lock access = new();
    private readonly SemaphoreSlim wake = new(0);
    private readonly Dictionary<WorkKey, Opening> works = [];
    private readonly Dictionary<string, Stainer> models = [];
    private readonly List<Request> requests = [];
    private readonly List<Task> writes = [];
    private WorkKey? last, busy;

    /// <summary>Creates the queue.</summary>
    /// <param name="jobs">Jobs that stain whole slides.</param>
    /// <param name="mostRequests">Largest number of regions that wait to be stained.</param>
    /// <param name="log">Receives errors.</param>
    public StainingQueue(StainingJobs jobs, int mostRequests, ILogger<StainingQueue> log)
    {
        (this.jobs, this.mostRequests, this.log) = (jobs, mostRequests, log);
        jobs.Changed += WakeFor;
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
        jobs.Changed -= WakeFor;
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

    // Running jobs change with every tile that is stained here.
    private void WakeFor(StainingJob changed)
    {
        if (changed.State != JobState.Running) wake.Release();
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
            job = Next(jobs.All.Where(job => job.IsActive && !IsFinishing(job)).Take(MostJobs).ToList(), job => job.Key);
            if (job is null) return false;
            last = busy = job.Key;
        }
        try
        {
            SlideInWork work = Open(job.Key);
            work.Used = DateTime.UtcNow;
            if (work.NextMissing() is { } tile) work.Stain(tile);
            jobs.Update(job.Id, now => now.IsActive ? now with { State = JobState.Running, Done = work.Done, Total = work.Total } : now);
            if (work.NextMissing() is null) Finish(job, work, cancel);
        }
        catch (Exception e)
        {
            lock (access)
            {
                if (works.TryGetValue(job.Key, out Opening? opening) && opening.TryFail(e)) works.Remove(job.Key);
            }
            Fail(job, e);
        }
        return true;
    }

    private bool IsFinishing(StainingJob job) =>
        works.TryGetValue(job.Key, out Opening? opening) && opening.Work is { IsCompletedSuccessfully: true, Result.IsFinishing: true };

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
                jobs.Update(job.Id, now => now with { State = JobState.Finished, Done = work.Total, Total = work.Total });
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
        jobs.Update(job.Id, now => now with { State = JobState.Failed, Error = message });
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
        HashSet<WorkKey> used = [.. requests.Select(request => request.Work.Key)];
        used.UnionWith(jobs.All.Where(job => job.IsActive).Select(job => job.Key));
        return Opened().Where(work => !work.IsFinishing && work.Key != busy && !used.Contains(work.Key));
    }

    private void Close(SlideInWork work)
    {
        lock (access) works.Remove(work.Key);
        work.Dispose();
    }

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
