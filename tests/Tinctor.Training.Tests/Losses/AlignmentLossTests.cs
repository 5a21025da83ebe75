using Tinctor.Torch;
using Tinctor.Training.Losses;

namespace Tinctor.Training.Tests.Losses;

public sealed class AlignmentLossTests
{
    /// <summary>Features that are equal for all images are minimal for the paper's form, and not for the contrastive one.</summary>
    [Fact]
    public void Compute_collapsed_features_are_minimal_for_literal_forms_only()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor same = torch.ones([4, 3, 2, 2]);
        Assert.Equal(0, AlignmentLoss.Compute("literal", same, same).item(), 1e-6);
        Assert.Equal(0, AlignmentLoss.Compute("stop-gradient", same, same).item(), 1e-6);
        Assert.Equal(1, AlignmentLoss.Compute("centred", same, same).item(), 1e-6);
        Assert.Equal(Math.Log(4), AlignmentLoss.Compute("infonce", same, same).item(), 1e-5);
    }

    [Fact]
    public void Compute_forms_have_their_gradients()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        foreach ((string form, bool toTarget) in new[]
            { ("literal", true), ("stop-gradient", false), ("centred", true), ("infonce", true) })
        {
            Tensor source = torch.rand([3, 4, 2, 2]).requires_grad_(), target = torch.rand([3, 4, 2, 2]).requires_grad_();
            AlignmentLoss.Compute(form, source, target).backward();
            Assert.True(source.grad!.abs().sum().item() > 0, form);
            Assert.Equal(toTarget, target.grad is { } grad && grad.abs().sum().item() > 0);
        }
    }

    [Fact]
    public void Compute_centred_is_invariant_to_offsets_of_channels()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(2);
        Tensor source = torch.rand([2, 3, 4, 4]), target = torch.rand([2, 3, 4, 4]), offset = torch.rand([1, 3, 1, 1]) * 9;
        double expected = AlignmentLoss.Compute("centred", source, target).item();
        Assert.Equal(expected, AlignmentLoss.Compute("centred", source + offset, target + 3).item(), 1e-4);
        Assert.NotEqual(expected, AlignmentLoss.Compute("literal", source + offset, target + 3).item(), 1e-1);
    }

    [Fact]
    public void Retrieve_counts_own_targets_and_averages_cosines()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor source = torch.tensor([1.0, 0, 0, 1, 1, 1], 3, 2), target = torch.tensor([2.0, 0, 0, 3, 0, 1], 3, 2);
        double half = Math.Sqrt(0.5);
        (double top1, double paired, double unpaired) = AlignmentLoss.Retrieve(source.@float(), target.@float());
        Assert.Equal(2 / 3.0, top1, 1e-6);
        Assert.Equal((2 + half) / 3, paired, 1e-6);
        Assert.Equal((1 + (2 * half)) / 6, unpaired, 1e-6);
        (double one, _, double none) = AlignmentLoss.Retrieve(source[..1].@float(), target[..1].@float());
        Assert.Equal((1, true), (one, double.IsNaN(none)));
    }
}
