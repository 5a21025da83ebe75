using Tinctor.Staining.Execution;

namespace Tinctor.Staining.WholeSlides;

/// <summary>Effective receptive field of a network, measured on a tile.</summary>
internal static class ReceptiveField
{
    private const int Spot = 16;
    private const double Beyond = 0.01;

    /// <summary>
    /// Measures the radius in source pixels: from the edge of a spot in the tile's middle to where at most one percent of all change lies
    /// farther out, after the spot is inverted.
    /// </summary>
    /// <param name="tile">One tile, in [-1,1] or z-scored.</param>
    /// <param name="forward">Runs the network, with the same noise and the same moments at each call.</param>
    public static int MeasureRadius(ImageBatch tile, Func<ImageBatch, ImageBatch> forward)
    {
        (int height, int width) = (tile.Height, tile.Width);
        (int top, int left) = (Math.Max(0, (height - Spot) / 2), Math.Max(0, (width - Spot) / 2));
        var changed = new ImageBatch(1, tile.Channels, height, width, [.. tile.Values]);
        for (int c = 0; c < tile.Channels; c++)
            for (int y = top; y < Math.Min(height, top + Spot); y++)
                for (int x = left; x < Math.Min(width, left + Spot); x++)
                    changed.Values[(((c * height) + y) * width) + x] *= -1;
        float[] difference = Difference(forward(changed), forward(tile), out int resultWidth);
        int factor = resultWidth / width;
        return Radius(difference, resultWidth, (left * factor, (left + Spot) * factor), (top * factor, (top + Spot) * factor)) / factor;
    }

    // Absolute difference, averaged over the channels.
    private static float[] Difference(ImageBatch a, ImageBatch b, out int width)
    {
        width = a.Width;
        int area = a.Height * a.Width;
        var difference = new float[area];
        for (int i = 0; i < a.Values.Length; i++) difference[i % area] += Math.Abs(a.Values[i] - b.Values[i]) / a.Channels;
        return difference;
    }

    private static int Radius(float[] difference, int width, (int Start, int End) x, (int Start, int End) y)
    {
        var rings = new double[Math.Max(width, difference.Length / width)];
        for (int i = 0; i < difference.Length; i++)
        {
            (int row, int column) = Math.DivRem(i, width);
            int distance = Math.Max(Math.Max(x.Start - column, column - x.End + 1), Math.Max(y.Start - row, row - y.End + 1));
            rings[Math.Max(0, distance)] += difference[i];
        }
        double left = Beyond * rings.Sum();
        int radius = rings.Length - 1;
        while (radius > 0 && (left -= rings[radius]) >= 0) radius--;
        return radius;
    }
}
