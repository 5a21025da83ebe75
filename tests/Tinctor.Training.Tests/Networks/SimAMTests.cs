using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>SimAM against its formula.</summary>
public sealed class SimAMTests
{
    [Fact]
    public void Forward_equals_formula_by_hand()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var simam = new SimAM(lambda: 0.5);
        Tensor y = simam.forward(torch.tensor([1.0, 2, 3, 6, -4, -4, -4, -4], 1, 2, 2, 2));
        // Channel 0: mean 3, squares 4 1 0 9, variance 14/3; channel 1 is flat: nothing stands out.
        double[] squares = [4, 1, 0, 9], values = [1, 2, 3, 6];
        double[] expected = [.. values.Select((x, i) => x * Sigmoid((squares[i] / (4 * ((14 / 3.0) + 0.5))) + 0.5)),
            .. Enumerable.Repeat(-4 * Sigmoid(0.5), 4)];
        Vectors.Close(torch.tensor(expected, 1, 2, 2, 2), y, "simam", 1e-14);
    }

    [Fact]
    public void Forward_images_and_channels_are_independent()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var simam = new SimAM();
        Tensor x = FormulaWeights.Wave(0.9, 2, 3, 5, 4);
        Tensor y = simam.forward(x);
        for (int n = 0; n < 2; n++)
        {
            for (int c = 0; c < 3; c++)
                Vectors.Close(y[n..(n + 1), c..(c + 1)], simam.forward(x[n..(n + 1), c..(c + 1)]), $"{n},{c}", 1e-14);
        }
    }

    [Fact]
    public void Forward_single_pixel_is_finite() =>
        Assert.Equal(2 * Sigmoid(0.5), new SimAM().forward(torch.full([1, 1, 1, 1], 2.0)).item(), 1e-6);

    [Fact]
    public void Forward_gradients_equal_finite_differences()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var simam = new SimAM();
        GradientCheck.Run(t => simam.forward(t[0]), FormulaWeights.Wave(0.9, 2, 2, 3, 4));
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
