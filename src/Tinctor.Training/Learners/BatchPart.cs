using Tinctor.Torch;
using Tinctor.Torch.Distributed;

namespace Tinctor.Training.Learners;

/// <summary>
/// Part of a batch that passes through the networks at a time (gradient accumulation). In a distributed training, the batch is that of this
/// rank, and its parts contribute to the mean over the batches of all ranks.
/// </summary>
/// <param name="Start">Index of the first pair in the batch.</param>
/// <param name="Count">Number of pairs.</param>
/// <param name="Total">Number of pairs in the batch.</param>
internal readonly record struct BatchPart(int Start, int Count, int Total)
{
    /// <summary>Whether the part is the whole batch.</summary>
    public bool IsWhole => Count == Total;

    /// <summary>Number of ranks, whose batches have the same number of pairs.</summary>
    public int Ranks { get; init; } = BatchAcrossRanks.Ranks?.WorldSize ?? 1;

    /// <summary>Number of pairs in the batches of all ranks.</summary>
    public int TotalOfRanks => Total * Ranks;

    /// <summary>Share of the batches of all ranks: weight of the part's mean in the mean over them.</summary>
    public double Share => (double)Count / TotalOfRanks;

    /// <summary>Splits a batch into parts of at most <paramref name="size"/> pairs; the sizes differ by at most one.</summary>
    /// <param name="total">Number of pairs in the batch.</param>
    /// <param name="size">Maximum number of pairs in a part; 0 for the whole batch.</param>
    public static IReadOnlyList<BatchPart> Split(long total, int size)
    {
        int pairs = (int)total, parts = size > 0 ? (pairs + size - 1) / size : 1;
        return [.. Enumerable.Range(0, parts).Select(i => new BatchPart(Bound(i), Bound(i + 1) - Bound(i), pairs))];

        int Bound(int part) => (int)((long)pairs * part / parts);
    }

    /// <summary>Gets the part's rows of a tensor of the batch.</summary>
    public Tensor Of(Tensor batch) => IsWhole ? batch : batch.narrow(0, Start, Count);

    /// <summary>Gets the part's elements of a list of the batch.</summary>
    public IReadOnlyList<T>? Of<T>(IReadOnlyList<T>? batch) => IsWhole ? batch : batch?.Skip(Start).Take(Count).ToArray();

    /// <summary>Computes the gradients of a mean over the part, as its contribution to the mean over the batch.</summary>
    /// <param name="mean">Scalar loss, a mean over the pairs of the part.</param>
    public void Backward(Tensor mean)
    {
        using Tensor? weighted = Share == 1 ? null : mean * Share;
        using Guard? final = Start + Count == Total ? DistributedDataParallel.FinalBackward() : null;
        (weighted ?? mean).backward();
    }
}
