using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Tinctor.Viewer.Jobs;

/// <summary>Jobs that stain whole slides, and the changes of their states. Safe for use by several threads.</summary>
internal sealed class StainingJobs
{
    private readonly JobStore store;
    private readonly ILogger<StainingJobs> log;
    private readonly Lock access = new();
    private readonly Dictionary<string, StainingJob> jobs;
    private bool isUnsaved;

    /// <summary>Reads the jobs. Those that were running when the server ended are queued again.</summary>
    /// <param name="store">File of the jobs.</param>
    /// <param name="log">Receives errors.</param>
    public StainingJobs(JobStore store, ILogger<StainingJobs> log)
    {
        (this.store, this.log) = (store, log);
        jobs = store.Read().ToDictionary(job => job.Id, StringComparer.Ordinal);
        foreach (StainingJob job in jobs.Values.Where(job => job.State == JobState.Running).ToList())
            Update(job.Id, now => now with { State = JobState.Queued });
    }

    /// <summary>Is raised after a job has changed, on any thread.</summary>
    public event Action<StainingJob>? Changed;

    /// <summary>All jobs, the oldest first.</summary>
    public IReadOnlyList<StainingJob> All
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
            StainingJob? same = jobs.Values.FirstOrDefault(job => job.Key == key && (job.IsActive || job.State == JobState.Paused));
            return same ?? Save(new(Guid.CreateVersion7().ToString("N"), key.Slide, key.Model, key.Target)
            {
                Stain = key.Stain,
                Created = DateTime.UtcNow,
            });
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
            return allowed ? Save(job with { State = state, Error = null }) : null;
        }
    }

    /// <summary>Records the progress or the end of a job.</summary>
    /// <remarks>Progress that cannot be saved, as on a full disk, is lost by a restart only: the job then goes on from its tiles.</remarks>
    public void Update(string id, Func<StainingJob, StainingJob> change)
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

    [SuppressMessage("Design", "CA1031", Justification = "A receiver that fails must not stop the staining.")]
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
}
