using System.Diagnostics.Metrics;

namespace Tinctor.Viewer.Pixels;

/// <summary>
/// Open slides, shared by requests. Slides that are not in use are closed,
/// the longest unused first, beyond a number and size.
/// </summary>
internal sealed class SlidePool : IDisposable
{
    private const long MostHeldBytes = 1L << 30;

    private readonly int capacity;
    private readonly Func<string, bool> isAllowed;
    private readonly Lock access = new();
    private readonly Dictionary<(string Path, string Fingerprint), Entry> entries = [];
    private readonly LinkedList<Entry> recent = [];
    private bool disposed;

    /// <summary>Creates a pool.</summary>
    /// <param name="capacity">Number of slides that are kept open.</param>
    /// <param name="isAllowed">Whether a file of a slide may be read.</param>
    /// <param name="meters">Creates the meter of open slides.</param>
    public SlidePool(int capacity, Func<string, bool> isAllowed, IMeterFactory meters)
    {
        (this.capacity, this.isAllowed) = (capacity, isAllowed);
        meters.Create(ViewerMeter.Name).CreateObservableGauge("tinctor.viewer.open_slides", () => Count,
            description: "Slides that are open");
    }

    /// <summary>Number of open slides.</summary>
    public int Count
    {
        get
        {
            lock (access) return entries.Count;
        }
    }

    /// <summary>Uses a slide, which is opened if it is not open.</summary>
    /// <param name="path">File, or folder of DICOM.</param>
    /// <param name="fingerprint">Content of the slide; another content is opened anew.</param>
    /// <param name="use">Uses the slide, which stays open until it returns.</param>
    /// <exception cref="TinctorException">The slide cannot be opened.</exception>
    public T Use<T>(string path, string fingerprint, Func<ViewedSlide, T> use)
    {
        Entry entry = Acquire((path, fingerprint));
        try
        {
            return use(entry.Slide.Value);
        }
        finally
        {
            Release(entry);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (access)
        {
            disposed = true;
            Trim();
        }
    }

    private Entry Acquire((string Path, string Fingerprint) key)
    {
        lock (access)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (entries.TryGetValue(key, out Entry? entry)) recent.Remove(entry.Node);
            else entries[key] = entry = new(key, new(() => ViewedSlide.Open(key.Path, isAllowed)));
            recent.AddFirst(entry.Node);
            entry.Users++;
            return entry;
        }
    }

    private void Release(Entry entry)
    {
        lock (access)
        {
            entry.Users--;
            Trim();
        }
    }

    private void Trim()
    {
        long held = recent.Sum(entry => entry.HeldBytes);
        for (LinkedListNode<Entry>? node = recent.Last, previous; node is not null; node = previous)
        {
            previous = node.Previous;
            Entry entry = node.Value;
            bool isExcess = disposed || entries.Count > capacity || held > MostHeldBytes || !entry.Slide.IsValueCreated;
            if (entry.Users > 0 || !isExcess) continue;
            held -= entry.HeldBytes;
            recent.Remove(node);
            entries.Remove(entry.Key);
            if (entry.Slide.IsValueCreated) entry.Slide.Value.Dispose();
        }
    }

    private sealed class Entry
    {
        public Entry((string, string) key, Lazy<ViewedSlide> slide)
        {
            (Key, Slide) = (key, slide);
            Node = new(this);
        }

        public (string, string) Key { get; }

        public Lazy<ViewedSlide> Slide { get; }

        public LinkedListNode<Entry> Node { get; }

        public int Users { get; set; }

        public long HeldBytes => Slide.IsValueCreated ? Slide.Value.HeldBytes : 0;
    }
}
