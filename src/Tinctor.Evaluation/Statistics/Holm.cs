namespace Tinctor.Evaluation.Statistics;

/// <summary>Holm's step-down correction for several tests (Holm 1979).</summary>
internal static class Holm
{
    /// <summary>Adjusted p-values, in the order given; null stays null and does not count as a test.</summary>
    public static double?[] Adjust(IReadOnlyList<double?> p)
    {
        var adjusted = new double?[p.Count];
        int[] order = [.. Enumerable.Range(0, p.Count).Where(i => p[i] is not null).OrderBy(i => p[i])];
        double running = 0;
        for (int k = 0; k < order.Length; k++)
        {
            running = Math.Max(running, Math.Min(1, p[order[k]]!.Value * (order.Length - k)));
            adjusted[order[k]] = running;
        }
        return adjusted;
    }
}
