namespace Tinctor.Slides.Tissue;

/// <summary>The colour of empty glass.</summary>
public static class Glass
{
    private const int Levels = 256;
    private const float Darkest = 200 / 255f, MostSaturated = 0.06f;
    private const double LeastShare = 0.01, ShareBesidePadding = 0.05, Brightest = 0.95;

    /// <summary>
    /// The light of what may be glass, a number a channel in (0, 1]; 1 where there is none. Pale tissue may look like glass too, and be more of
    /// it, but is darker: so nearly the brightest is taken.
    /// </summary>
    /// <param name="light">A plane a channel.</param>
    internal static float[] Light(float[][] light)
    {
        int size = light[0].Length;
        var counts = Enumerable.Range(0, light.Length).Select(_ => new int[Levels]).ToArray();
        (int glass, int padding) = (0, 0);
        for (int i = 0; i < size; i++)
        {
            float least = light.Min(plane => plane[i]), most = light.Max(plane => plane[i]);
            if (!IsLike(least, most)) continue;
            // White itself is often what the scanner skipped.
            if (least == 1) { padding++; continue; }
            glass++;
            for (int channel = 0; channel < light.Length; channel++) counts[channel][(int)(light[channel][i] * (Levels - 1))]++;
        }
        bool isWhite = padding > 0 && glass < ShareBesidePadding * size;
        return isWhite || glass < LeastShare * size ? [.. light.Select(_ => 1f)]
            : Array.ConvertAll(counts, histogram => Quantile(histogram, Brightest * glass) / (Levels - 1f));
    }

    /// <summary>Whether a pixel of 8 bits a channel may be glass: light, and without much colour.</summary>
    public static bool IsLike(ReadOnlySpan<byte> pixel)
    {
        (byte least, byte most) = (pixel[0], pixel[0]);
        foreach (byte sample in pixel) (least, most) = (Math.Min(least, sample), Math.Max(most, sample));
        return IsLike(least / 255f, most / 255f);
    }

    private static bool IsLike(float least, float most) => least >= Darkest && least >= most * (1 - MostSaturated);

    private static int Quantile(int[] histogram, double below)
    {
        int level = 0;
        for (double sum = histogram[0]; sum < below; sum += histogram[level]) level++;
        return level;
    }
}
