using Tinctor.Evaluation.Data;

namespace Tinctor.Evaluation.Sections;

/// <summary>One look at every image, on all cores; what is wrong with any of them is said at once.</summary>
internal static class ImagePass
{
    /// <summary>The results in the order of the items. Images are to be dropped as soon as they are measured.</summary>
    /// <exception cref="TinctorException">Files cannot be used; names each.</exception>
    public static TResult[] Over<TItem, TResult>(IReadOnlyList<TItem> items, string stage, IProgress<EvaluationProgress>? progress,
        CancellationToken cancel, Func<TItem, TResult> measure)
    {
        var results = new TResult[items.Count];
        var problems = new Problems();
        var parallel = new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount };
        int done = 0;
        Parallel.For(0, results.Length, parallel, i =>
        {
            try
            {
                results[i] = measure(items[i]);
            }
            catch (Exception e) when (e is IOException or TinctorException)
            {
                problems.Add(e.Message);
            }
            progress?.Report(new(stage, Interlocked.Increment(ref done), results.Length));
        });
        problems.ThrowIfAny("nothing was written");
        return results;
    }
}
