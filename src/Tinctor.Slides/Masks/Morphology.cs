namespace Tinctor.Slides.Masks;

/// <summary>
/// Morphology with discs by exact Euclidean distances; time does not depend on the radius. The area outside of the image has no
/// influence.
/// </summary>
internal static class Morphology
{
    /// <summary>Dilates a mask: sets pixels within a radius of a set pixel.</summary>
    /// <param name="mask">Mask, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="radius">Radius in pixels between pixel centres; below 1 has no effect.</param>
    public static bool[] Dilate(ReadOnlySpan<bool> mask, int width, int height, double radius) =>
        Array.ConvertAll(DistanceTransform.To(mask, width, height).Squared, squared => squared <= radius * radius);

    /// <summary>Erodes a mask: keeps pixels farther than a radius from all unset pixels.</summary>
    /// <param name="mask">Mask, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="radius">Radius in pixels between pixel centres; below 1 has no effect.</param>
    public static bool[] Erode(ReadOnlySpan<bool> mask, int width, int height, double radius) =>
        Not(Dilate(Not(mask), width, height, radius));

    /// <summary>Closes gaps up to two radii wide: dilation, then erosion.</summary>
    /// <param name="mask">Mask, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="radius">Radius in pixels.</param>
    public static bool[] Close(ReadOnlySpan<bool> mask, int width, int height, double radius) =>
        Erode(Dilate(mask, width, height, radius), width, height, radius);

    /// <summary>Removes connected components (8 neighbours) below an area.</summary>
    /// <param name="mask">Mask, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="least">Least area of components that are kept, in pixels.</param>
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
