using Tinctor.Evaluation.Metrics;

namespace Tinctor.Evaluation.Tests;

public class MetricTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Metrics_equal_skimage(int pair)
    {
        var (fakeData, realData, width, height) = ReferenceVectors.Pair(pair);
        var fake = new PixelView(fakeData, width, height, 3);
        var real = new PixelView(realData, width, height, 3);
        Equal($"psnr{pair}", PixelErrors.Psnr(fake, real));
        Equal($"mse{pair}", PixelErrors.Mse(fake, real));
        Equal($"ssim{pair}", Ssim.Compute(fake, real));
        Equal($"ssim_channel_axis2{pair}", Ssim.Compute(fake, real));
        Equal($"ssim_gauss_wang{pair}", Ssim.Compute(fake, real, SsimVariant.Gaussian11));
        double[] channels = Ssim.PerChannel(fake, real), expected = ReferenceVectors.Values($"ssim_perchannel{pair}");
        for (int c = 0; c < 3; c++)
            Assert.Equal(expected[c], channels[c], 1e-9);

        static void Equal(string name, double actual) => Assert.Equal(ReferenceVectors.Values(name)[0], actual, 1e-9);
    }

    // By numpy from the published MATLAB code's convolutions (conv2 with 'same').
    [Fact]
    public void Gmsd_equals_definition()
    {
        byte[] a = Waves(50, 37, 0), b = Waves(50, 37, 0.5);
        PixelView image = new(a, 50, 37, 3), reference = new(b, 50, 37, 3);
        Assert.Equal(0.10850308134364006, Gmsd.Compute(image, reference), 1e-12);
        Assert.Equal(Gmsd.Compute(image, reference), Gmsd.Compute(reference, image), 1e-15);
        Assert.Equal(0, Gmsd.Compute(image, image));
    }

    [Theory]
    [InlineData(SsimVariant.Uniform7)]
    [InlineData(SsimVariant.Gaussian11)]
    public void Metrics_of_identical_images_are_perfect(SsimVariant variant)
    {
        byte[] data = Noise(40 * 30 * 3, 1);
        var image = new PixelView(data, 40, 30, 3);
        Assert.Equal(1, Ssim.Compute(image, image, variant), 1e-12);
        Assert.Equal(double.PositiveInfinity, PixelErrors.Psnr(image, image));
        Assert.Equal(0, PixelErrors.Mae(image, image));
        Assert.Equal(0, PixelErrors.Rmse(image, image));
    }

    [Theory]
    [InlineData(SsimVariant.Uniform7)]
    [InlineData(SsimVariant.Gaussian11)]
    public void Ssim_is_symmetric_and_bounded(SsimVariant variant)
    {
        var a = new PixelView(Noise(50 * 41 * 3, 2), 50, 41, 3);
        var b = new PixelView(Noise(50 * 41 * 3, 3), 50, 41, 3);
        double forward = Ssim.Compute(a, b, variant);
        Assert.Equal(forward, Ssim.Compute(b, a, variant), 1e-12);
        Assert.InRange(forward, -1, 0.5);
    }

    [Theory]
    [InlineData(7, 7)]
    [InlineData(7, 64)]
    [InlineData(64, 7)]
    [InlineData(13, 9)]
    public void Ssim_uniform_equals_definition(int width, int height)
    {
        byte[] a = Noise(width * height * 3, 4), b = Noise(width * height * 3, 5);
        double actual = Ssim.Compute(new PixelView(a, width, height, 3), new PixelView(b, width, height, 3));
        Assert.Equal(SsimByDefinition(a, b, width, height), actual, 1e-10);
    }

    [Fact]
    public void PixelErrors_of_known_difference_equal_formula()
    {
        // 10 everywhere: MSE 100, so PSNR = 10 log10(65025 / 100).
        byte[] a = [.. Enumerable.Repeat((byte)90, 101 * 67 * 3)], b = [.. Enumerable.Repeat((byte)100, 101 * 67 * 3)];
        var image = new PixelView(a, 101, 67, 3);
        var reference = new PixelView(b, 101, 67, 3);
        Assert.Equal(10 * Math.Log10(650.25), PixelErrors.Psnr(image, reference), 1e-12);
        Assert.Equal(10, PixelErrors.Mae(image, reference));
        Assert.Equal(10, PixelErrors.Rmse(image, reference), 1e-12);
    }

    [Fact]
    public void PixelErrors_of_any_length_are_exact()
    {
        foreach (int length in new[] { 1, 31, 64, 65, 4095, 4096, 4097, 12345 })
        {
            byte[] black = new byte[length], white = [.. Enumerable.Repeat((byte)255, length)], noise = Noise(length, length);
            Assert.Equal(0, PixelErrors.Psnr(new(black, length, 1, 1), new(white, length, 1, 1)), 1e-12);
            double mse = noise.Zip(white, (x, y) => (double)(x - y) * (x - y)).Sum() / length;
            double mae = noise.Zip(white, (x, y) => (double)Math.Abs(x - y)).Sum() / length;
            Assert.Equal(mse, PixelErrors.Mse(new(noise, length, 1, 1), new(white, length, 1, 1)), 1e-9);
            Assert.Equal(mae, PixelErrors.Mae(new(noise, length, 1, 1), new(white, length, 1, 1)), 1e-9);
        }
    }

    [Fact]
    public void PixelView_wrong_sizes_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new PixelView(new byte[10], 2, 2, 3));
        Assert.Throws<ArgumentException>(() => Ssim.Compute(new(new byte[300], 10, 10, 3), new(new byte[360], 12, 10, 3)));
        Assert.Throws<ArgumentException>(() => Ssim.Compute(new(new byte[108], 6, 6, 3), new(new byte[108], 6, 6, 3)));
        Assert.Throws<ArgumentException>(() => PixelErrors.Psnr(new(new byte[300], 10, 10, 3), new(new byte[360], 12, 10, 3)));
    }

    private static byte[] Noise(int length, int seed)
    {
        var data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }

    /// <summary>Straight from the formula: every window by itself, two passes.</summary>
    private static double SsimByDefinition(byte[] a, byte[] b, int width, int height)
    {
        const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
        var values = new List<double>();
        for (int c = 0; c < 3; c++)
            for (int y = 0; y <= height - 7; y++)
                for (int x = 0; x <= width - 7; x++)
                {
                    int[] at = [.. Enumerable.Range(0, 49).Select(k => ((y + k / 7) * width + x + k % 7) * 3 + c)];
                    double ma = at.Average(i => (double)a[i]), mb = at.Average(i => (double)b[i]);
                    double va = at.Sum(i => (a[i] - ma) * (a[i] - ma)) / 48, vb = at.Sum(i => (b[i] - mb) * (b[i] - mb)) / 48;
                    double cov = at.Sum(i => (a[i] - ma) * (b[i] - mb)) / 48;
                    values.Add((2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2)));
                }
        return values.Average();
    }

    private static byte[] Waves(int width, int height, double phase) =>
    [
        .. from y in Enumerable.Range(0, height)
           from x in Enumerable.Range(0, width)
           from c in Enumerable.Range(0, 3)
           select (byte)(128 + (60 * Math.Sin((((x * (c + 2)) + (y * 3)) * 0.11) + (phase * c)))
               + (50 * Math.Cos((((y * (c + 1)) - x) * 0.17) + phase))),
    ];
}
