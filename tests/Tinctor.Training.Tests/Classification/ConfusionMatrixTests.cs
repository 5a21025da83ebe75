using Tinctor.Training.Classification;

namespace Tinctor.Training.Tests.Classification;

public sealed class ConfusionMatrixTests
{
    [Fact]
    public void Accuracy_and_kappa_equal_values_by_hand()
    {
        // Rows sum to 4, 3, 3 and columns to 3, 4, 3.
        var matrix = new ConfusionMatrix(["0", "1+", "2+"], [[3, 0, 1], [0, 3, 0], [0, 1, 2]]);
        // observed: (0,2) 1 case of weight 4, (2,1) 1 case of weight 1: 5.
        // expected: (0,1) 4*4/10 + (0,2) 4*(4*3)/10 + (1,0) 3*3/10 + (1,2) 3*3/10 + (2,0) 4*(3*3)/10 + (2,1) 3*4/10
        double expected = 1.6 + 4.8 + 0.9 + 0.9 + 3.6 + 1.2;
        Assert.Equal(10, matrix.Total);
        Assert.Equal(0.8, matrix.Accuracy, 1e-12);
        Assert.Equal(1 - (5 / expected), matrix.QuadraticKappa, 1e-12);
    }

    [Fact]
    public void QuadraticKappa_of_perfect_chance_and_reversed_labels()
    {
        string[] classes = ["0", "1+", "2+", "3+"];
        Assert.Equal(1, ConfusionMatrix.Create(classes, [(0, 0), (1, 1), (2, 2), (3, 3)]).QuadraticKappa, 1e-12);
        Assert.Equal(0, ConfusionMatrix.Create(classes, [(0, 0), (0, 3), (3, 0), (3, 3)]).QuadraticKappa, 1e-12);
        Assert.Equal(-1, ConfusionMatrix.Create(classes, [(0, 3), (1, 2), (2, 1), (3, 0)]).QuadraticKappa, 1e-12);
        Assert.True(double.IsNaN(ConfusionMatrix.Create(classes, [(1, 1), (1, 1)]).QuadraticKappa));
    }

    [Fact]
    public void QuadraticKappa_weighs_far_errors_more()
    {
        string[] classes = ["0", "1+", "2+", "3+"];
        (int, int)[] right = [(0, 0), (1, 1), (2, 2), (3, 3), (0, 0), (1, 1), (2, 2), (3, 3)];
        double near = ConfusionMatrix.Create(classes, [.. right, (0, 1), (1, 0)]).QuadraticKappa;
        double far = ConfusionMatrix.Create(classes, [.. right, (0, 3), (3, 0)]).QuadraticKappa;
        Assert.True(near > far);
    }
}
