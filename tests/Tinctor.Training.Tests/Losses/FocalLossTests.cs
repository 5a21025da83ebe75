using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Losses;

namespace Tinctor.Training.Tests.Losses;

/// <summary>The focal loss against its definition.</summary>
public sealed class FocalLossTests
{
    private static readonly double[] Logits = [0.5, -1, 2, 0, 0, 0, 3, 1, -2];
    private static readonly long[] Truth = [2, 0, 1];

    [Theory]
    [InlineData(0), InlineData(0.5), InlineData(1), InlineData(2), InlineData(5)]
    public void Compute_equals_definition(double gamma)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double expected = 0;
        for (int n = 0; n < 3; n++)
        {
            double p = Math.Exp(Logits[(3 * n) + Truth[n]]) / Enumerable.Range(0, 3).Sum(k => Math.Exp(Logits[(3 * n) + k]));
            expected -= Math.Pow(1 - p, gamma) * Math.Log(p) / 3;
        }
        Tensor logits = torch.tensor(Logits, 3, 3), truth = torch.tensor(Truth, 3);
        Assert.Equal(expected, FocalLoss.Compute(logits, truth, gamma).item(), 1e-14);
        Assert.Equal(expected, FocalLoss.Compute(logits.@float(), truth, gamma).item(), 1e-6);
        GradientCheck.Run(t => FocalLoss.Compute(t[0], truth, gamma), logits);
    }

    [Fact]
    public void Compute_without_gamma_equals_cross_entropy()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor logits = torch.tensor(Logits, 3, 3), truth = torch.tensor(Truth, 3);
        Vectors.Close(F.cross_entropy(logits, truth), FocalLoss.Compute(logits, truth, gamma: 0), "cross entropy", 1e-14);
    }

    [Theory]
    [InlineData(0), InlineData(0.5), InlineData(2)]
    public void Compute_large_logits_is_finite(double gamma)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor logits = torch.tensor<float>([1e4f, 0, 0, 1e4f], 2, 2).requires_grad_();
        Tensor right = FocalLoss.Compute(logits, torch.tensor([0L, 1], 2), gamma),
            wrong = FocalLoss.Compute(logits, torch.tensor([1L, 0], 2), gamma);
        Assert.Equal(0, right.item(), 1e-6);
        Assert.Equal(1e4, wrong.item(), 1e-2);
        (right + wrong).backward();
        Vectors.Close(torch.tensor([0.5f, -0.5f, -0.5f, 0.5f], 2, 2), logits.grad!, "gradient", 1e-5);
    }

    [Fact]
    public void Compute_half_types_use_float()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor logits = torch.tensor(Logits, 3, 3).bfloat16(), truth = torch.tensor(Truth, 3);
        Assert.Equal(FocalLoss.Compute(logits.@float(), truth).item(), FocalLoss.Compute(logits, truth).item());
    }
}
