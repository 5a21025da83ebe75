using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// L2 pooling of DISTS: root of the squares that a 3x3 Hanning window averages, at every second pixel. [N,C,H,W] to [N,C,H/2,W/2].
/// </summary>
internal sealed class L2Pooling : Module<Tensor, Tensor>
{
    private readonly int channels;
    private readonly Tensor filter;

    /// <summary>Creates the layer.</summary>
    /// <param name="channels">Number of channels.</param>
    public L2Pooling(int channels)
    {
        this.channels = channels;
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor window = torch.tensor<float>([1 / 16f, 2 / 16f, 1 / 16f, 2 / 16f, 4 / 16f, 2 / 16f, 1 / 16f, 2 / 16f, 1 / 16f], 1, 1, 3, 3);
        filter = register_buffer("filter", window.repeat(channels, 1, 1, 1), persistent: false)!;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) =>
        (F.conv2d(x.pow(2), filter, stride: (Size2)2, padding: (Size2)1, groups: channels) + 1e-12).sqrt();
}
