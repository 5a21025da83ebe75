using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Tests;

public class StatisticsTests
{
    [Fact]
    public void Summary_of_known_numbers_equals_values_by_hand()
    {
        var summary = Summary.Compute([4, 1, 3, 2], null);
        Assert.Equal((4, 2.5, 2.5, 1.0, 4.0, 0), (summary.N, summary.Mean, summary.Median, summary.Min, summary.Max, summary.Infinite));
        Assert.Equal(Math.Sqrt(5.0 / 3), summary.Std!.Value, 1e-12);
        Assert.Null(Summary.Compute([7], null).Std);
    }

    [Fact]
    public void Summary_keeps_infinite_numbers()
    {
        double[] values = [20, double.PositiveInfinity, 30];
        var summary = Summary.Compute(values, new Bootstrap([null, null, null]).OfMean([0, 1, 2], values));
        Assert.Equal(double.PositiveInfinity, summary.Mean);
        Assert.Equal(30, summary.Median);
        Assert.Equal(1, summary.Infinite);
        Assert.Null(summary.Std);
        Assert.Null(summary.Ci);
    }

    [Fact]
    public void Quantile_interpolates_as_numpy()
    {
        double[] sorted = [1, 2, 4, 8];
        Assert.Equal([1, 1.75, 3, 5, 8], new[] { 0, 0.25, 0.5, 0.75, 1 }.Select(q => SampleStatistics.Quantile(sorted, q)));
        double[] withInfinity = [1, double.PositiveInfinity];
        Assert.Equal(1, SampleStatistics.Quantile(withInfinity, 0));
    }

    [Fact]
    public void Bootstrap_same_seed_gives_same_interval()
    {
        double[] values = [.. Enumerable.Range(0, 20).Select(i => (double)i)];
        int[] all = [.. Enumerable.Range(0, 20)];
        Interval? Ci(int seed) => new Bootstrap(new string?[20], seed: seed).OfMean(all, values);
        Assert.Equal(Ci(1), Ci(1));
        Assert.NotEqual(Ci(1), Ci(2));
        Assert.InRange(9.5, Ci(1)!.Low, Ci(1)!.High);
    }

    [Fact]
    public void Bootstrap_95_percent_interval_covers_mean_at_that_rate()
    {
        var random = new Random(11);
        int[] all = [.. Enumerable.Range(0, 40)];
        int covered = 0;
        const int trials = 400;
        for (int t = 0; t < trials; t++)
        {
            double[] values = [.. all.Select(_ => 5 + Gaussian(random))];
            var ci = new Bootstrap(new string?[40], resamples: 500, seed: t).OfMean(all, values)!;
            covered += ci.Low <= 5 && 5 <= ci.High ? 1 : 0;
        }
        // Percentile intervals of 40 numbers cover a little less than they say; 0.94 +- 3 standard errors.
        Assert.InRange(covered / (double)trials, 0.90, 0.98);
    }

    [Fact]
    public void Bootstrap_resamples_whole_slides()
    {
        // Tiles of a slide are equal: resampling tiles would pretend to know ten times as much.
        double[] values = [.. Enumerable.Range(0, 100).Select(i => (double)(i / 10))];
        int[] all = [.. Enumerable.Range(0, 100)];
        string?[] slides = [.. all.Select(i => $"slide{i / 10}")];
        var bySlide = new Bootstrap(slides);
        var byImage = new Bootstrap(new string?[100]);
        Assert.True(bySlide.BySlide);
        Assert.False(byImage.BySlide);
        Assert.Equal((10, 100), (bySlide.Units, byImage.Units));
        var wide = bySlide.OfMean(all, values)!;
        var narrow = byImage.OfMean(all, values)!;
        Assert.InRange((wide.High - wide.Low) / (narrow.High - narrow.Low), 2.5, 4);
    }

    [Fact]
    public void Bootstrap_of_one_unit_has_no_interval()
    {
        Assert.Null(new Bootstrap(["a", "a", "a"]).OfMean([0, 1, 2], [1, 2, 3]));
        Assert.Null(new Bootstrap([null]).OfMean([0], [1]));
    }

    private static double Gaussian(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>scipy.stats.wilcoxon of 1.10.1, two-sided; of the differences with ties, with mode "approx".</summary>
    [Theory]
    [InlineData(new[] { 1.5, -0.3, 2.2, 0.9, 3.1, -1.1, 0.4 }, 0.15625)]
    [InlineData(new[] { 1.0, 2, 3, 4, 5 }, 0.0625)]
    [InlineData(new[] { 1.0, 1, -1, 2, 2, 3, -2, 4 }, 0.11979493042591832)]
    [InlineData(new[] { 0.0, 1, -2, 3, 4, 5, 6 }, 0.07473549830588248)]
    public void Wilcoxon_equals_scipy(double[] differences, double expected) =>
        Assert.Equal(expected, Wilcoxon.SignedRank(differences)!.Value, 1e-14);

    [Fact]
    public void Wilcoxon_of_many_is_normal_and_of_zeros_undefined()
    {
        Assert.Null(Wilcoxon.SignedRank([0, 0]));
        double[] balanced = [.. Enumerable.Range(1, 60).Select(i => i % 2 == 0 ? i : -(double)i)];
        Assert.InRange(Wilcoxon.SignedRank(balanced)!.Value, 0.8, 1);
        double[] shifted = [.. Enumerable.Range(1, 60).Select(i => (double)i)];
        Assert.Equal(1.6295557943119345e-11, Wilcoxon.SignedRank(shifted)!.Value, 1e-22);
    }

    [Fact]
    public void Holm_adjusts_p_values_step_down()
    {
        Assert.Equal([0.03, null, 0.06, 0.06],
            Holm.Adjust([0.01, null, 0.04, 0.03]).Select(p => p is null ? (double?)null : Math.Round(p.Value, 12)));
        Assert.Equal([1.0, 1.0], Holm.Adjust([0.6, 0.9]));
    }

    [Fact]
    public void Summary_ignores_undefined_numbers()
    {
        Summary summary = Summary.Compute([1, double.NaN, 3], null);
        Assert.Equal((2, 2.0), (summary.N, summary.Mean));
        Assert.True(double.IsNaN(Summary.Compute([double.NaN], null).Mean));
        var bootstrap = new Bootstrap([null, null, null], 200);
        Assert.Equal(bootstrap.OfMean([0, 2], [1, 5, 3]), bootstrap.OfMean([0, 1, 2], [1, double.NaN, 3]));
    }
}
