namespace Tinctor.Training.Loading;

/// <summary>
/// Loads a data set in batches and prefetches on other threads. The order depends on the seed and the epoch only; neither order nor content
/// depends on the number of workers or the first batch. In a distributed training, each rank loads its part of every batch.
/// </summary>
internal sealed class PairLoader
{
    private readonly int prefetch;
    private readonly TaskFactory workers;

    /// <summary>Creates a loader.</summary>
    /// <param name="dataset">Data set to load.</param>
    /// <param name="batchSize">Pairs per batch; the last batch of an epoch may be smaller.</param>
    /// <param name="shuffle">Whether each epoch has a random order; otherwise the order of the data set.</param>
    /// <param name="seed">Random seed of the order.</param>
    /// <param name="workers">Number of batches loaded in parallel; 0 for the number of cores minus one, from 1 to 8.</param>
    /// <param name="prefetch">Number of batches loaded in advance; 0 for two per worker.</param>
    public PairLoader(PairedDataset dataset, int batchSize = 1, bool shuffle = false, ulong seed = 0, int workers = 0, int prefetch = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(workers);
        ArgumentOutOfRangeException.ThrowIfNegative(prefetch);
        (Dataset, BatchSize, Shuffle, Seed) = (dataset, batchSize, shuffle, seed);
        int threads = workers > 0 ? workers : Math.Clamp(Environment.ProcessorCount - 1, 1, 8);
        this.prefetch = prefetch > 0 ? prefetch : 2 * threads;
        this.workers = new TaskFactory(new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, threads).ConcurrentScheduler);
    }

    /// <summary>Data set to load.</summary>
    public PairedDataset Dataset { get; }

    /// <summary>Pairs per batch.</summary>
    public int BatchSize { get; }

    /// <summary>Whether each epoch has a random order.</summary>
    public bool Shuffle { get; }

    /// <summary>Random seed of the order.</summary>
    public ulong Seed { get; }

    /// <summary>Number of batches per epoch, including the last one, which may be smaller.</summary>
    public int BatchesPerEpoch => (Dataset.Count + BatchSize - 1) / BatchSize;

    /// <summary>Whether each group of <see cref="PairGroups"/> contributes the same number of pairs to an epoch; needs a shuffle.</summary>
    public bool Balance { get; init; }

    /// <summary>Number of this rank, from 0.</summary>
    public int Rank { get; init; }

    /// <summary>
    /// Number of ranks, which load as many pairs each: batches that cannot be divided by it begin again with their first pairs.
    /// </summary>
    public int Ranks { get; init; } = 1;

    /// <summary>Gets the draws of an epoch in their order; see <see cref="PairedDataset.Load"/>.</summary>
    public IReadOnlyList<int> Order(int epoch)
    {
        if (!Shuffle) return [.. Enumerable.Range(0, Dataset.Count)];
        int[] order = SampleRandom.Permutation(Seed, epoch, Dataset.Count);
        if (!Balance) return order;
        int[] draws = PairGroups.BalancedDraws(Dataset.Pairs, Seed, epoch);
        return Array.ConvertAll(order, place => draws[place]);
    }

    /// <summary>
    /// Loads the batches of an epoch, starting with <paramref name="startBatch"/>. The caller disposes each batch; prefetched batches are
    /// freed at the end of the enumeration.
    /// </summary>
    /// <exception cref="TinctorException">A file of the batch cannot be used; the message names it.</exception>
    /// <exception cref="OperationCanceledException">Loading was cancelled.</exception>
    public IEnumerable<Batch> Batches(int epoch, int startBatch = 0, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(startBatch);
        IReadOnlyList<int> order = Order(epoch);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var ahead = new Queue<Task<Batch>>();
        int next = startBatch;
        try
        {
            while (true)
            {
                for (; next < BatchesPerEpoch && ahead.Count < prefetch; next++)
                {
                    int index = next;
                    ahead.Enqueue(workers.StartNew(() => Make(index, epoch, order, stop.Token), stop.Token));
                }
                if (!ahead.TryPeek(out Task<Batch>? first)) yield break;
                Batch batch = first.GetAwaiter().GetResult();
                ahead.Dequeue();
                yield return batch;
            }
        }
        finally
        {
            stop.Cancel();
            foreach (Task<Batch> task in ahead)
            {
                ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
                if (task.IsCompletedSuccessfully) task.Result.Dispose();
            }
        }
    }

    private Batch Make(int index, int epoch, IReadOnlyList<int> order, CancellationToken cancel)
    {
        var samples = new List<Sample>(BatchSize);
        foreach (int place in Places(index, order.Count))
        {
            cancel.ThrowIfCancellationRequested();
            samples.Add(Dataset.Load(order[place], epoch));
        }
        return Batch.Stack(index, samples);
    }

    // Places of this rank's part of a batch in the order of the epoch.
    private IEnumerable<int> Places(int index, int count)
    {
        int start = index * BatchSize, pairs = Math.Min(BatchSize, count - start), own = (pairs + Ranks - 1) / Ranks;
        return Enumerable.Range(Rank * own, own).Select(i => start + (i % pairs));
    }
}
