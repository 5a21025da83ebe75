namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Gradient magnitude similarity deviation (Xue, Zhang, Mou, Bovik, IEEE TIP 2014): variation of the similarity of edges.
/// Conventions are those of the authors' MATLAB code: luminance in 0 to 255, means of 2x2 blocks, Prewitt's operator by thirds, T = 170,
/// zeros beyond the borders, sample standard deviation of the similarity map.
/// </summary>
internal static class Gmsd
{
    private const double T = 170;

    /// <summary>The metric; NaN for images with a side below 3 pixels.</summary>
    public static PairMetric Metric { get; } = PairMetric.Create("gmsd", "GMSD", "", 4, false,
        "gradient magnitude similarity deviation (Xue et al. 2014), on the luminance 0.299 R + 0.587 G + 0.114 B of 8-bit images, means "
        + "of 2x2 pixels, Prewitt's operator by thirds, T 170, zeros beyond the borders, sample standard deviation: as the authors' "
        + "MATLAB code; 0 is best; a perceptual distance without a network's weights",
        (image, reference) => Math.Min(image.Width, image.Height) < 3 ? double.NaN : Compute(image.Pixels, reference.Pixels));

    /// <summary>GMSD of two 8-bit RGB images: 0 where all edges agree.</summary>
    /// <exception cref="ArgumentException">The images differ in size.</exception>
    public static double Compute(PixelView image, PixelView reference)
    {
        image.MustMatch(reference);
        double[,] a = GradientMagnitude(HalfLuminance(image)), b = GradientMagnitude(HalfLuminance(reference));
        double sum = 0, squares = 0;
        for (int y = 0; y < a.GetLength(0); y++)
        {
            for (int x = 0; x < a.GetLength(1); x++)
            {
                // 1 - similarity is small, so its squares are precise.
                double difference = a[y, x] - b[y, x];
                double unlike = difference * difference / ((a[y, x] * a[y, x]) + (b[y, x] * b[y, x]) + T);
                sum += unlike;
                squares += unlike * unlike;
            }
        }
        return Math.Sqrt(Math.Max(0, squares - (sum * sum / a.Length)) / (a.Length - 1));
    }

    private static double[,] HalfLuminance(PixelView pixels)
    {
        var half = new double[(pixels.Height + 1) / 2, (pixels.Width + 1) / 2];
        for (int y = 0; y < pixels.Height; y++)
        {
            ReadOnlySpan<byte> row = pixels.Row(y);
            for (int x = 0; x < pixels.Width; x++)
                half[y / 2, x / 2] += ((0.299 * row[3 * x]) + (0.587 * row[(3 * x) + 1]) + (0.114 * row[(3 * x) + 2])) / 4;
        }
        return half;
    }

    private static double[,] GradientMagnitude(double[,] plane)
    {
        (int height, int width) = (plane.GetLength(0), plane.GetLength(1));
        var magnitude = new double[height, width];
        double At(int y, int x) => y < 0 || x < 0 || y >= height || x >= width ? 0 : plane[y, x];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                double across = 0, down = 0;
                for (int k = -1; k <= 1; k++)
                {
                    across += At(y + k, x + 1) - At(y + k, x - 1);
                    down += At(y + 1, x + k) - At(y - 1, x + k);
                }
                magnitude[y, x] = Math.Sqrt((across * across) + (down * down)) / 3;
            }
        }
        return magnitude;
    }
}
