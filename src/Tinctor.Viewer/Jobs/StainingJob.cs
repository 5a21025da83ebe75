namespace Tinctor.Viewer.Jobs;

/// <summary>State of a job.</summary>
internal enum JobState
{
    /// <summary>Waits for its turn, or goes on after a restart.</summary>
    Queued,

    /// <summary>Its tiles are stained, or the slide is written.</summary>
    Running,

    /// <summary>Paused by a user; stained tiles are kept.</summary>
    Paused,

    /// <summary>The slide is written.</summary>
    Finished,

    /// <summary>Ended by an error.</summary>
    Failed,

    /// <summary>Ended by a user; stained tiles are kept.</summary>
    Cancelled,
}

/// <summary>Job that stains a whole slide.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="Slide">File or folder of the source.</param>
/// <param name="Model">Model folder.</param>
/// <param name="Target">The stained slide.</param>
internal sealed record StainingJob(string Id, string Slide, string Model, string Target)
{
    /// <summary>Stain of the result; null for a model of one stain.</summary>
    public string? Stain { get; init; }

    /// <summary>Slide, model and result.</summary>
    public WorkKey Key => new(Slide, Model, Target, Stain);

    public JobState State { get; init; }

    /// <summary>Number of stained tiles.</summary>
    public int Done { get; init; }

    /// <summary>Number of tiles with tissue; 0 until the slide is opened.</summary>
    public int Total { get; init; }

    /// <summary>Reason of the failure; null if there is none.</summary>
    public string? Error { get; init; }

    public DateTime Created { get; init; }

    public DateTime Updated { get; init; }

    /// <summary>Whether tiles are stained when it is the job's turn.</summary>
    public bool IsActive => State is JobState.Queued or JobState.Running;
}
