namespace Tinctor.Slides.Masks;

/// <summary>
/// Masks made larger and smaller by discs, exactly (by Euclidean distances), in a time that does not depend on the radius. Beyond the edge
/// of the image nothing is known: it neither grows nor eats the mask.
/// </summary>
internal static class Morphology
{
    /// <summary>The pixels that lie within a radius of a set one.</summary>
    /// <param name="mask">[height, width].</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="radius">Pixels, from centre to centre; below 1 changes nothing.</param>
    public static bool[] Dilate(ReadOnlySpan<bool> mask, int width, int height, double radius) =>
        Array.ConvertAll(DistanceTransform.To(mask, width, height).Squared, squared => squared <= radius * radius);

    /// <summary>The pixels that lie farther than a radius from every unset one.</summary>
    /// <param name="mask">[height, width].</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="radius">Pixels, from centre to centre; below 1 changes nothing.</param>
    public static bool[] Erode(ReadOnlySpan<bool> mask, int width, int height, double radius) =>
        Not(Dilate(Not(mask), width, height, radius));

    /// <summary>Dilation, then erosion: closes gaps up to two radii wide.</summary>
    /// <param name="mask">[height, width].</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="radius">Pixels.</param>
    public static bool[] Close(ReadOnlySpan<bool> mask, int width, int height, double radius) =>
        Erode(Dilate(mask, width, height, radius), width, height, radius);

    /// <summary>The groups of pixels (which touch by a side or a corner) of at least so many.</summary>
    /// <param name="mask">[height, width].</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="least">Pixels of the smallest group that stays.</param>
    public static bool[] DropSmall(ReadOnlySpan<bool> mask, int width, int height, double least)
    {
        LabelMap pieces = ConnectedComponents.Label(mask, width, height);
        int[] areas = pieces.Areas();
        return pieces.Keep(label => areas[label] >= least).Mask();
    }

    private static bool[] Not(ReadOnlySpan<bool> mask)
    {
        var other = new bool[mask.Length];
        for (int i = 0; i < other.Length; i++) other[i] = !mask[i];
        return other;
    }
}
