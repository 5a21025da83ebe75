using Tinctor.Evaluation.Metrics;
using Tinctor.Torch;

namespace Tinctor.Evaluation.Tests;

public class SsimVariantTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Ssim_variants_equal_skimage(int pair)
    {
        var (fakeData, realData, width, height) = ReferenceVectors.Pair(pair);
        PixelView Fake() => new(fakeData, width, height, 3);
        PixelView Real() => new(realData, width, height, 3);
        void Equal(string name, SsimVariant variant, double tolerance = 1e-9) =>
            Assert.Equal(ReferenceVectors.Values($"{name}{pair}")[0], Ssim.Compute(Fake(), Real(), variant), tolerance);

        Equal("ssim", SsimVariant.Uniform7);
        Equal("yijie_ssim", SsimVariant.Uniform7);
        Equal("ssim_float01_dr1", SsimVariant.Uniform7);
        Equal("ssim_gauss_wang", SsimVariant.Gaussian11);
        Equal("ssim_win11", SsimVariant.Uniform11);
        Equal("ssim_gray_win7", SsimVariant.Grey7, 1e-7);
        Equal("ssim_float01_default_dr2", SsimVariant.Uniform7Range2);
        Assert.Equal(ReferenceVectors.Values($"yijie_psnr{pair}")[0], PixelErrors.PsnrOfTargetRange(Fake(), Real()), 1e-9);
        Assert.Equal(ReferenceVectors.Values($"psnr_float01{pair}")[0], PixelErrors.Psnr(Fake(), Real()), 1e-9);
    }

    [Fact]
    public void Ssim_luminance_equals_skimage_rgb2gray()
    {
        var (fake, real, width, height) = ReferenceVectors.Pair(1);
        // skimage 0.19.3: structural_similarity(rgb2gray(fake), rgb2gray(real), data_range=1)
        Assert.Equal(0.7895329933993087, Ssim.Compute(new(fake, width, height, 3), new(real, width, height, 3), SsimVariant.Luminance7),
            1e-6);
    }

    [Fact]
    public void Ssim_variants_have_own_name_and_definition()
    {
        Assert.Equal(Enum.GetValues<SsimVariant>().Order(), Ssim.Names.Values.Order());
        Assert.Equal(Ssim.Names.Count, Ssim.Names.Values.Select(variant => Ssim.Metric(variant).Definition).Distinct().Count());
    }

    [Fact]
    public void Ssim_uniform11_of_extremes_does_not_overflow()
    {
        byte[] white = [.. Enumerable.Repeat((byte)255, 12 * 12 * 3)],
            checks = [.. Enumerable.Range(0, 12 * 12 * 3).Select(i => (byte)(i % 2 * 255))];
        Assert.Equal(1, Ssim.Compute(new(white, 12, 12, 3), new(white, 12, 12, 3), SsimVariant.Uniform11), 1e-12);
        Assert.Equal(1, Ssim.Compute(new(checks, 12, 12, 3), new(checks, 12, 12, 3), SsimVariant.Uniform11), 1e-12);
    }

    [Theory]
    [InlineData(161, 161)]
    [InlineData(163, 176)]
    [InlineData(192, 177)]
    public void MsSsim_equals_definition(int width, int height)
    {
        byte[] a = Smooth(width, height, 1), b = Noisy(a, 25);
        Assert.Equal(MultiScaleByDefinition(a, b, width, height), MsSsim.Compute(new(a, width, height, 3), new(b, width, height, 3)), 1e-6);
    }

    [Fact]
    public void MsSsim_is_symmetric_and_falls_with_noise()
    {
        byte[] image = Smooth(200, 170, 2), little = Noisy(image, 10), much = Noisy(image, 60);
        double Score(byte[] x, byte[] y) => MsSsim.Compute(new(x, 200, 170, 3), new(y, 200, 170, 3));
        Assert.Equal(1, Score(image, image), 1e-6);
        Assert.True(Score(image, image) <= 1);
        Assert.Equal(Score(image, little), Score(little, image), 1e-6);
        Assert.True(Score(image, little) > Score(image, much) + 0.05);
    }

    [Fact]
    public void MsSsim_of_small_images_is_undefined()
    {
        var small = new ScoredImage(new Slides.Image(160, 400, 3));
        Assert.Equal(double.NaN, MsSsim.Metric.Compute(small, small));
        Assert.Throws<ArgumentException>(() => MsSsim.Compute(small.Pixels, small.Pixels));
    }

    /// <summary>The published definition in plain tensor operators, in double precision.</summary>
    private static double MultiScaleByDefinition(byte[] a, byte[] b, int width, int height)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        Tensor ToTensor(byte[] data) =>
            torch.tensor(Array.ConvertAll(data, v => (double)v), height, width, 3).permute(2, 0, 1).unsqueeze(1);
        double[] bell = [.. Enumerable.Range(-5, 11).Select(i => Math.Exp(-i * i / 4.5))];
        Tensor line = torch.tensor(Array.ConvertAll(bell, v => v / bell.Sum()), 1, 1, 1, 11);
        Tensor Blur(Tensor t) => F.conv2d(F.conv2d(t, line), line.transpose(2, 3));
        Tensor x = ToTensor(a), y = ToTensor(b), product = torch.ones([3, 1], dtype: ScalarType.Float64);
        double[] weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
        for (int scale = 0; scale < 5; scale++)
        {
            Tensor mx = Blur(x), my = Blur(y), vx = Blur(x * x) - (mx * mx), vy = Blur(y * y) - (my * my), cov = Blur(x * y) - (mx * my);
            Tensor map = ((cov * 2) + 58.5225) / (vx + vy + 58.5225);
            if (scale == 4) map = map * ((mx * my * 2) + 6.5025) / ((mx * mx) + (my * my) + 6.5025);
            product = product * map.mean([2, 3]).clamp(min: 0).pow(weights[scale]);
            long[] padding = [x.size(2) % 2, x.size(3) % 2];
            (x, y) = (F.avg_pool2d(x, 2, padding: (padding[0], padding[1])), F.avg_pool2d(y, 2, padding: (padding[0], padding[1])));
        }
        return product.mean().item();
    }

    private static byte[] Smooth(int width, int height, int seed)
    {
        var random = new Random(seed);
        double[] phases = [.. Enumerable.Range(0, 6).Select(_ => random.NextDouble() * 6)];
        return [.. Enumerable.Range(0, width * height * 3).Select(i =>
        {
            double x = i / 3 % width, y = i / 3 / width, c = i % 3;
            return (byte)(128 + (60 * Math.Sin((x / 9) + phases[i % 3])) + (60 * Math.Cos((y / (7 + c)) + phases[3 + (i % 3)])));
        })];
    }

    private static byte[] Noisy(byte[] image, int amplitude)
    {
        var random = new Random(amplitude);
        return Array.ConvertAll(image, v => (byte)Math.Clamp(v + random.Next(-amplitude, amplitude + 1), 0, 255));
    }
}
