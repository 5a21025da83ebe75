using Tinctor.Training.Segmentation;

namespace Tinctor.Training.Tests.Segmentation;

public sealed class PixelConfusionTests
{
    [Fact]
    public void Scores_equal_values_by_hand()
    {
        var counts = new PixelConfusion(4);
        counts.Add((ReadOnlySpan<byte>)[0, 0, 1, 1, 1, 1, 2, 2], [0, 1, 1, 1, 1, 2, 2, 0]);
        Assert.Equal((1, 1, 3, 1, 1, 1), (counts[0, 0], counts[0, 1], counts[1, 1], counts[1, 2], counts[2, 2], counts[2, 0]));
        Assert.Equal(2 * 3.0 / (4 + 4), counts.F1(1), 12);
        Assert.Equal(2 * 1.0 / (2 + 2), counts.F1(2), 12);
        Assert.Equal((0.75, 0.5), (counts.Precision(1), counts.Recall(2)));
        // The third class occurs nowhere and does not count.
        Assert.Equal(double.NaN, counts.F1(3));
        Assert.Equal((0.75 + 0.5) / 2, counts.MacroF1, 12);
        Assert.Equal(((4 * 0.75) + (2 * 0.5)) / 6, counts.WeightedF1, 12);
        // Foreground: 5 of both, 6 found, 6 there.
        Assert.Equal((10.0 / 12, 5.0 / 6, 5.0 / 6), counts.Foreground);
        counts.Add(counts);
        Assert.Equal((6, 0.75), (counts[1, 1], counts.F1(1)));
    }

    [Fact]
    public void Class_that_is_found_but_not_there_lowers_macro_and_not_weighted_mean()
    {
        var counts = new PixelConfusion(3);
        counts.Add((ReadOnlySpan<long>)[1, 1, 0], [1, 1, 2]);
        Assert.Equal((0.5, 1.0), (counts.MacroF1, counts.WeightedF1));
        Assert.Equal(double.NaN, new PixelConfusion(3).MacroF1);
    }
}
