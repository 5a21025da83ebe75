using Tinctor.Slides;

namespace Tinctor.Staining.Bridges;

/// <summary>States between source and stained image, evenly chosen, for pictures and animations.</summary>
/// <param name="most">At most twice this many frames are kept.</param>
internal sealed class Trajectory(int most = 12)
{
    private const int StripPlaces = 8;
    private readonly List<Image> frames = [];
    private Image? last;
    private int seen, stride = 1;

    /// <summary>Frames from the source to the stained image, 8-bit.</summary>
    public IReadOnlyList<Image> Frames => last is null || frames[^1] == last ? frames : [.. frames, last];

    /// <summary>Adds the state of a step.</summary>
    public void Add(Image state)
    {
        last = state;
        if (seen++ % stride == 0) frames.Add(last);
        if (frames.Count <= most * 2) return;
        for (int i = frames.Count - 1; i > 0; i--)
            if (i % 2 == 1) frames.RemoveAt(i);
        stride *= 2;
    }

    /// <summary>Creates a picture of up to eight of the frames side by side.</summary>
    public Image CreateStrip()
    {
        IReadOnlyList<Image> all = Frames;
        int count = Math.Min(StripPlaces, all.Count), width = all[0].Width;
        var strip = new Image(width * count, all[0].Height, all[0].Channels);
        int row = width * strip.Channels;
        for (int i = 0; i < count; i++)
        {
            Image frame = all[count == 1 ? 0 : i * (all.Count - 1) / (count - 1)];
            for (int y = 0; y < strip.Height; y++)
                frame.Data.AsSpan(y * row, row).CopyTo(strip.Data.AsSpan(((y * count) + i) * row));
        }
        return strip;
    }
}
