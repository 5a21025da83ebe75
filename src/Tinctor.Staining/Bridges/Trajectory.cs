using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Staining.Bridges;

/// <summary>The images on the way from source to stained image: some, evenly chosen, however many there are.</summary>
/// <param name="most">Not more than twice as many are kept.</param>
public sealed class Trajectory(int most = 12)
{
    private readonly List<Image> frames = [];
    private Image? last;
    private int seen, stride = 1;

    /// <summary>From the source's side to the stained image, 8-bit RGB.</summary>
    public IReadOnlyList<Image> Frames => last is null || frames[^1] == last ? frames : [.. frames, last];

    /// <summary>Takes the first image's state of a step.</summary>
    public void See(int step, Tensor state, Tensor predictedImage)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        last = Image.FromTensor(state[0].clamp(-1, 1).to(ScalarType.Float32).cpu(), ValueRange.MinusOneToOne);
        if (seen++ % stride == 0) frames.Add(last);
        if (frames.Count <= most * 2) return;
        for (int i = frames.Count - 1; i > 0; i--)
            if (i % 2 == 1) frames.RemoveAt(i);
        stride *= 2;
    }

    /// <summary>Up to eight of the frames side by side.</summary>
    public Image Strip()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        const int places = 8;
        int count = Math.Min(places, Frames.Count);
        IEnumerable<Image> chosen = Enumerable.Range(0, count).Select(i => Frames[count == 1 ? 0 : i * (Frames.Count - 1) / (count - 1)]);
        return Image.FromTensor(torch.cat([.. chosen.Select(frame => frame.ToTensor(ValueRange.ZeroToOne))], 2), ValueRange.ZeroToOne);
    }
}
