namespace Tinctor.Slides.Masks;

/// <summary>Neighbours of a pixel inside the image, enumerated without allocation.</summary>
/// <param name="pixel">Index of the pixel in [height, width].</param>
/// <param name="width">Width in pixels.</param>
/// <param name="height">Height in pixels.</param>
/// <param name="corners">Whether to include pixels that share a corner: 8 neighbours instead of 4.</param>
internal ref struct Neighbours(int pixel, int width, int height, bool corners)
{
    private readonly int x = pixel % width, y = pixel / width;
    private int at = -1;

    // The four sides are first.
    private static ReadOnlySpan<sbyte> Dx => [1, -1, 0, 0, 1, 1, -1, -1];

    private static ReadOnlySpan<sbyte> Dy => [0, 0, 1, -1, 1, -1, 1, -1];

    /// <summary>Index of the neighbour.</summary>
    public int Current { get; private set; }

    /// <summary>Returns this enumerator.</summary>
    public readonly Neighbours GetEnumerator() => this;

    /// <summary>Moves to the next neighbour.</summary>
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
