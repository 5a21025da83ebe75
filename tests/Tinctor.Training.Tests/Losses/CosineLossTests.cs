using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Losses;

namespace Tinctor.Training.Tests.Losses;

/// <summary>The cosine loss against its definition.</summary>
public sealed class CosineLossTests
{
    [Fact]
    public void Compute_is_one_minus_mean_cosine()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor a = torch.tensor([3.0, 4, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0], 3, 1, 2, 2);
        Tensor b = torch.tensor([4.0, 3, 0, 0, 0, 5, 0, 0, -7, 0, 0, 0], 3, 1, 2, 2);
        Assert.Equal((0.04 + 1 + 2) / 3, CosineLoss.Compute(a, b).item(), 1e-12);
        Assert.Equal(0, CosineLoss.Compute(a, a * 5).item(), 1e-12);
    }

    [Fact]
    public void Compute_gradients_equal_finite_differences()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        GradientCheck.Run(t => CosineLoss.Compute(t[0], t[1]), Networks.FormulaWeights.Wave(1.1, 2, 3, 2),
            Networks.FormulaWeights.Wave(0.4, 2, 3, 2));
    }

    [Theory]
    [InlineData(0, 0), InlineData(0, 1), InlineData(1, 0), InlineData(1e-12, 1e-12), InlineData(1e6, 1e6)]
    public void Compute_zero_tiny_and_large_vectors_is_finite(double sizeA, double sizeB)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor a = torch.full([2, 300], sizeA).requires_grad_(), b = torch.full([2, 300], sizeB).requires_grad_();
        Tensor loss = CosineLoss.Compute(a, b);
        loss.backward();
        Assert.InRange(loss.item(), -1e-6, 1 + 1e-6);
        Assert.True(a.grad!.isfinite().all().item<long>() != 0 && b.grad!.isfinite().all().item<long>() != 0);
    }

    [Fact]
    public void Compute_half_types_use_float()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor a = Networks.FormulaWeights.Wave(1.1, 2, 500).bfloat16(), b = Networks.FormulaWeights.Wave(1.2, 2, 500).bfloat16();
        Assert.Equal(CosineLoss.Compute(a.@float(), b.@float()).item(), CosineLoss.Compute(a, b).item());
        Assert.Throws<ArgumentException>(() => CosineLoss.Compute(a, b[..1]));
    }
}
