namespace Tinctor.Slides.Masks;

/// <summary>Connected components of masks.</summary>
internal static class ConnectedComponents
{
    /// <summary>Labels the connected components of a mask (8 neighbours).</summary>
    /// <param name="mask">Mask, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    public static LabelMap Label(ReadOnlySpan<bool> mask, int width, int height)
    {
        var codes = new int[mask.Length];
        for (int i = 0; i < codes.Length; i++) codes[i] = mask[i] ? 1 : 0;
        return OfEqual(codes, width, height);
    }

    /// <summary>Labels the connected components of equal codes; 0 is background.</summary>
    /// <param name="codes">Code of each pixel, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="corners">Whether pixels that share a corner are connected (8 neighbours instead of 4).</param>
    public static LabelMap OfEqual(ReadOnlySpan<int> codes, int width, int height, bool corners = true)
    {
        var labels = new int[codes.Length];
        var stack = new Stack<int>();
        int count = 0;
        for (int start = 0; start < codes.Length; start++)
        {
            if (codes[start] == 0 || labels[start] != 0) continue;
            labels[start] = ++count;
            stack.Push(start);
            // Each pixel is pushed once.
            while (stack.TryPop(out int pixel))
            {
                foreach (int next in new Neighbours(pixel, width, height, corners))
                {
                    if (codes[next] != codes[start] || labels[next] != 0) continue;
                    labels[next] = count;
                    stack.Push(next);
                }
            }
        }
        return LabelMap.Create(width, height, labels);
    }

    /// <summary>Fills holes of a mask in place: unset pixels that are not connected (4 neighbours) to the edge of the image.</summary>
    /// <param name="mask">Mask, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="largest">Area of the largest hole that is filled, in pixels.</param>
    public static void FillHoles(Span<bool> mask, int width, int height, int largest = int.MaxValue)
    {
        var codes = new int[mask.Length];
        for (int i = 0; i < codes.Length; i++) codes[i] = mask[i] ? 0 : 1;
        LabelMap empty = OfEqual(codes, width, height, corners: false);
        var open = new bool[empty.Count + 1];
        for (int x = 0; x < width; x++) open[empty.Labels[x]] = open[empty.Labels[((height - 1) * width) + x]] = true;
        for (int y = 0; y < height; y++) open[empty.Labels[y * width]] = open[empty.Labels[(y * width) + width - 1]] = true;
        int[] areas = empty.Areas();
        for (int i = 0; i < mask.Length; i++) mask[i] |= !open[empty.Labels[i]] && areas[empty.Labels[i]] <= largest;
    }
}
