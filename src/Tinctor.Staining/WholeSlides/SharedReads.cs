using Tinctor.Slides;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Reads of a slide that several stainings share, which advance together: a region that one has read lately is not read again for the
/// others. Thread-safe.
/// </summary>
/// <param name="slide">The slide.</param>
/// <param name="capacity">Number of regions kept.</param>
internal sealed class SharedReads(Slide slide, int capacity)
{
    private readonly Dictionary<Region, Lazy<Image>> kept = [];
    private readonly Queue<Region> order = new();

    /// <summary>Number of regions read from the slide.</summary>
    public int Count { get; private set; }

    /// <summary>Reads a region; see <see cref="Slide.ReadAt"/>. The image is not to be changed.</summary>
    public Image ReadAt(double downsample, int x, int y, int width, int height)
    {
        var region = new Region(downsample, x, y, width, height);
        Lazy<Image>? image;
        lock (kept)
        {
            if (!kept.TryGetValue(region, out image))
            {
                image = kept[region] = new(() => slide.ReadAt(downsample, x, y, width, height));
                order.Enqueue(region);
                Count++;
                if (order.Count > capacity) kept.Remove(order.Dequeue());
            }
        }
        return image.Value;
    }

    private readonly record struct Region(double Downsample, int X, int Y, int Width, int Height);
}
