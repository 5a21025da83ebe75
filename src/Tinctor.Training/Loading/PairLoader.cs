namespace Tinctor.Training.Loading;

/// <summary>
/// Gives a data set in batches, and makes the next ones on other threads while the engine computes. The order is a function of the seed
/// and the epoch; neither it nor the content depends on the number of workers, or on where in an epoch one starts.
/// </summary>
public sealed class PairLoader
{
    private readonly int prefetch;
    private readonly TaskFactory workers;

    /// <summary>Makes a loader.</summary>
    /// <param name="dataset">What to load.</param>
    /// <param name="batchSize">Pairs in a batch; the last batch of an epoch may have fewer.</param>
    /// <param name="shuffle">Another order in each epoch, or the order of the list.</param>
    /// <param name="seed">Of the order.</param>
    /// <param name="workers">Batches made at the same time; 0 means one less than there are cores, 1 to 8.</param>
    /// <param name="prefetch">Batches that are made ahead, the memory they take; 0 means two for each worker.</param>
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

    /// <summary>Pairs in a batch.</summary>
    public int BatchSize { get; }

    /// <summary>Whether each epoch has an order of its own.</summary>
    public bool Shuffle { get; }

    /// <summary>The seed of the order.</summary>
    public ulong Seed { get; }

    /// <summary>Batches in an epoch, the last and possibly smaller one included.</summary>
    public int BatchesPerEpoch => (Dataset.Count + BatchSize - 1) / BatchSize;

    /// <summary>The indices of an epoch in the order in which they come.</summary>
    public IReadOnlyList<int> Order(int epoch) =>
        Shuffle ? SampleRandom.Permutation(Seed, epoch, Dataset.Count) : [.. Enumerable.Range(0, Dataset.Count)];

    /// <summary>
    /// The batches of one epoch from <paramref name="startBatch"/> on, the same as those of a whole epoch. The caller disposes each batch;
    /// those made ahead are freed when the enumeration ends, early or not.
    /// </summary>
    /// <exception cref="TinctorException">A file of the batch cannot be used; the message names it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
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
        for (int i = index * BatchSize; i < Math.Min((index + 1) * BatchSize, order.Count); i++)
        {
            cancel.ThrowIfCancellationRequested();
            samples.Add(Dataset.Load(order[i], epoch));
        }
        return Batch.Stack(index, samples);
    }
}
