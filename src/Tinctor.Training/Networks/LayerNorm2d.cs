using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Layer norm over the channels of each pixel with scale and shift per channel; [N,C,H,W] to the same. Half types are computed in float32.
/// </summary>
internal sealed class LayerNorm2d : Module<Tensor, Tensor>
{
    private readonly double epsilon;
    private readonly Tensor weight, bias;

    /// <param name="channels">Number of channels.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public LayerNorm2d(int channels, double epsilon = 1e-6)
    {
        this.epsilon = epsilon;
        weight = register_parameter("weight", torch.ones([channels]))!;
        bias = register_parameter("bias", torch.zeros([channels]))!;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        if (x.element_size() < 4) x = x.to(ScalarType.Float32);
        Tensor centred = x - x.mean([1], keepdim: true);
        Tensor deviation = (centred.square().mean([1], keepdim: true) + epsilon).sqrt();
        return (centred / deviation * weight.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)).MoveToOuterDisposeScope();
    }
}
