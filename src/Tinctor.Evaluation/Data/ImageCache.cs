using System.Collections.Concurrent;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Data;

/// <summary>
/// Decoded images, kept from one pass over the files to the next as far as memory allows, because decoding a PNG takes longer than most
/// metrics of it. Thread-safe.
/// </summary>
internal sealed class ImageCache
{
    private const long LargestSize = 512L << 20;

    private readonly ConcurrentDictionary<string, Image> images = new(StringComparer.Ordinal);
    private readonly long capacity = Math.Min(LargestSize, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 16);
    private long size;

    /// <summary>Reads an image, and keeps it if there is room.</summary>
    public Image Keep(string path)
    {
        Image image = Image.Read(path);
        if (Interlocked.Add(ref size, image.Data.Length) > capacity || !images.TryAdd(path, image))
            Interlocked.Add(ref size, -image.Data.Length);
        return image;
    }

    /// <summary>Returns an image that was kept, which is then forgotten, or reads the file.</summary>
    public Image Take(string path)
    {
        if (!images.TryRemove(path, out Image? image)) return Image.Read(path);
        Interlocked.Add(ref size, -image.Data.Length);
        return image;
    }
}
