using System.Numerics;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// SSIM with Wang's 11x11 Gaussian window of sigma 1.5 and population covariance. The separable window is applied to columns, then to
/// rows. The middle of the range is subtracted from samples first, which keeps squares small and floats precise.
/// </summary>
/// <typeparam name="T">double, or float for twice the speed with errors of 1e-7.</typeparam>
internal sealed class GaussianSsim<T> where T : struct, IFloatingPoint<T>
{
    private const int Size = 11;
    private const double Sigma = 1.5;
    private static readonly T[] Kernel = MakeKernel();

    private readonly int channels, samples, valid;
    private readonly T c1, c2, middle;
    private readonly T[][] rows, referenceRows; // those under the window, the oldest first
    private readonly T[] x, y, squares, products; // weighted down
    private readonly double[] similarities, contrasts; // summed down each column of windows

    public GaussianSsim(int width, int channels, double range)
    {
        (this.channels, samples, valid) = (channels, width * channels, (width - Size + 1) * channels);
        (c1, c2) = (T.CreateChecked(0.01 * range * (0.01 * range)), T.CreateChecked(0.03 * range * (0.03 * range)));
        middle = T.CreateChecked(range / 2);
        // Rows are padded, so that whole vectors can be read everywhere; the padding is not used.
        T[] Row() => new T[samples + (Size * channels) + Vector<T>.Count];
        (rows, referenceRows) = ([.. Enumerable.Range(0, Size).Select(_ => Row())], [.. Enumerable.Range(0, Size).Select(_ => Row())]);
        (x, y, squares, products) = (Row(), Row(), Row(), Row());
        (similarities, contrasts) = (new double[x.Length], new double[x.Length]);
    }

    /// <summary>
    /// Computes means over the windows of each channel of the similarity, and of contrast and structure alone,
    /// (2 cxy + C2) / (vx + vy + C2). Both images have at least 11 whole rows of bytes or floats.
    /// </summary>
    public (double[] Similarity, double[] Contrast) MeansPerChannel<TSample>(ReadOnlySpan<TSample> image, ReadOnlySpan<TSample> reference)
        where TSample : struct, INumber<TSample>
    {
        int height = image.Length / samples;
        for (int row = 0; row < height; row++)
        {
            SampleRows.Load(image.Slice(row * samples, samples), Next(rows).AsSpan(), middle);
            SampleRows.Load(reference.Slice(row * samples, samples), Next(referenceRows).AsSpan(), middle);
            if (row < Size - 1) continue;
            WeightDown();
            AddSimilarities();
        }
        int down = height - Size + 1;
        return (SampleRows.MeansPerChannel(similarities.AsSpan(0, valid), channels, down),
            SampleRows.MeansPerChannel(contrasts.AsSpan(0, valid), channels, down));
    }

    private static T[] MakeKernel()
    {
        double[] weights = [.. Enumerable.Range(-Size / 2, Size).Select(i => Math.Exp(-i * i / (2 * Sigma * Sigma)))];
        double sum = weights.Sum();
        return Array.ConvertAll(weights, weight => T.CreateChecked(weight / sum));
    }

    // The oldest row is overwritten next.
    private static T[] Next(T[][] rows)
    {
        T[] oldest = rows[0];
        Array.Copy(rows, 1, rows, 0, Size - 1);
        return rows[Size - 1] = oldest;
    }

    private void WeightDown()
    {
        for (int i = 0; i < samples; i += Vector<T>.Count)
        {
            Vector<T> sumX = default, sumY = default, sumSquares = default, sumProducts = default;
            for (int k = 0; k < Size; k++)
            {
                Vector<T> a = rows[k].At(i), b = referenceRows[k].At(i), weight = new(Kernel[k]), c = weight * a, d = weight * b;
                sumX += c;
                sumY += d;
                sumSquares = SampleRows.MultiplyAdd(d, b, SampleRows.MultiplyAdd(c, a, sumSquares));
                sumProducts = SampleRows.MultiplyAdd(c, b, sumProducts);
            }
            sumX.Store(x, i);
            sumY.Store(y, i);
            sumSquares.Store(squares, i);
            sumProducts.Store(products, i);
        }
    }

    private void AddSimilarities()
    {
        Vector<T> k1 = new(c1), k2 = new(c2), offset = new(middle);
        for (int i = 0; i < valid; i += Vector<T>.Count)
        {
            Vector<T> meanX = default, meanY = default, meanSquares = default, meanProducts = default;
            for (int k = 0, j = i; k < Size; k++, j += channels)
            {
                var weight = new Vector<T>(Kernel[k]);
                meanX = SampleRows.MultiplyAdd(weight, x.At(j), meanX);
                meanY = SampleRows.MultiplyAdd(weight, y.At(j), meanY);
                meanSquares = SampleRows.MultiplyAdd(weight, squares.At(j), meanSquares);
                meanProducts = SampleRows.MultiplyAdd(weight, products.At(j), meanProducts);
            }
            Vector<T> covariance = meanProducts - (meanX * meanY), variances = meanSquares - (meanX * meanX) - (meanY * meanY);
            (meanX, meanY) = (meanX + offset, meanY + offset);
            Vector<T> product = meanX * meanY;
            Vector<T> contrast = (covariance + covariance + k2) / (variances + k2);
            SampleRows.Add(contrasts, i, contrast);
            SampleRows.Add(similarities, i, contrast * (product + product + k1) / ((meanX * meanX) + (meanY * meanY) + k1));
        }
    }
}
