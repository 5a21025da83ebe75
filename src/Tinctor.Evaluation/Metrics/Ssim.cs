using System.Numerics;

namespace Tinctor.Evaluation.Metrics;

/// <summary>The two usual definitions of SSIM; they give different numbers and must not be compared with each other.</summary>
public enum SsimVariant
{
    /// <summary>7x7 uniform window, sample covariance: skimage's default, and so the BCI and ASP evaluate scripts'.</summary>
    Uniform7,

    /// <summary>11x11 Gaussian window of sigma 1.5, population covariance: Wang et al. 2004.</summary>
    Gaussian11,
}

/// <summary>
/// Structural similarity of 8-bit images (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004), as skimage 0.19.3 computes it:
/// S = (2 mx my + C1)(2 cxy + C2) / ((mx^2 + my^2 + C1)(vx + vy + C2)), C1 = (0.01 x 255)^2, C2 = (0.03 x 255)^2,
/// per channel, averaged over the windows that lie wholly inside the image, then over the channels.
/// </summary>
public static class Ssim
{
    private const double C1 = 0.01 * 255 * (0.01 * 255);
    private const double C2 = 0.03 * 255 * (0.03 * 255);

    /// <summary>The window's side in pixels; images must be at least this wide and high.</summary>
    public static int WindowSize(SsimVariant variant) => variant == SsimVariant.Uniform7 ? 7 : 11;

    /// <summary>Mean SSIM over windows and channels, in [-1, 1].</summary>
    /// <exception cref="ArgumentException">The images differ in size or are smaller than the window.</exception>
    public static double Compute(PixelView image, PixelView reference, SsimVariant variant = SsimVariant.Uniform7) =>
        PerChannel(image, reference, variant).Average();

    /// <summary>Mean SSIM of each channel.</summary>
    /// <exception cref="ArgumentException">The images differ in size or are smaller than the window.</exception>
    public static double[] PerChannel(PixelView image, PixelView reference, SsimVariant variant = SsimVariant.Uniform7)
    {
        image.MustMatch(reference);
        int window = WindowSize(variant);
        if (image.Width < window || image.Height < window)
            throw new ArgumentException($"SSIM with a {window}x{window} window needs larger images than {image.Width}x{image.Height}");
        var sums = variant == SsimVariant.Uniform7 ? UniformSums(image, reference) : GaussianSums(image, reference);
        double windows = (double)(image.Width - window + 1) * (image.Height - window + 1);
        return Array.ConvertAll(sums, sum => sum / windows);
    }

    internal static PairMetric Metric(SsimVariant variant) => new("ssim", "SSIM", "", 4, true,
        (variant == SsimVariant.Uniform7
            ? "uniform 7x7 window, sample covariance (the BCI evaluate script's call of skimage.metrics.structural_similarity)"
            : "Gaussian 11x11 window with sigma 1.5, population covariance (Wang et al. 2004; skimage with gaussian_weights)")
        + ", K1 0.01, K2 0.03, data range 255, on 8-bit RGB: per channel, mean over the windows that lie wholly inside the image, "
        + "then mean over the channels",
        (image, reference) => Compute(image.Pixels, reference.Pixels, variant));

    /// <summary>
    /// Window sums of bytes are exact in 32 bits, even when multiplied by the window's 49 pixels. Column sums slide down the image
    /// (add the row that enters, take the row that leaves); seven of them side by side make a window.
    /// </summary>
    private static double[] UniformSums(PixelView image, PixelView reference)
    {
        const int n = 7;
        int channels = image.Channels, samples = image.Width * channels;
        var row = new Moments<int>(samples);
        var columns = new Moments<int>(samples);
        var windows = new Moments<int>(samples - (n - 1) * channels);
        var result = new double[channels];
        for (int y = 0; y < image.Height; y++)
        {
            FillRow(row, image.Row(y), reference.Row(y));
            columns.AddScaled(row, 0, 1);
            if (y >= n)
            {
                FillRow(row, image.Row(y - n), reference.Row(y - n));
                columns.AddScaled(row, 0, -1);
            }
            if (y < n - 1)
                continue;
            windows.Clear();
            for (int k = 0; k < n; k++)
                windows.AddScaled(columns, k * channels, 1);
            AddUniformSimilarities(windows, result);
        }
        return result;
    }

    private static void AddUniformSimilarities(Moments<int> windows, double[] result)
    {
        const int area = 49;
        const double toMeans = 1.0 / (area * area), toCovariance = 1.0 / (area * (area - 1));
        for (int i = 0, channel = 0; i < windows.X.Length; i++)
        {
            // With sums over the 49 pixels: mean = s / 49, sample covariance = (49 sxy - sx sy) / (49 x 48).
            int x = windows.X[i], y = windows.Y[i], products = x * y, squares = x * x + y * y;
            result[channel] += Similarity(products * toMeans, squares * toMeans,
                (area * windows.Products[i] - products) * toCovariance, (area * windows.Squares[i] - squares) * toCovariance);
            channel = channel + 1 == result.Length ? 0 : channel + 1;
        }
    }

    private static double Similarity(double meanProduct, double meanSquares, double covariance, double variances) =>
        (2 * meanProduct + C1) * (2 * covariance + C2) / ((meanSquares + C1) * (variances + C2));

    private static double[] GaussianSums(PixelView image, PixelView reference)
    {
        const int n = 11;
        int channels = image.Channels, samples = image.Width * channels, valid = samples - (n - 1) * channels;
        double[] kernel = GaussianKernel();
        var ring = new Moments<double>[n];
        for (int i = 0; i < n; i++)
            ring[i] = new Moments<double>(samples);
        var column = new Moments<double>(samples);
        var blurred = new Moments<double>(valid);
        var result = new double[channels];
        for (int y = 0; y < image.Height; y++)
        {
            FillRow(ring[y % n], image.Row(y), reference.Row(y));
            if (y < n - 1)
                continue;
            column.Clear();
            for (int k = 0; k < n; k++)
                column.AddScaled(ring[(y - n + 1 + k) % n], 0, kernel[k]);
            blurred.Clear();
            for (int k = 0; k < n; k++)
                blurred.AddScaled(column, k * channels, kernel[k]);
            AddGaussianSimilarities(blurred, result);
        }
        return result;
    }

    private static double[] GaussianKernel()
    {
        var kernel = new double[11];
        for (int i = 0; i < kernel.Length; i++)
            kernel[i] = Math.Exp(-0.5 * (i - 5) * (i - 5) / (1.5 * 1.5));
        double sum = kernel.Sum();
        return Array.ConvertAll(kernel, k => k / sum);
    }

    private static void FillRow<T>(Moments<T> moments, ReadOnlySpan<byte> row, ReadOnlySpan<byte> referenceRow) where T : struct, INumber<T>
    {
        for (int i = 0; i < row.Length; i++)
        {
            int a = row[i], b = referenceRow[i];
            moments.X[i] = T.CreateTruncating(a);
            moments.Y[i] = T.CreateTruncating(b);
            moments.Squares[i] = T.CreateTruncating(a * a + b * b);
            moments.Products[i] = T.CreateTruncating(a * b);
        }
    }

    private static void AddGaussianSimilarities(Moments<double> blurred, double[] result)
    {
        for (int i = 0, channel = 0; i < blurred.X.Length; i++)
        {
            double x = blurred.X[i], y = blurred.Y[i];
            double meanSquares = x * x + y * y;
            result[channel] += Similarity(x * y, meanSquares, blurred.Products[i] - x * y, blurred.Squares[i] - meanSquares);
            channel = channel + 1 == result.Length ? 0 : channel + 1;
        }
    }

    /// <summary>A row of the sums that SSIM needs: x, y, x^2 + y^2 and xy (it never needs the two squares apart).</summary>
    private sealed class Moments<T>(int length) where T : struct, INumber<T>
    {
        public T[] X { get; } = new T[length];
        public T[] Y { get; } = new T[length];
        public T[] Squares { get; } = new T[length];
        public T[] Products { get; } = new T[length];

        public void Clear()
        {
            Array.Clear(X);
            Array.Clear(Y);
            Array.Clear(Squares);
            Array.Clear(Products);
        }

        public void AddScaled(Moments<T> other, int offset, T weight)
        {
            AddScaled(X, other.X.AsSpan(offset), weight);
            AddScaled(Y, other.Y.AsSpan(offset), weight);
            AddScaled(Squares, other.Squares.AsSpan(offset), weight);
            AddScaled(Products, other.Products.AsSpan(offset), weight);
        }

        private static void AddScaled(Span<T> to, ReadOnlySpan<T> from, T weight)
        {
            int i = 0;
            for (; i <= to.Length - Vector<T>.Count; i += Vector<T>.Count)
                (new Vector<T>(to[i..]) + new Vector<T>(from[i..]) * weight).CopyTo(to[i..]);
            for (; i < to.Length; i++)
                to[i] += from[i] * weight;
        }
    }
}
