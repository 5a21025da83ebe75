using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Tests;

/// <summary>Statistics of agreement, against numbers computed by hand.</summary>
public class AgreementTests
{
    private static readonly double[] X = [1, 2, 3, 4], Y = [2, 2, 5, 3];

    [Fact]
    public void Correlations_equal_values_by_hand()
    {
        // Deviations of x: -1.5 -0.5 0.5 1.5; of y: -1 -1 2 0. Sums of squares 5 and 6, of products 3.
        Assert.Equal(3 / Math.Sqrt(30), SampleStatistics.Pearson(X, Y), 12);
        // Ranks of y: 1.5 1.5 4 3; deviations -1 -1 1.5 0.5, squares 4.5, products with x's 1.5 + 0.5 + 0.75 + 0.75 = 3.5.
        Assert.Equal(3.5 / Math.Sqrt(5 * 4.5), Agreement.Spearman(X, Y), 12);
        // 2 x 0.75 / (1.25 + 1.5 + 0.5^2).
        Assert.Equal(0.5, Agreement.Concordance(X, Y), 12);
    }

    [Fact]
    public void Concordance_of_shifted_values_is_below_correlation()
    {
        double[] shifted = [.. X.Select(x => x + 1)];
        Assert.Equal(1, SampleStatistics.Pearson(X, shifted), 12);
        Assert.Equal(2.5 / 3.5, Agreement.Concordance(X, shifted), 12);
        Assert.Equal(1, Agreement.Concordance(X, X), 12);
        Assert.Equal(double.NaN, SampleStatistics.Pearson(X, [1, 1, 1, 1]));
    }

    [Fact]
    public void BlandAltman_equals_values_by_hand()
    {
        // Differences 1 0 2 -1: mean 0.5, sum of squares 5, sd sqrt(5/3).
        BlandAltman agreement = BlandAltman.Compute(Y, X)!;
        double sd = Math.Sqrt(5.0 / 3), t = 3.182446305284263;
        Assert.Equal((4, 0.5), (agreement.N, agreement.Bias));
        Assert.Equal(sd, agreement.Sd, 12);
        Assert.Equal(0.5 - (1.959963984540054 * sd), agreement.Lower, 12);
        Assert.Equal(0.5 + (1.959963984540054 * sd), agreement.Upper, 12);
        Assert.Equal(0.5 - (t * sd / 2), agreement.BiasCi.Low, 9);
        double half = t * sd * Math.Sqrt(0.25 + (3.841458820694124 / 6));
        Assert.Equal(agreement.Upper + half, agreement.UpperCi.High, 9);
        Assert.Equal(agreement.Lower - half, agreement.LowerCi.Low, 9);
        Assert.Null(BlandAltman.Compute([1], [2]));
    }

    [Theory]
    [InlineData(0.95, 1, 12.706204736432102), InlineData(0.95, 2, 4.302652729696144), InlineData(0.95, 3, 3.182446305284263)]
    [InlineData(0.95, 10, 2.228138851964939), InlineData(0.99, 7, 3.499483297350493), InlineData(0.95, 1000, 1.962339080645893)]
    public void StudentT_quantiles_equal_published_tables(double confidence, int degrees, double t) =>
        Assert.Equal(t, StudentT.Quantile(confidence, degrees), 8);

    [Fact]
    public void Ranks_of_equal_numbers_are_shared() => Assert.Equal([1, 3, 3, 5, 3], Agreement.Ranks([1, 2, 2, 7, 2]));
}
