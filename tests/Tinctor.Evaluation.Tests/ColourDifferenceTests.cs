using System.Globalization;
using Tinctor.Evaluation.Metrics;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Evaluation.Tests;

public class ColourDifferenceTests
{
    [Fact]
    public void Ciede_equals_published_pairs()
    {
        // Sharma, Wu and Dalal 2005, table 1: L, a, b of two colours, and their difference to four decimals.
        double[][] pairs = [.. File.ReadLines(TestVectors.Path("benchmark/ciede2000.csv")).Skip(1)
            .Select(line => Array.ConvertAll(line.Split(','), cell => double.Parse(cell, CultureInfo.InvariantCulture)))];
        Assert.Equal(34, pairs.Length);
        foreach (double[] pair in pairs)
        {
            var (one, two) = ((pair[0], pair[1], pair[2]), (pair[3], pair[4], pair[5]));
            Assert.Equal(pair[6], ColourDifference.Ciede(one, two), 5.1e-5);
            Assert.Equal(pair[6], ColourDifference.Ciede(two, one), 5.1e-5);
        }
    }

    [Fact]
    public void Metrics_equal_definitions_of_benchmark()
    {
        var expected = SafeTensors.Load(TestVectors.Path("benchmark/io_f64.safetensors"));
        for (int pair = 0; pair < 2; pair++)
        {
            (ScoredImage image, ScoredImage reference) = (Read(expected[$"image{pair}"]), Read(expected[$"reference{pair}"]));
            double[] values = expected[$"values{pair}"].ToArray<double>();
            PairMetric[] metrics = [PixelErrors.PsnrMetric, PixelErrors.MaeMetric, Ssim.Metric(SsimVariant.Box11), ColourDifference.Cie76,
                ColourDifference.Ciede2000, .. StainHistograms.All];
            double[] tolerances = [1e-9, 1e-9, 1e-9, 1e-4, 1e-4, 1e-6, 2e-5, 2e-5, 2e-5];
            Assert.Equal(metrics.Length, values.Length);
            foreach ((int i, PairMetric metric) in metrics.Index())
            {
                double value = metric.Compute(image, reference);
                Assert.True(Math.Abs(values[i] - value) <= tolerances[i], $"{metric.Key}: {value}, expected {values[i]}");
            }
        }
    }

    [Fact]
    public void Metrics_of_identical_images_are_zero()
    {
        ScoredImage image = Read(SafeTensors.Load(TestVectors.Path("benchmark/io_f64.safetensors"))["image0"]);
        Assert.All([ColourDifference.Cie76, ColourDifference.Ciede2000, .. StainHistograms.All],
            metric => Assert.Equal(0, metric.Compute(image, image)));
    }

    private static ScoredImage Read(Tensor pixels) => new(new Image((int)pixels.size(1), (int)pixels.size(0), 3, SampleType.UInt8,
        Array.ConvertAll(pixels.ToArray<double>(), value => (byte)value)));
}
