namespace Tinctor.Evaluation.Data;

/// <summary>Check for swapped folders: stained images should resemble the real images more than the sources.</summary>
internal static class SourceResemblance
{
    private const int MostPairs = 16;

    // Below this distance in grey levels, source and real images have the same colours and cannot be distinguished.
    private const double LeastDistance = 10;

    /// <summary>Compares mean colours of up to 16 images; null if they do not suggest a mistake.</summary>
    public static string? Warning(IReadOnlyList<ImagePair> pairs, ScoredMethod model)
    {
        ImagePair[] withSource = [.. pairs.Where(pair => pair.Source is not null)];
        if (withSource.Length == 0) return null;
        int count = Math.Min(MostPairs, withSource.Length);
        ImagePair[] chosen = [.. Enumerable.Range(0, count).Select(i => withSource[i * withSource.Length / count])];
        double[] source = MeanRgb(chosen, pair => pair.Source!), real = MeanRgb(chosen, pair => pair.Real);
        double[] stained = MeanRgb(chosen, pair => pair.PathOf(model.Key));
        bool suspicious = Distance(source, real) >= LeastDistance && Distance(stained, source) < Distance(stained, real) / 2;
        return suspicious
            ? $"{model.Title}: the colours of the stained images resemble the source images more than the real ones. Are the folders of "
                + "source and real images swapped, or were these images not stained?"
            : null;
    }

    private static double[] MeanRgb(ImagePair[] pairs, Func<ImagePair, string> path)
    {
        double[][] means = [.. pairs.AsParallel().AsOrdered().Select(pair => MeanColour.MeanRgb(RgbReader.Read(path(pair))))];
        return [.. Enumerable.Range(0, 3).Select(c => means.Average(mean => mean[c]))];
    }

    private static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum());
}
