namespace Tinctor.Slides.Masks;

/// <summary>Label of each pixel: 0 for background, 1 to <see cref="Count"/> for objects of at least one pixel.</summary>
internal sealed class LabelMap
{
    private LabelMap(int width, int height, int[] labels, int count) => (Width, Height, Labels, Count) = (width, height, labels, count);

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>The labels, [Height, Width].</summary>
    public int[] Labels { get; }

    /// <summary>Number of objects.</summary>
    public int Count { get; }

    /// <summary>Creates a map from labels, renumbered to 1, 2, ... in order of appearance; 0 is background.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="labels">Labels in any range, [height, width].</param>
    public static LabelMap Create(int width, int height, ReadOnlySpan<int> labels)
    {
        if (labels.Length != width * height)
            throw new ArgumentException($"{labels.Length} labels, but {width}x{height} are expected", nameof(labels));
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

    /// <summary>Creates a map with one object, the set pixels of a mask.</summary>
    public static LabelMap OfMask(int width, int height, ReadOnlySpan<bool> mask)
    {
        var labels = new int[mask.Length];
        for (int i = 0; i < labels.Length; i++) labels[i] = mask[i] ? 1 : 0;
        return Create(width, height, labels);
    }

    /// <summary>Computes the area of each label in pixels; index 0 is the background.</summary>
    public int[] Areas()
    {
        var areas = new int[Count + 1];
        foreach (int label in Labels) areas[label]++;
        return areas;
    }

    /// <summary>Computes the centroid of each object, label 1 first, in pixels with whole numbers at their centres.</summary>
    public (double X, double Y)[] Centroids()
    {
        var sums = new (long X, long Y, int Area)[Count];
        for (int i = 0; i < Labels.Length; i++)
        {
            if (Labels[i] == 0) continue;
            ref (long X, long Y, int Area) sum = ref sums[Labels[i] - 1];
            sum = (sum.X + (i % Width), sum.Y + (i / Width), sum.Area + 1);
        }
        return Array.ConvertAll(sums, sum => ((double)sum.X / sum.Area, (double)sum.Y / sum.Area));
    }

    /// <summary>Returns a map with only the objects whose label fulfils a condition.</summary>
    public LabelMap Keep(Func<int, bool> condition)
    {
        bool[] kept = [.. Enumerable.Range(0, Count + 1).Select(label => label > 0 && condition(label))];
        return Create(Width, Height, Array.ConvertAll(Labels, label => kept[label] ? label : 0));
    }

    /// <summary>Returns the mask of all objects.</summary>
    public bool[] Mask() => Array.ConvertAll(Labels, label => label > 0);
}
