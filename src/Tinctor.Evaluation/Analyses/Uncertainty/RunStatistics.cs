using Tinctor.Slides;

namespace Tinctor.Evaluation.Analyses.Uncertainty;

/// <summary>Statistics of repeated runs on one image, and the error of their mean.</summary>
/// <param name="Mean">The mean of the runs, rounded to 8 bits.</param>
/// <param name="Uncertainty">
/// Standard deviation over runs (divisor K - 1) for each pixel, root mean square over R, G and B, in grey levels.
/// </param>
/// <param name="Error">Difference of the mean of the runs and the real image for each pixel, root mean square over R, G and B.</param>
/// <param name="Variation">Mean over pixels and channels of standard deviation / mean (0 where the mean is 0).</param>
internal sealed record RunStatistics(Image Mean, float[] Uncertainty, float[] Error, double Variation)
{
    /// <summary>Goes through the runs once and keeps only sums.</summary>
    /// <param name="images">Images of the runs, 8-bit RGB, read one by one.</param>
    /// <param name="real">The real image.</param>
    public static RunStatistics Compute(IEnumerable<Image> images, Image real)
    {
        int[] sums = new int[real.Data.Length], squares = new int[real.Data.Length];
        int runs = 0;
        foreach (Image image in images)
        {
            byte[] data = image.Data;
            runs++;
            for (int i = 0; i < sums.Length; i++)
            {
                int value = data[i];
                sums[i] += value;
                squares[i] += value * value;
            }
        }
        int pixels = real.Width * real.Height;
        var mean = new Image(real.Width, real.Height, 3);
        var (uncertainty, error) = (new float[pixels], new float[pixels]);
        double variation = 0;
        for (int p = 0; p < pixels; p++)
        {
            double variance = 0, squaredError = 0;
            for (int i = 3 * p; i < (3 * p) + 3; i++)
            {
                // Integers give equal runs a variance of exactly 0.
                double own = (((long)runs * squares[i]) - ((long)sums[i] * sums[i])) / ((double)runs * (runs - 1));
                double average = sums[i] / (double)runs, difference = average - real.Data[i];
                variance += own;
                squaredError += difference * difference;
                variation += sums[i] == 0 ? 0 : Math.Sqrt(own) / average;
                mean.Data[i] = (byte)Math.Round(average);
            }
            uncertainty[p] = (float)Math.Sqrt(variance / 3);
            error[p] = (float)Math.Sqrt(squaredError / 3);
        }
        return new(mean, uncertainty, error, variation / sums.Length);
    }
}
