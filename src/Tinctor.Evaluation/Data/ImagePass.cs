namespace Tinctor.Evaluation.Data;

/// <summary>Processes images on all cores and reports the problems of all of them together.</summary>
internal static class ImagePass
{
    /// <summary>Measures each item; the results have the order of the items. The function must not keep the images it reads.</summary>
    /// <exception cref="TinctorException">Images cannot be read; lists all of them.</exception>
    public static TResult[] Over<TItem, TResult>(IReadOnlyList<TItem> items, string stage, IProgress<EvaluationProgress>? progress,
        CancellationToken cancel, Func<TItem, TResult> measure)
    {
        var results = new TResult[items.Count];
        var problems = new ProblemList();
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
                problems.Add(e);
            }
            progress?.Report(new(stage, Interlocked.Increment(ref done), results.Length));
        });
        problems.ThrowIfAny();
        return results;
    }
}
