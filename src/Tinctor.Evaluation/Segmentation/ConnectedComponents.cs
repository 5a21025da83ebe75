using Tinctor.Staining.Segmentation;

namespace Tinctor.Evaluation.Segmentation;

/// <summary>Groups of pixels that touch.</summary>
public static class ConnectedComponents
{
    /// <summary>An object for each group of set pixels that touch by a side or a corner.</summary>
    /// <param name="mask">[height, width].</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    public static LabelMap Of(ReadOnlySpan<bool> mask, int width, int height) => Label(mask, width, height, corners: true);

    /// <summary>Fills the holes of a mask, in place: unset pixels that no path by sides joins to the edge of the image.</summary>
    /// <param name="mask">[height, width].</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="largest">Pixels of the largest hole that is filled.</param>
    public static void FillHoles(Span<bool> mask, int width, int height, int largest = int.MaxValue)
    {
        var outside = new bool[mask.Length];
        for (int i = 0; i < mask.Length; i++) outside[i] = !mask[i];
        LabelMap empty = Label(outside, width, height, corners: false);
        var open = new bool[empty.Count + 1];
        for (int x = 0; x < width; x++) open[empty.Labels[x]] = open[empty.Labels[((height - 1) * width) + x]] = true;
        for (int y = 0; y < height; y++) open[empty.Labels[y * width]] = open[empty.Labels[(y * width) + width - 1]] = true;
        int[] areas = empty.Areas();
        for (int i = 0; i < mask.Length; i++) mask[i] |= !open[empty.Labels[i]] && areas[empty.Labels[i]] <= largest;
    }

    // Flood fill: each pixel enters the stack once.
    private static LabelMap Label(ReadOnlySpan<bool> mask, int width, int height, bool corners)
    {
        var labels = new int[mask.Length];
        var stack = new Stack<int>();
        int count = 0;
        for (int start = 0; start < mask.Length; start++)
        {
            if (!mask[start] || labels[start] != 0) continue;
            labels[start] = ++count;
            stack.Push(start);
            while (stack.TryPop(out int pixel))
            {
                foreach (int next in new Neighbours(pixel, width, height, corners))
                {
                    if (!mask[next] || labels[next] != 0) continue;
                    labels[next] = count;
                    stack.Push(next);
                }
            }
        }
        return LabelMap.Of(width, height, labels);
    }
}
