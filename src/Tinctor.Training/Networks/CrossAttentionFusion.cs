using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Cross-attention of CEFF (Jia et al. 2025, equation 4): each place of the generator's feature asks all places of the encoder's feature,
/// F + alpha BN(W softmax(Q K^T / sqrt(d)) V). Two features [N,C,H,W] and [N,C,h,w] to [N,C,H,W]. State-dict keys are those of
/// networks.CrossAttentionFusionBlock.
/// </summary>
internal sealed class CrossAttentionFusion : Module<Tensor, Tensor, Tensor>
{
    private readonly Conv2d q_conv, k_conv, v_conv, out_conv;
    private readonly BatchNorm2d bn;
    private readonly double alpha;

    /// <param name="channels">Channels of both features.</param>
    /// <param name="alpha">Weight of the encoder's feature.</param>
    public CrossAttentionFusion(int channels, double alpha = 0.2)
    {
        this.alpha = alpha;
        q_conv = register_module("q_conv", new Conv2d(channels, channels, 1));
        k_conv = register_module("k_conv", new Conv2d(channels, channels, 1));
        v_conv = register_module("v_conv", new Conv2d(channels, channels, 1));
        out_conv = register_module("out_conv", new Conv2d(channels, channels, 1));
        bn = register_module("bn", new BatchNorm2d(channels));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor generator, Tensor encoder)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor attended = F.scaled_dot_product_attention(
            Places(q_conv.forward(generator)), Places(k_conv.forward(encoder)), Places(v_conv.forward(encoder)));
        Tensor fused = out_conv.forward(attended.transpose(1, 2).view(generator.shape));
        return (generator + alpha * bn.forward(fused)).MoveToOuterDisposeScope();
    }

    // [N,C,H,W] to [N,H W,C].
    private static Tensor Places(Tensor feature) => feature.flatten(2).transpose(1, 2);
}
