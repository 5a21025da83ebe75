using Tinctor.Evaluation.Data;

namespace Tinctor.Evaluation.Sections;

/// <summary>One look at every image of a test set, on all cores; what is wrong with any of them is said at once.</summary>
internal static class ImagePass
{
    /// <summary>The results in the order of the pairs. Images are to be dropped as soon as they are measured.</summary>
    /// <exception cref="InvalidDataException">Files cannot be used; names each.</exception>
    public static T[] Over<T>(TestSet set, string stage, IProgress<EvaluationProgress>? progress, CancellationToken cancel,
        Func<ImagePair, T> measure)
    {
        var results = new T[set.Pairs.Count];
        var problems = new Problems();
        var parallel = new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount };
        int done = 0;
        Parallel.For(0, results.Length, parallel, i =>
        {
            try
            {
                results[i] = measure(set.Pairs[i]);
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                problems.Add(e.Message);
            }
            progress?.Report(new(stage, Interlocked.Increment(ref done), results.Length));
        });
        problems.ThrowIfAny("nothing was written");
        return results;
    }
}
