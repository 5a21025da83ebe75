namespace Tinctor.Registration.Pairs;

/// <summary>Failures of single pairs, which do not end the preparation of the others.</summary>
internal static class PairPreparation
{
    /// <summary>
    /// Runs a step of a pair. Problems of the pair's own files and images are returned; wrong options and files that cannot be written are
    /// thrown, because they concern all pairs.
    /// </summary>
    /// <param name="step">Step.</param>
    /// <param name="failure">Problem of the pair; null if there is none.</param>
    /// <returns>Result of the step; null if it failed.</returns>
    public static T? Try<T>(Func<T> step, out TinctorException? failure) where T : class
    {
        try
        {
            failure = null;
            return step();
        }
        catch (Exception error) when (Problem(error) is not null)
        {
            failure = Problem(error);
            return null;
        }
    }

    private static TinctorException? Problem(Exception error) => error switch
    {
        AggregateException { InnerExceptions: [Exception first, ..] } => Problem(first), // of parallel work; the first one suffices
        OptionException => null,
        TinctorException problem => problem,
        EndOfStreamException => new(null, "a file ends too early", "It is damaged or was cut short", error),
        _ => null,
    };
}
