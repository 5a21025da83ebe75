using Tinctor.Evaluation.Metrics;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Evaluation.Tests;

public class StainMetricTests
{
    private static readonly Dictionary<string, PairMetric> Metrics = StainMetrics.All.ToDictionary(metric => metric.Key);

    [Fact]
    public void Keys_equal_documentation() => Assert.Equal(
        ["psnr_h", "ssim_h", "mae_h", "rmse_h", "psnr_dab", "ssim_dab", "mae_dab", "rmse_dab"],
            StainMetrics.All.Select(metric => metric.Key));

    [Fact]
    public void Planes_equal_skimage()
    {
        // skimage's unit is a sixth of the decimal density, and its floor of 1e-6 differs from ours in black pixels only.
        using Tensor rgb = Vectors.Read("metrics_stains")["rgb"];
        using Tensor stains = SafeTensors.Load(TestVectors.Path("metrics_stains/io_f64.safetensors"))
            .First(entry => entry.Key.StartsWith("hdx_from_rgb") && entry.Value.shape.SequenceEqual(rgb.shape)).Value;
        byte[] pixels = Array.ConvertAll(rgb.to(ScalarType.Float64).ToArray<double>(), value => (byte)Math.Round(value));
        Assert.True(pixels.Max() > 200, "the vector holds 8-bit values");
        double[] expected = stains.ToArray<double>();
        var image = new ScoredImage(new Image((int)rgb.size(1), (int)rgb.size(0), 3, SampleType.UInt8, pixels));
        int compared = 0;
        for (int i = 0; i < image.Dab.Length; i++)
        {
            if (pixels.AsSpan(3 * i, 3).Contains((byte)0)) continue;
            compared++;
            Assert.Equal(6 * expected[3 * i], image.Haematoxylin[i], 1e-5);
            Assert.Equal(6 * expected[(3 * i) + 1], image.Dab[i], 1e-5);
        }
        Assert.True(compared > 1000);
    }

    [Fact]
    public void Compute_known_difference_gives_known_errors()
    {
        // Light of pure DAB: densities 0.268, 0.570, 0.776 of 0.5 and of 0.9; bytes round, so a hundredth is allowed.
        ScoredImage weak = Flat(0.5), strong = Flat(0.9);
        Assert.Equal(0.4, Metrics["mae_dab"].Compute(weak, strong), 0.01);
        Assert.Equal(0.4, Metrics["rmse_dab"].Compute(weak, strong), 0.01);
        Assert.Equal(20 * Math.Log10(Math.Log10(255) / 0.4), Metrics["psnr_dab"].Compute(weak, strong), 0.2);
        Assert.Equal(0, Metrics["mae_h"].Compute(weak, strong), 0.01);

        static ScoredImage Flat(double amount)
        {
            byte[] colour = [.. new[] { 0.268, 0.570, 0.776 }.Select(d => (byte)Math.Round(255 * Math.Pow(10, -amount * d)))];
            return new(new Image(20, 10, 3, SampleType.UInt8, [.. Enumerable.Range(0, 200).SelectMany(_ => colour)]));
        }
    }

    [Fact]
    public void Compute_is_symmetric_and_perfect_for_identical_images()
    {
        ScoredImage a = Noise(64, 50, 1), b = Noise(64, 50, 2);
        foreach (var metric in StainMetrics.All)
        {
            double perfect = metric.Key[..2] switch { "ps" => double.PositiveInfinity, "ss" => 1, _ => 0 };
            Assert.Equal(perfect, metric.Compute(a, a), 1e-9);
            Assert.Equal(metric.Compute(a, b), metric.Compute(b, a), 1e-9);
            Assert.NotEqual(perfect, metric.Compute(a, b), 1e-3);
        }
    }

    [Fact]
    public void Ssim_of_plane_equals_definition()
    {
        const int width = 37, height = 23;
        var random = new Random(3);
        float[] a = [.. Enumerable.Range(0, width * height).Select(_ => random.NextSingle() * 2)];
        float[] b = [.. a.Select(v => v + (random.NextSingle() * 0.5f))];
        const double range = 2.4, c1 = 0.01 * range * 0.01 * range, c2 = 0.03 * range * 0.03 * range;
        var values = new List<double>();
        for (int y = 0; y <= height - 7; y++)
            for (int x = 0; x <= width - 7; x++)
            {
                int[] at = [.. Enumerable.Range(0, 49).Select(k => ((y + (k / 7)) * width) + x + (k % 7))];
                double ma = at.Average(i => a[i]), mb = at.Average(i => b[i]);
                double va = at.Sum(i => (a[i] - ma) * (a[i] - ma)) / 48, vb = at.Sum(i => (b[i] - mb) * (b[i] - mb)) / 48;
                double cov = at.Sum(i => (a[i] - ma) * (b[i] - mb)) / 48;
                values.Add(((2 * ma * mb) + c1) * ((2 * cov) + c2) / (((ma * ma) + (mb * mb) + c1) * (va + vb + c2)));
            }
        Assert.Equal(values.Average(), Ssim.OfPlanes(a, b, width, height, range), 1e-9);
    }

    private static ScoredImage Noise(int width, int height, int seed)
    {
        var data = new byte[width * height * 3];
        new Random(seed).NextBytes(data);
        return new(new Image(width, height, 3, SampleType.UInt8, data));
    }
}
