namespace Tinctor.Slides;

/// <summary>Computes items ahead of their use, on other threads, and returns them in order.</summary>
internal static class ReadAhead
{
    /// <summary>Applies a function to items ahead of their use.</summary>
    /// <param name="items">The items, enumerated on the calling thread.</param>
    /// <param name="count">Number of items in progress at a time.</param>
    /// <param name="read">The function, called on several threads.</param>
    /// <returns>The items with their results, in order. Disposing the enumerator early waits for the items in progress.</returns>
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
