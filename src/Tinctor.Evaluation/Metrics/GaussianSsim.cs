using System.Numerics;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// SSIM with Wang's 11x11 Gaussian window of sigma 1.5 and population covariance. The window is separable: the eleven rows under it are
/// weighted into one row of moments, which is then weighted across.
/// </summary>
internal sealed class GaussianSsim
{
    private const int Size = 11;
    private const double Sigma = 1.5;
    private static readonly double[] Kernel = MakeKernel();

    private readonly int channels, samples, valid;
    private readonly double c1, c2;
    private readonly double[][] rows, referenceRows; // those under the window, the oldest first
    private readonly double[] x, y, squares, products; // weighted down
    private readonly double[] similarities, contrasts; // summed down each column of windows

    public GaussianSsim(int width, int channels, double range)
    {
        (this.channels, samples, valid) = (channels, width * channels, (width - Size + 1) * channels);
        (c1, c2) = (0.01 * range * (0.01 * range), 0.03 * range * (0.03 * range));
        // Rows are longer than needed, so that whole vectors can be read everywhere; what they hold there is never looked at.
        double[] Row() => new double[samples + (Size * channels) + Vector<double>.Count];
        (rows, referenceRows) = ([.. Enumerable.Range(0, Size).Select(_ => Row())], [.. Enumerable.Range(0, Size).Select(_ => Row())]);
        (x, y, squares, products, similarities, contrasts) = (Row(), Row(), Row(), Row(), Row(), Row());
    }

    /// <summary>
    /// Means over the windows of each channel, of the similarity and of its second factor alone, contrast and structure
    /// (2 cxy + C2) / (vx + vy + C2). Both images hold whole rows of bytes or floats, at least 11.
    /// </summary>
    public (double[] Similarity, double[] Contrast) MeansPerChannel<TSample>(ReadOnlySpan<TSample> image, ReadOnlySpan<TSample> reference)
        where TSample : struct
    {
        int height = image.Length / samples;
        for (int row = 0; row < height; row++)
        {
            SampleRows.Load(image.Slice(row * samples, samples), Next(rows).AsSpan());
            SampleRows.Load(reference.Slice(row * samples, samples), Next(referenceRows).AsSpan());
            if (row < Size - 1) continue;
            WeightDown();
            AddSimilarities();
        }
        int down = height - Size + 1;
        return (SampleRows.MeansPerChannel(similarities.AsSpan(0, valid), channels, down),
            SampleRows.MeansPerChannel(contrasts.AsSpan(0, valid), channels, down));
    }

    private static double[] MakeKernel()
    {
        double[] weights = [.. Enumerable.Range(-Size / 2, Size).Select(i => Math.Exp(-i * i / (2 * Sigma * Sigma)))];
        double sum = weights.Sum();
        return Array.ConvertAll(weights, weight => weight / sum);
    }

    // The oldest row goes to the end, to be overwritten.
    private static double[] Next(double[][] rows)
    {
        double[] oldest = rows[0];
        Array.Copy(rows, 1, rows, 0, Size - 1);
        return rows[Size - 1] = oldest;
    }

    private void WeightDown()
    {
        for (int i = 0; i < samples; i += Vector<double>.Count)
        {
            Vector<double> sumX = default, sumY = default, sumSquares = default, sumProducts = default;
            for (int k = 0; k < Size; k++)
            {
                Vector<double> a = rows[k].At(i), b = referenceRows[k].At(i), weight = new(Kernel[k]), c = weight * a, d = weight * b;
                sumX += c;
                sumY += d;
                sumSquares += (c * a) + (d * b);
                sumProducts += c * b;
            }
            sumX.Store(x, i);
            sumY.Store(y, i);
            sumSquares.Store(squares, i);
            sumProducts.Store(products, i);
        }
    }

    private void AddSimilarities()
    {
        Vector<double> k1 = new(c1), k2 = new(c2);
        for (int i = 0; i < valid; i += Vector<double>.Count)
        {
            Vector<double> meanX = default, meanY = default, meanSquares = default, meanProducts = default;
            for (int k = 0, j = i; k < Size; k++, j += channels)
            {
                var weight = new Vector<double>(Kernel[k]);
                meanX += weight * x.At(j);
                meanY += weight * y.At(j);
                meanSquares += weight * squares.At(j);
                meanProducts += weight * products.At(j);
            }
            Vector<double> product = meanX * meanY, both = (meanX * meanX) + (meanY * meanY);
            Vector<double> covariance = meanProducts - product, variances = meanSquares - both;
            Vector<double> contrast = (covariance + covariance + k2) / (variances + k2);
            (contrasts.At(i) + contrast).Store(contrasts, i);
            (similarities.At(i) + (contrast * (product + product + k1) / (both + k1))).Store(similarities, i);
        }
    }
}
