namespace Tinctor.Core.Tests;

/// <summary>Expected values: numpy.quantile, numpy.median and numpy.corrcoef.</summary>
public sealed class SampleStatisticsTests
{
    private static readonly double[] X = [2.5, -1.0, 7.25, 0.5, 3.0];
    private static readonly double[] Y = [1.0, 0.25, 3.5, -2.0, 1.5];

    [Theory]
    [InlineData(0, -1.0)]
    [InlineData(0.1, -0.3999999999999999)]
    [InlineData(0.25, 0.5)]
    [InlineData(0.5, 2.5)]
    [InlineData(0.77, 3.3400000000000003)]
    [InlineData(1, 7.25)]
    public void Quantile_equals_NumPy(double q, double expected) =>
        Assert.Equal(expected, SampleStatistics.Quantile([.. X.Order()], q), 1e-14);

    [Fact]
    public void Quantile_of_single_infinite_or_empty_sample()
    {
        Assert.Equal(4, SampleStatistics.Quantile([4], 0.3));
        Assert.Equal(double.PositiveInfinity, SampleStatistics.Quantile([1, double.PositiveInfinity, double.PositiveInfinity], 0.5));
        Assert.Throws<ArgumentException>(() => SampleStatistics.Quantile([], 0.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => SampleStatistics.Quantile([1], 1.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => SampleStatistics.Quantile([1], double.NaN));
    }

    [Fact]
    public void Median_equals_NumPy()
    {
        Assert.Equal(2.75, SampleStatistics.Median([4, 1, 3, 2.5]));
        Assert.Equal(2.5, SampleStatistics.Median(X));
        Assert.Throws<ArgumentException>(() => SampleStatistics.Median([]));
    }

    [Fact]
    public void Pearson_equals_NumPy()
    {
        Assert.Equal(0.8299303727149178, SampleStatistics.Pearson(X, Y), 1e-14);
        Assert.Equal(1, SampleStatistics.Pearson(X, [.. X.Select(x => (3 * x) + 1)]), 1e-14);
        Assert.Equal(-1, SampleStatistics.Pearson([1, 2], [5, 3]), 1e-14);
        Assert.Equal(double.NaN, SampleStatistics.Pearson(X, [1, 1, 1, 1, 1]));
        Assert.Equal(double.NaN, SampleStatistics.Pearson([], []));
        Assert.Throws<ArgumentException>(() => SampleStatistics.Pearson(X, [1]));
    }
}
