namespace Tinctor.Slides.Masks;

/// <summary>The pixels beside one, inside the image; enumerated without allocation.</summary>
/// <param name="pixel">Index into [height, width].</param>
/// <param name="width">Pixels across.</param>
/// <param name="height">Pixels down.</param>
/// <param name="corners">Whether pixels that touch by a corner count: eight neighbours instead of four.</param>
public ref struct Neighbours(int pixel, int width, int height, bool corners)
{
    private readonly int x = pixel % width, y = pixel / width;
    private int at = -1;

    // The four sides come first.
    private static ReadOnlySpan<sbyte> Dx => [1, -1, 0, 0, 1, 1, -1, -1];

    private static ReadOnlySpan<sbyte> Dy => [0, 0, 1, -1, 1, -1, 1, -1];

    /// <summary>Index of the neighbour.</summary>
    public int Current { get; private set; }

    /// <summary>For foreach.</summary>
    public readonly Neighbours GetEnumerator() => this;

    /// <summary>Goes on to the next one.</summary>
    public bool MoveNext()
    {
        while (++at < (corners ? 8 : 4))
        {
            int u = x + Dx[at], v = y + Dy[at];
            if ((uint)u >= (uint)width || (uint)v >= (uint)height) continue;
            Current = (v * width) + u;
            return true;
        }
        return false;
    }
}
