using Tinctor.Transforms;


namespace Tinctor.Registration.Fields;

/// <summary>Interpolation of a displacement field from windows.</summary>
internal static class LocalField
{
    private const double FillRadius = 1.5; // in units of the grid spacing

    /// <summary>
    /// Creates a field from the reliable windows: each takes the median of its reliable neighbourhood, so that single outliers have no
    /// effect; unreliable windows take the Gaussian-weighted mean of the reliable ones. Null if none is reliable.
    /// </summary>
    /// <param name="shifts">Windows, row by row.</param>
    /// <param name="xs">Centres of the columns.</param>
    /// <param name="ys">Centres of the rows.</param>
    public static DisplacementField? Interpolate(IReadOnlyList<WindowShift> shifts, double[] xs, double[] ys)
    {
        if (!shifts.Any(s => s.Reliable)) return null;
        int columns = xs.Length;
        (int C, int R)[] nodes = [.. shifts.Select((_, i) => (i % columns, i / columns))];
        int[] reliable = [.. Enumerable.Range(0, shifts.Count).Where(i => shifts[i].Reliable)];
        var smoothed = reliable.ToDictionary(i => i, i =>
        {
            var near = reliable.Where(k => Math.Abs(nodes[k].C - nodes[i].C) <= 1 && Math.Abs(nodes[k].R - nodes[i].R) <= 1).ToArray();
            return (X: SampleStatistics.Median(near.Select(k => shifts[k].Shift.X)),
                Y: SampleStatistics.Median(near.Select(k => shifts[k].Shift.Y)));
        });
        var all = nodes.Select((_, i) => smoothed.TryGetValue(i, out var own) ? own : Mean(nodes, smoothed, i)).ToArray();
        return new(xs, ys, [.. all.Select(s => s.X)], [.. all.Select(s => s.Y)]);
    }

    private static (double X, double Y) Mean((int C, int R)[] nodes, Dictionary<int, (double X, double Y)> smoothed, int node)
    {
        double x = 0, y = 0, weights = 0;
        foreach (var (k, shift) in smoothed)
        {
            double distance = double.Hypot(nodes[k].C - nodes[node].C, nodes[k].R - nodes[node].R);
            double weight = Math.Exp(-distance * distance / (2 * FillRadius * FillRadius)) + 1e-12;
            (x, y, weights) = (x + (weight * shift.X), y + (weight * shift.Y), weights + weight);
        }
        return (x / weights, y / weights);
    }
}
