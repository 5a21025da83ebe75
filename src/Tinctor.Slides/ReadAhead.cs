namespace Tinctor.Slides;

/// <summary>Does slow things some steps before they are needed, on other threads, and hands them out in order.</summary>
public static class ReadAhead
{
    /// <summary>
    /// What <paramref name="read"/> makes of each item; so many items are on their way at a time. Whoever stops early waits for these.
    /// </summary>
    public static IEnumerable<(T Item, TResult Result)> Of<T, TResult>(IEnumerable<T> items, int count, Func<T, TResult> read)
    {
        var pending = new Queue<(T Item, Task<TResult> Task)>();
        try
        {
            foreach (T item in items)
            {
                pending.Enqueue((item, Task.Run(() => read(item))));
                if (pending.Count > count) yield return Next();
            }
            while (pending.Count > 0) yield return Next();
        }
        finally
        {
            Task.WhenAll(pending.Select(one => one.Task)).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        }

        (T, TResult) Next()
        {
            (T item, Task<TResult> task) = pending.Dequeue();
            return (item, task.GetAwaiter().GetResult());
        }
    }
}
