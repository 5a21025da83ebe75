namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Multi-scale SSIM (Wang, Simoncelli, Bovik, Asilomar 2003): the product over five scales of contrast-and-structure c_j ^ w_j, at the
/// coarsest scale of the whole similarity. Conventions are those of the pytorch-msssim package: Gaussian 11x11 window of sigma 1.5 over
/// windows inside the image, data range 255, each scale the mean of 2x2 blocks of the finer one (an odd side gets a border of zeros at both
/// ends first), negative means count as 0, the product is taken channel by channel and then averaged.
/// </summary>
internal static class MsSsim
{
    /// <summary>The least side in pixels: five scales of at least 11 pixels.</summary>
    public const int SmallestSide = 161;

    private static readonly double[] Weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

    /// <summary>The metric; NaN for images below <see cref="SmallestSide"/>.</summary>
    public static PairMetric Metric { get; } = PairMetric.Create("ms_ssim", "MS-SSIM", "", 4, true,
        "five scales with the weights 0.0448, 0.2856, 0.3001, 0.2363, 0.1333 (Wang et al. 2003), Gaussian 11x11 window with sigma 1.5, K1 "
        + "0.01, K2 0.03, data range 255, on 8-bit RGB, 2x2 means between the scales (an odd side gets a border of zeros first), negative "
        + "means count as 0, product per channel, then mean: as the package pytorch-msssim; not defined for images with a side below "
        + $"{SmallestSide}",
        (image, reference) => Math.Min(image.Width, image.Height) < SmallestSide ? double.NaN : Compute(image.Pixels, reference.Pixels));

    /// <summary>MS-SSIM of two 8-bit images, in [0, 1].</summary>
    /// <exception cref="ArgumentException">The images differ in size or have a side below <see cref="SmallestSide"/>.</exception>
    public static double Compute(PixelView image, PixelView reference)
    {
        image.MustMatch(reference);
        if (Math.Min(image.Width, image.Height) < SmallestSide)
            throw new ArgumentException(
                $"MS-SSIM needs images of at least {SmallestSide}x{SmallestSide} pixels, these have {image.Width}x{image.Height}");
        int channels = image.Channels;
        var (_, contrast) = new GaussianSsim<float>(image.Width, channels, 255).MeansPerChannel(image.Data, reference.Data);
        double[] product = Array.ConvertAll(contrast, mean => Power(mean, Weights[0]));
        var (a, b) = (HalfSize.Of(image), HalfSize.Of(reference));
        for (int scale = 1; scale < Weights.Length; scale++)
        {
            if (scale > 1) (a, b) = (a.Half(), b.Half());
            var means = new GaussianSsim<float>(a.Width, channels, 255).MeansPerChannel<float>(a.Data, b.Data);
            double[] factors = scale == Weights.Length - 1 ? means.Similarity : means.Contrast;
            for (int c = 0; c < channels; c++)
                product[c] *= Power(factors[c], Weights[scale]);
        }
        return product.Average();
    }

    private static double Power(double mean, double weight) => Math.Pow(Math.Clamp(mean, 0, 1), weight);

    /// <summary>Interleaved floats of a coarser scale.</summary>
    private sealed record HalfSize(float[] Data, int Width, int Height, int Channels)
    {
        public static HalfSize Of(PixelView pixels)
        {
            var half = Empty(pixels.Width, pixels.Height, pixels.Channels);
            for (int y = 0; y < pixels.Height; y++)
                half.Add<byte>(pixels.Row(y), y, pixels.Width, pixels.Height);
            return half;
        }

        public HalfSize Half()
        {
            var half = Empty(Width, Height, Channels);
            int samples = Width * Channels;
            for (int y = 0; y < Height; y++)
                half.Add<float>(Data.AsSpan(y * samples, samples), y, Width, Height);
            return half;
        }

        private static HalfSize Empty(int width, int height, int channels)
        {
            var (w, h) = ((width / 2) + (width % 2), (height / 2) + (height % 2));
            return new(new float[w * h * channels], w, h, channels);
        }

        // Each sample adds a quarter of its value to its block; the zeros before an odd side shift the blocks by one.
        private void Add<TSample>(ReadOnlySpan<TSample> row, int y, int width, int height)
            where TSample : struct, System.Numerics.INumber<TSample>
        {
            Span<float> target = Data.AsSpan((y + (height % 2)) / 2 * Width * Channels, Width * Channels);
            for (int x = 0, column = width % 2; x < row.Length; x += Channels, column++)
            {
                int to = (column >> 1) * Channels;
                for (int c = 0; c < Channels; c++)
                    target[to + c] += 0.25f * float.CreateTruncating(row[x + c]);
            }
        }
    }
}
