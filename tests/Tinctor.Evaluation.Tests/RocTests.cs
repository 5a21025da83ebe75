using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Tests;

public class RocTests
{
    [Fact]
    public void Auroc_equals_value_by_hand()
    {
        // Positives 3, 2, 2; negatives 2, 1: pairs won 3>2, 3>1, 2>1, 2>1 and ties 2=2, 2=2 of 6, so (4 + 2/2) / 6.
        var roc = Roc.Compute([3, 2, 2, 2, 1], [true, true, true, false, false])!;
        Assert.Equal(5 / 6.0, roc.Auroc, 1e-12);
        Assert.Equal([0, 0, 0.5, 1], roc.Points.Select(p => p.FalsePositiveRate));
        Assert.Equal([0, 1 / 3.0, 1, 1], roc.Points.Select(p => p.TruePositiveRate));
    }

    [Fact]
    public void Auroc_of_perfect_inverse_and_equal_scores_is_1_0_and_half()
    {
        Assert.Equal(1, Roc.Compute([4, 3, 2, 1], [true, true, false, false])!.Auroc);
        Assert.Equal(0, Roc.Compute([1, 2, 3, 4], [true, true, false, false])!.Auroc);
        Assert.Equal(0.5, Roc.Compute([7, 7, 7, 7], [true, true, false, false])!.Auroc);
    }

    [Fact]
    public void Auroc_equals_pairwise_comparison()
    {
        var random = new Random(1);
        double[] scores = [.. Enumerable.Range(0, 300).Select(_ => (double)random.Next(40))];
        bool[] positive = [.. scores.Select(score => random.Next(60) < score)];
        double won = 0, pairs = 0;
        for (int i = 0; i < scores.Length; i++)
            for (int j = 0; j < scores.Length; j++)
                if (positive[i] && !positive[j])
                {
                    pairs++;
                    won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                }
        Assert.Equal(won / pairs, Roc.Compute(scores, positive)!.Auroc, 1e-12);
    }

    [Fact]
    public void Compute_one_class_has_no_curve()
    {
        Assert.Null(Roc.Compute([1, 2], [true, true]));
        Assert.Null(Roc.Compute([], []));
        Assert.Throws<ArgumentException>(() => Roc.Compute([1, double.NaN], [true, false]));
        Assert.Throws<ArgumentException>(() => Roc.Compute([1], [true, false]));
    }
}
