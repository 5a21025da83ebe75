namespace Tinctor.Slides.Tissue;

/// <summary>The colour of empty glass.</summary>
internal static class Glass
{
    private const int Levels = 256;
    private const float Darkest = 200 / 255f, MostSaturated = 0.06f;
    private const double LeastShare = 0.01, ShareBesidePadding = 0.05;

    /// <summary>The most frequent light of what may be glass, a number a channel in (0, 1]; 1 where there is none.</summary>
    /// <param name="light">A plane a channel.</param>
    public static float[] Light(float[][] light)
    {
        int size = light[0].Length;
        var counts = Enumerable.Range(0, light.Length).Select(_ => new int[Levels]).ToArray();
        (int glass, int padding) = (0, 0);
        for (int i = 0; i < size; i++)
        {
            float least = light.Min(plane => plane[i]), most = light.Max(plane => plane[i]);
            if (least < Darkest || least < most * (1 - MostSaturated)) continue;
            // White itself is often what the scanner skipped.
            if (least == 1) { padding++; continue; }
            glass++;
            for (int channel = 0; channel < light.Length; channel++) counts[channel][(int)(light[channel][i] * (Levels - 1))]++;
        }
        bool isWhite = padding > 0 && glass < ShareBesidePadding * size;
        return isWhite || glass < LeastShare * size ? [.. light.Select(_ => 1f)]
            : Array.ConvertAll(counts, histogram => Array.IndexOf(histogram, histogram.Max()) / (Levels - 1f));
    }
}
