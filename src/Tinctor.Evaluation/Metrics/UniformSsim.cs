using System.Numerics;
using System.Runtime.CompilerServices;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// SSIM with a uniform window and sample or population covariance. Column sums are updated row by row, and added across the window. Sums
/// of bytes are exact integers, which fit in 32 bits for up to 121 pixels.
/// </summary>
/// <typeparam name="TSum">int for bytes, double for floating-point planes.</typeparam>
internal sealed class UniformSsim<TSum> where TSum : struct, INumber<TSum>
{
    private readonly int size, channels, samples, valid;
    private readonly double c1, c2;
    private readonly TSum[][] rows, referenceRows; // those under the window, in a ring
    private readonly TSum[] x, y, squares, products; // column sums of x, y, x^2 + y^2 and xy
    private readonly double[] similarities; // summed down each column of windows
    private TSum[] row, referenceRow;

    /// <summary>Creates the window.</summary>
    /// <param name="size">Side of the window in pixels.</param>
    /// <param name="width">Width of the images in pixels.</param>
    /// <param name="channels">Samples per pixel.</param>
    /// <param name="range">Data range.</param>
    /// <param name="population">Whether covariances are divided by the number of pixels instead of one less.</param>
    public UniformSsim(int size, int width, int channels, double range, bool population = false)
    {
        (this.size, this.channels, samples, valid) = (size, channels, width * channels, (width - size + 1) * channels);
        // Scaling both factors of the fraction avoids dividing by the area of the window.
        double area = size * size;
        (c1, c2) = (Square(0.01 * range) * area * area, Square(0.03 * range) * area * (population ? area : area - 1));
        // Rows are padded, so that whole vectors can be read everywhere; the padding is not used.
        int length = samples + (size * channels) + Vector<int>.Count;
        TSum[] Row() => new TSum[length];
        (rows, referenceRows) = ([.. Enumerable.Range(0, size).Select(_ => Row())], [.. Enumerable.Range(0, size).Select(_ => Row())]);
        (row, referenceRow, x, y, squares, products) = (Row(), Row(), Row(), Row(), Row(), Row());
        similarities = new double[length];
    }

    /// <summary>Computes the mean similarity of each channel. Both images have whole rows, at least the height of the window.</summary>
    public double[] MeanPerChannel<TSample>(ReadOnlySpan<TSample> image, ReadOnlySpan<TSample> reference) where TSample : struct
    {
        int height = image.Length / samples;
        for (int line = 0; line < height; line++)
        {
            SampleRows.Load(image.Slice(line * samples, samples), row);
            SampleRows.Load(reference.Slice(line * samples, samples), referenceRow);
            int slot = line % size;
            SlideDown(row, referenceRow, rows[slot], referenceRows[slot]); // the ring starts with rows of zeros
            (rows[slot], row, referenceRows[slot], referenceRow) = (row, rows[slot], referenceRow, referenceRows[slot]);
            if (line < size - 1) continue;
            AddSimilarities();
        }
        return SampleRows.MeansPerChannel(similarities.AsSpan(0, valid), channels, height - size + 1);
    }

    private static double Square(double x) => x * x;

    private void SlideDown(TSum[] image, TSum[] reference, TSum[] oldImage, TSum[] oldReference)
    {
        for (int i = 0; i < samples; i += Vector<TSum>.Count)
        {
            Vector<TSum> a = image.At(i), b = reference.At(i), c = oldImage.At(i), d = oldReference.At(i);
            (x.At(i) + a - c).Store(x, i);
            (y.At(i) + b - d).Store(y, i);
            (squares.At(i) + ((a - c) * (a + c)) + ((b - d) * (b + d))).Store(squares, i);
            (products.At(i) + (a * b) - (c * d)).Store(products, i);
        }
    }

    // With sums over n pixels: mean = s / n, sample covariance = (n sxy - sx sy) / (n (n - 1)), population covariance with n instead
    // of n - 1.
    private void AddSimilarities()
    {
        var area = new Vector<TSum>(TSum.CreateChecked(size * size));
        for (int i = 0; i < valid; i += Vector<TSum>.Count)
        {
            Vector<TSum> sumX = x.At(i), sumY = y.At(i), sumSquares = squares.At(i), sumProducts = products.At(i);
            for (int k = 1, j = i + channels; k < size; k++, j += channels)
            {
                sumX += x.At(j);
                sumY += y.At(j);
                sumSquares += squares.At(j);
                sumProducts += products.At(j);
            }
            Vector<TSum> product = sumX * sumY, both = (sumX * sumX) + (sumY * sumY);
            Vector<TSum> covariance = (area * sumProducts) - product, variances = (area * sumSquares) - both;
            if (typeof(TSum) == typeof(double))
            {
                Add(i, product.As<TSum, double>(), both.As<TSum, double>(), covariance.As<TSum, double>(), variances.As<TSum, double>());
            }
            else
            {
                var (p, b) = (Doubles(product.As<TSum, int>()), Doubles(both.As<TSum, int>()));
                var (c, v) = (Doubles(covariance.As<TSum, int>()), Doubles(variances.As<TSum, int>()));
                Add(i, p.Low, b.Low, c.Low, v.Low);
                Add(i + Vector<double>.Count, p.High, b.High, c.High, v.High);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(int at, Vector<double> product, Vector<double> both, Vector<double> covariance, Vector<double> variances)
    {
        Vector<double> k1 = new(c1), k2 = new(c2);
        Vector<double> similarity = (product + product + k1) * (covariance + covariance + k2) / ((both + k1) * (variances + k2));
        (similarities.At(at) + similarity).Store(similarities, at);
    }

    private static (Vector<double> Low, Vector<double> High) Doubles(Vector<int> numbers)
    {
        Vector.Widen(numbers, out Vector<long> low, out Vector<long> high);
        return (Vector.ConvertToDouble(low), Vector.ConvertToDouble(high));
    }
}
