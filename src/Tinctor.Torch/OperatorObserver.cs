namespace Tinctor.Torch;

/// <summary>Observes the operators that a thread calls, for example to record a forward pass as a graph.</summary>
internal abstract class OperatorObserver
{
    [ThreadStatic]
    private static OperatorObserver? current;

    /// <summary>Observer of the calling thread; null for none.</summary>
    public static OperatorObserver? Current => current;

    /// <summary>Runs a function on the calling thread while this observes its operators.</summary>
    public T Observe<T>(Func<T> run)
    {
        OperatorObserver? outer = current;
        current = this;
        try
        {
            return run();
        }
        finally
        {
            current = outer;
        }
    }

    /// <summary>Runs a function without observing its operators.</summary>
    public static T Pause<T>(Func<T> run)
    {
        OperatorObserver? outer = current;
        current = null;
        try
        {
            return run();
        }
        finally
        {
            current = outer;
        }
    }

    /// <summary>Receives an operator call after it ran.</summary>
    /// <param name="name">Name of the operator with its namespace, without overload.</param>
    /// <param name="arguments">Arguments; those left out at the end have the schema's defaults.</param>
    /// <param name="results">Results; empty for operators that are called for their effect on the first argument.</param>
    public abstract void Called(string name, ReadOnlySpan<Arg> arguments, ReadOnlySpan<Tensor> results);

    /// <summary>Receives a call that returned a number.</summary>
    public abstract void ReadNumber(string name, ReadOnlySpan<Arg> arguments);
}
