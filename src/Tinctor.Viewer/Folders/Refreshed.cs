using System.Diagnostics;

namespace Tinctor.Viewer.Folders;

/// <summary>
/// Value that is computed again when it is requested and older than an interval. Requests during the computation get the old value; only
/// the first request waits.
/// </summary>
/// <param name="compute">Computes the value from the old one, which is null at first.</param>
/// <param name="interval">Age from which on the value is computed again.</param>
internal sealed class Refreshed<T>(Func<T?, T> compute, TimeSpan interval)
    where T : class
{
    private readonly Lock access = new();
    private volatile Entry? entry;

    /// <summary>The value.</summary>
    public T Value
    {
        get
        {
            if (entry is { } present && Stopwatch.GetElapsedTime(present.Time) < interval) return present.Value;
            if (entry is { } old && interval > TimeSpan.Zero)
            {
                if (!access.TryEnter()) return old.Value;
            }
            else access.Enter();
            try
            {
                if (entry is { } other && Stopwatch.GetElapsedTime(other.Time) < interval) return other.Value;
                entry = new(compute(entry?.Value), Stopwatch.GetTimestamp());
                return entry.Value;
            }
            finally
            {
                access.Exit();
            }
        }
    }

    private sealed record Entry(T Value, long Time);
}
