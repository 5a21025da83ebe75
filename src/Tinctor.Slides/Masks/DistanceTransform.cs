namespace Tinctor.Slides.Masks;

/// <summary>Exact Euclidean distance transform in linear time (Felzenszwalb and Huttenlocher 2012).</summary>
/// <param name="Squared">Squared distance to the nearest set pixel, [height, width]; infinite for an empty mask.</param>
/// <param name="Nearest">Index of the nearest set pixel, [height, width]; -1 for an empty mask.</param>
internal sealed record DistanceTransform(float[] Squared, int[] Nearest)
{
    /// <summary>Computes the distance of each pixel to the nearest set pixel of a mask.</summary>
    /// <param name="mask">Mask, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    public static DistanceTransform To(ReadOnlySpan<bool> mask, int width, int height)
    {
        var squared = new float[mask.Length];
        var nearest = new int[mask.Length];
        for (int i = 0; i < mask.Length; i++) (squared[i], nearest[i]) = mask[i] ? (0, i) : (float.PositiveInfinity, -1);
        var line = new Line(Math.Max(width, height));
        for (int x = 0; x < width; x++) line.Transform(squared, nearest, x, width, height);
        for (int y = 0; y < height; y++) line.Transform(squared, nearest, y * width, 1, width);
        return new(squared, nearest);
    }

    /// <summary>
    /// Computes the signed distance of each pixel centre to the outline of a mask, in pixels: positive inside, negative outside. The edge
    /// of the image is not an outline. Minus infinity for an empty mask, infinity for a full one.
    /// </summary>
    public static float[] Signed(ReadOnlySpan<bool> mask, int width, int height)
    {
        var outside = new bool[mask.Length];
        for (int i = 0; i < mask.Length; i++) outside[i] = !mask[i];
        float[] inward = To(outside, width, height).Squared, outward = To(mask, width, height).Squared;
        var signed = new float[mask.Length];
        for (int i = 0; i < mask.Length; i++) signed[i] = mask[i] ? MathF.Sqrt(inward[i]) - 0.5f : 0.5f - MathF.Sqrt(outward[i]);
        return signed;
    }

    /// <summary>Computes the lower envelope of the parabolas of a row or column.</summary>
    private sealed class Line(int longest)
    {
        private readonly int[] apex = new int[longest];
        private readonly float[] start = new float[longest + 1];
        private readonly float[] values = new float[longest];
        private readonly int[] origins = new int[longest];

        public void Transform(float[] squared, int[] nearest, int first, int step, int length)
        {
            int last = -1;
            for (int q = 0; q < length; q++)
            {
                (values[q], origins[q]) = (squared[first + (q * step)], nearest[first + (q * step)]);
                if (float.IsInfinity(values[q])) continue;
                float from = float.NegativeInfinity;
                while (last >= 0 && (from = Crossing(apex[last], q)) <= start[last]) last--;
                (apex[++last], start[last]) = (q, last == 0 ? float.NegativeInfinity : from);
            }
            if (last < 0) return;
            start[last + 1] = float.PositiveInfinity;
            for (int q = 0, k = 0; q < length; q++)
            {
                while (start[k + 1] < q) k++;
                squared[first + (q * step)] = ((q - apex[k]) * (float)(q - apex[k])) + values[apex[k]];
                nearest[first + (q * step)] = origins[apex[k]];
            }
        }

        // Position from which the parabola around q is below the one around p, p < q.
        private float Crossing(int p, int q) => (float)((values[q] + ((double)q * q) - values[p] - ((double)p * p)) / (2.0 * (q - p)));
    }
}
