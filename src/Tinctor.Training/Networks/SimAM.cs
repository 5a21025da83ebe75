using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Parameter-free attention (Yang et al. 2021): each value is weighted by the sigmoid of its inverse energy, which is large if it
/// differs from its channel: (x - mean)² / (4 (variance + lambda)) + 1/2. [N,C,H,W] to the same.
/// </summary>
/// <param name="lambda">Regularisation, which keeps the energy finite in flat channels.</param>
internal sealed class SimAM(double lambda = 1e-4) : Module<Tensor, Tensor>, INormalizesByImage
{
    /// <inheritdoc/>
    public bool by_image => true;

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor mean = x.mean([2, 3], keepdim: true), squares = (x - mean).square();
        Tensor variance = squares.sum([2, 3], keepdim: true) / Math.Max(1, (x.size(2) * x.size(3)) - 1);
        if (MomentsContext.Current is { } moments)
        {
            (mean, variance) = moments(new(mean, variance));
            squares = (x - mean).square();
        }
        Tensor energy = (squares * (0.25 / (variance + lambda))).add_(0.5);
        return (x * energy.sigmoid_()).MoveToOuterDisposeScope();
    }
}
