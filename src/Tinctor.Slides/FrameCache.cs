namespace Tinctor.Slides;

/// <summary>Decoded frames that were used last, up to a number of bytes. Safe for use by several threads.</summary>
internal sealed class FrameCache<TKey>(long bytes)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, Image Frame)>> known = [];
    private readonly LinkedList<(TKey Key, Image Frame)> recent = [];
    private long held;

    /// <summary>Returns a frame, which must not be changed; decodes it if it is not held.</summary>
    public Image Get(TKey key, Func<TKey, Image> decode)
    {
        lock (known)
        {
            if (known.TryGetValue(key, out LinkedListNode<(TKey Key, Image Frame)>? found))
            {
                recent.Remove(found);
                recent.AddFirst(found);
                return found.Value.Frame;
            }
        }
        Image frame = decode(key);
        lock (known)
        {
            if (!known.TryAdd(key, recent.AddFirst((key, frame))))
            {
                recent.RemoveFirst();
                return frame;
            }
            held += frame.Data.Length;
            while (held > bytes && recent.Count > 1)
            {
                (TKey oldest, Image dropped) = recent.Last!.Value;
                recent.RemoveLast();
                known.Remove(oldest);
                held -= dropped.Data.Length;
            }
        }
        return frame;
    }
}
