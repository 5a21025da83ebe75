namespace Tinctor.Torch.Ranks;

/// <summary>End of a rank that ends the whole job.</summary>
/// <param name="rank">Number of the rank.</param>
/// <param name="place">Host and process of the rank, as in "node07, process 4711".</param>
/// <param name="reason">Reason, as in "its connection was closed".</param>
internal sealed class RankFailure(int rank, string place, string reason) : TinctorException(null,
    $"the training ends because rank {rank} ({place}) ended: {reason.TrimEnd('.')}", "The run can be resumed from its last checkpoint")
{
    /// <summary>Number of the rank.</summary>
    public int Rank => rank;

    /// <summary>Host and process of the rank.</summary>
    public string Place => place;

    /// <summary>Reason of its end.</summary>
    public string Reason => reason;
}
