using System.Globalization;
using Tinctor.Evaluation.Analyses.Uncertainty;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Tests;

public sealed class VarianceTests : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("tinctor-variance-");

    public void Dispose() => root.Delete(recursive: true);

    [Fact]
    public void Measure_average_divides_variation_by_root_of_runs()
    {
        const double level = 120, deviation = 8;
        Image Noisy(int run)
        {
            var random = new Random(run);
            return Of(i => level + (deviation * (Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6)), 64);
        }
        IReadOnlyList<VarianceResult> results = new VarianceStudy([1, 2, 5], 10).Measure("a", "vanilla", Noisy, Of(_ => level, 64));
        // Of ten normal numbers the deviation comes out 2.7 % too small.
        Assert.All(results, result => Assert.Equal(0.9727 * deviation / level / Math.Sqrt(result.Average), result.Variation,
            0.02 * deviation / level));
        Assert.All(results, result => Assert.Equal(20 * Math.Log10(255 * Math.Sqrt(result.Average) / deviation), result.Psnr!.Value, 0.15));
        Assert.Equal(results.Select(r => r.Ssim).Order(), results.Select(r => r.Ssim));
    }

    [Fact]
    public void Measure_makes_each_run_once_and_equal_runs_do_not_vary()
    {
        var asked = new List<int>();
        VarianceResult[] results = [.. new VarianceStudy([3, 1], 4).Measure("a", "mean", run =>
        {
            asked.Add(run);
            return Of(i => i % 5 * 17, 9);
        }, target: null)];
        Assert.Equal(Enumerable.Range(0, 12), asked);
        Assert.Equal([new("a", "mean", 3, 0, null, null), new("a", "mean", 1, 0, null, null)], results);
    }

    [Fact]
    public void Measure_averages_disjoint_runs()
    {
        // Runs of 10, 20 and 40, 50: N = 1 compares 10 with 40, N = 2 compares 15 with 45.
        double[] values = [10, 20, 40, 50];
        IReadOnlyList<VarianceResult> results =
            new VarianceStudy([1, 2], 2).Measure("a", "skip", run => Of(_ => values[run], 8), Of(_ => 45, 8));
        Assert.Equal(Math.Sqrt(450) / 25, results[0].Variation, 1e-12);
        Assert.Equal(Math.Sqrt(450) / 30, results[1].Variation, 1e-12);
        Assert.Equal(double.PositiveInfinity, results[1].Psnr);
        Assert.Equal((20 * Math.Log10(255 / 35.0) + (20 * Math.Log10(255 / 5.0))) / 2, results[0].Psnr!.Value, 1e-9);
    }

    [Fact]
    public void VarianceTable_grows_resumes_and_refuses_other_settings()
    {
        var table = new VarianceTable(At("study"), "seed 1");
        table.Add([new("a", "vanilla", 1, 0.2, 20, 0.5), new("a", "vanilla", 5, 0.1, double.PositiveInfinity, 0.6)]);
        table = new VarianceTable(At("study"), "seed 1");
        Assert.True(table.Has("a", "vanilla"));
        Assert.False(table.Has("b", "vanilla") || table.Has("a", "mean"));
        table.Add([new("b", "vanilla", 1, 0.4, 22, 0.7), new("b", "vanilla", 5, 0.3, 24, 0.8)]);
        table.Write("Two images");
        Assert.Equal(
            ["| Sampling | N | Coefficient of variation | PSNR (dB) | SSIM |", "| --- | ---: | ---: | ---: | ---: |",
                "| vanilla | 1 | 0.3000 | 21.00 | 0.6000 |",
                    $"| vanilla | 5 | 0.2000 | {double.PositiveInfinity.ToString("F2", CultureInfo.InvariantCulture)} | 0.7000 |"],
            File.ReadAllLines(At("study/table.md")));
        Assert.Equal(["image,strategy,runs,cv,psnr,ssim", "a,vanilla,1,0.2,20,0.5"], File.ReadAllLines(At("study/table.csv"))[..2]);
        Assert.Contains("\\caption{Two images.}", File.ReadAllText(At("study/table.tex")));
        Assert.Contains("begun with other settings (seed 1)",
            Assert.Throws<TinctorException>(() => new VarianceTable(At("study"), "seed 2")).Message);
        File.WriteAllText(At("study/results.json"), "{");
        Assert.Contains("damaged JSON", Assert.Throws<TinctorException>(() => new VarianceTable(At("study"), "seed 1")).Message);
    }

    [Fact]
    public void VarianceTable_without_targets_has_variation_only()
    {
        var table = new VarianceTable(At("study"), "");
        table.Add([new("a", "skip", 2, 0.25, null, null)]);
        table.Write("One image");
        Assert.Equal("| skip | 2 | 0.2500 |", File.ReadAllLines(At("study/table.md"))[2]);
    }

    private string At(string name) => Path.Combine(root.FullName, name);

    private static Image Of(Func<int, double> value, int side)
    {
        var image = new Image(side, side, 3);
        for (int i = 0; i < image.Data.Length; i++) image.Data[i] = (byte)Math.Round(Math.Clamp(value(i), 0, 255));
        return image;
    }
}
