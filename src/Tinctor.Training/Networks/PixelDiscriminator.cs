using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// 1x1 discriminator of pix2pix: classifies each pixel independently, by its colour only. [N,C,H,W] to logits [N,1,H,W].
/// State-dict keys are those of networks.PixelDiscriminator in the official repository.
/// </summary>
internal sealed class PixelDiscriminator : Module<Tensor, Tensor>
{
    private readonly Sequential net;

    /// <param name="input_nc">Channels in: source and target together for a conditional discriminator.</param>
    /// <param name="ndf">Channels of the first convolution.</param>
    /// <param name="norm">The normalisation.</param>
    public PixelDiscriminator(int input_nc, int ndf = 64, Norm norm = Norm.Batch)
    {
        bool bias = norm.NeedsBias();
        net = register_module("net", new Sequential(
            new Conv2d(input_nc, ndf, 1), new LeakyReLU(0.2, inplace: true),
            new Conv2d(ndf, ndf * 2, 1, bias: bias), norm.Layer(ndf * 2), new LeakyReLU(0.2, inplace: true),
            new Conv2d(ndf * 2, 1, 1, bias: bias)));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => net.forward(x);
}
