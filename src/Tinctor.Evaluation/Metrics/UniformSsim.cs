using System.Numerics;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// SSIM with a uniform window and sample covariance. Column sums slide down the image (a row enters, a row leaves); as many of them side
/// by side as the window is wide make a window's sums. Whole numbers make the sums of bytes exact: with 121 pixels they fit in 32 bits.
/// </summary>
/// <typeparam name="TSum">int for bytes, double for planes of numbers.</typeparam>
internal sealed class UniformSsim<TSum> where TSum : struct, INumber<TSum>
{
    private readonly int size, channels, samples, valid;
    private readonly double c1, c2;
    private readonly TSum[][] rows, referenceRows; // those under the window, in a ring
    private readonly Sums columns, windows;
    private readonly double[] similarities; // summed down each column of windows
    private TSum[] row, referenceRow;

    public UniformSsim(int size, int width, int channels, double range)
    {
        (this.size, this.channels, samples, valid) = (size, channels, width * channels, (width - size + 1) * channels);
        // Means and covariances are sums over the window's area; scaling both factors of the fraction spares the divisions.
        double area = size * size;
        (c1, c2) = (Square(0.01 * range) * area * area, Square(0.03 * range) * area * (area - 1));
        // Rows are longer than needed, so that whole vectors can be read everywhere; what they hold there is never looked at.
        int length = samples + (size * channels) + Vector<int>.Count;
        TSum[] Row() => new TSum[length];
        (rows, referenceRows) = ([.. Enumerable.Range(0, size).Select(_ => Row())], [.. Enumerable.Range(0, size).Select(_ => Row())]);
        (row, referenceRow, columns, windows) = (Row(), Row(), new(length), new(length));
        similarities = new double[length];
    }

    /// <summary>Mean similarity of each channel; both images hold whole rows, at least as many as the window's.</summary>
    public double[] MeanPerChannel<TSample>(ReadOnlySpan<TSample> image, ReadOnlySpan<TSample> reference) where TSample : struct
    {
        int height = image.Length / samples;
        for (int y = 0; y < height; y++)
        {
            SampleRows.Load(image.Slice(y * samples, samples), row);
            SampleRows.Load(reference.Slice(y * samples, samples), referenceRow);
            int slot = y % size;
            SlideDown(row, referenceRow, rows[slot], referenceRows[slot]); // the ring starts with rows of zeros
            (rows[slot], row, referenceRows[slot], referenceRow) = (row, rows[slot], referenceRow, referenceRows[slot]);
            if (y < size - 1) continue;
            SumAcross();
            AddSimilarities();
        }
        return SampleRows.MeansPerChannel(similarities.AsSpan(0, valid), channels, height - size + 1);
    }

    private static double Square(double x) => x * x;

    private void SlideDown(TSum[] image, TSum[] reference, TSum[] oldImage, TSum[] oldReference)
    {
        for (int i = 0; i < samples; i += Vector<TSum>.Count)
        {
            Vector<TSum> a = new(image, i), b = new(reference, i), c = new(oldImage, i), d = new(oldReference, i);
            (new Vector<TSum>(columns.X, i) + a - c).CopyTo(columns.X, i);
            (new Vector<TSum>(columns.Y, i) + b - d).CopyTo(columns.Y, i);
            (new Vector<TSum>(columns.Squares, i) + ((a - c) * (a + c)) + ((b - d) * (b + d))).CopyTo(columns.Squares, i);
            (new Vector<TSum>(columns.Products, i) + (a * b) - (c * d)).CopyTo(columns.Products, i);
        }
    }

    private void SumAcross()
    {
        for (int i = 0; i < valid; i += Vector<TSum>.Count)
        {
            Vector<TSum> x = new(columns.X, i), y = new(columns.Y, i), squares = new(columns.Squares, i), products = new(columns.Products, i);
            for (int k = 1, j = i + channels; k < size; k++, j += channels)
            {
                x += new Vector<TSum>(columns.X, j);
                y += new Vector<TSum>(columns.Y, j);
                squares += new Vector<TSum>(columns.Squares, j);
                products += new Vector<TSum>(columns.Products, j);
            }
            x.CopyTo(windows.X, i);
            y.CopyTo(windows.Y, i);
            squares.CopyTo(windows.Squares, i);
            products.CopyTo(windows.Products, i);
        }
    }

    // With sums over n pixels: mean = s / n, sample covariance = (n sxy - sx sy) / (n (n - 1)).
    private void AddSimilarities()
    {
        var area = new Vector<TSum>(TSum.CreateChecked(size * size));
        for (int i = 0; i < valid; i += Vector<TSum>.Count)
        {
            Vector<TSum> x = new(windows.X, i), y = new(windows.Y, i), product = x * y, squares = (x * x) + (y * y);
            Vector<TSum> covariance = (area * new Vector<TSum>(windows.Products, i)) - product;
            Vector<TSum> variances = (area * new Vector<TSum>(windows.Squares, i)) - squares;
            if (typeof(TSum) == typeof(double))
            {
                Add(i, product.As<TSum, double>(), squares.As<TSum, double>(), covariance.As<TSum, double>(), variances.As<TSum, double>());
            }
            else
            {
                var (p, s) = (Doubles(product.As<TSum, int>()), Doubles(squares.As<TSum, int>()));
                var (c, v) = (Doubles(covariance.As<TSum, int>()), Doubles(variances.As<TSum, int>()));
                Add(i, p.Low, s.Low, c.Low, v.Low);
                Add(i + Vector<double>.Count, p.High, s.High, c.High, v.High);
            }
        }
    }

    private void Add(int at, Vector<double> product, Vector<double> squares, Vector<double> covariance, Vector<double> variances)
    {
        Vector<double> k1 = new(c1), k2 = new(c2);
        Vector<double> similarity = (product + product + k1) * (covariance + covariance + k2) / ((squares + k1) * (variances + k2));
        (new Vector<double>(similarities, at) + similarity).CopyTo(similarities, at);
    }

    private static (Vector<double> Low, Vector<double> High) Doubles(Vector<int> numbers)
    {
        Vector.Widen(numbers, out Vector<long> low, out Vector<long> high);
        return (Vector.ConvertToDouble(low), Vector.ConvertToDouble(high));
    }

    /// <summary>What SSIM needs: sums of x, y, x^2 + y^2 and xy (it never needs the two squares apart).</summary>
    private sealed class Sums(int length)
    {
        public readonly TSum[] X = new TSum[length], Y = new TSum[length], Squares = new TSum[length], Products = new TSum[length];
    }
}
