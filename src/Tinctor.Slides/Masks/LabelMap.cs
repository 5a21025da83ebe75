namespace Tinctor.Slides.Masks;

/// <summary>A number for each pixel: 0 is background, 1 to <see cref="Count"/> are objects, each of at least one pixel.</summary>
public sealed class LabelMap
{
    private LabelMap(int width, int height, int[] labels, int count) => (Width, Height, Labels, Count) = (width, height, labels, count);

    /// <summary>Pixels across.</summary>
    public int Width { get; }

    /// <summary>Pixels down.</summary>
    public int Height { get; }

    /// <summary>[Height, Width], row by row.</summary>
    public int[] Labels { get; }

    /// <summary>How many objects there are.</summary>
    public int Count { get; }

    /// <summary>Renumbers any labels to 1, 2, ... in the order in which they first appear; 0 stays background.</summary>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="labels">[Height, Width]; numbers of any size.</param>
    public static LabelMap Create(int width, int height, ReadOnlySpan<int> labels)
    {
        if (labels.Length != width * height)
            throw new ArgumentException($"{width}x{height} labels are needed, got {labels.Length}", nameof(labels));
        var numbers = new Dictionary<int, int>();
        var compact = new int[labels.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] == 0) continue;
            if (!numbers.TryGetValue(labels[i], out int number)) numbers.Add(labels[i], number = numbers.Count + 1);
            compact[i] = number;
        }
        return new(width, height, compact, numbers.Count);
    }

    /// <summary>One object made of all pixels of a mask.</summary>
    public static LabelMap OfMask(int width, int height, ReadOnlySpan<bool> mask)
    {
        var labels = new int[mask.Length];
        for (int i = 0; i < labels.Length; i++) labels[i] = mask[i] ? 1 : 0;
        return Create(width, height, labels);
    }

    /// <summary>Pixels of each object; index 0 is the background.</summary>
    public int[] Areas()
    {
        var areas = new int[Count + 1];
        foreach (int label in Labels) areas[label]++;
        return areas;
    }

    /// <summary>The map without the objects that a condition on their number does not hold for.</summary>
    public LabelMap Keep(Func<int, bool> condition)
    {
        bool[] kept = [.. Enumerable.Range(0, Count + 1).Select(label => label > 0 && condition(label))];
        return Create(Width, Height, Array.ConvertAll(Labels, label => kept[label] ? label : 0));
    }

    /// <summary>Which pixels belong to any object.</summary>
    public bool[] Mask() => Array.ConvertAll(Labels, label => label > 0);
}
