using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// PatchGAN (Isola et al. 2017): classifies overlapping patches; three layers have a receptive field of 70x70 pixels.
/// [N,C,H,W] to logits [N,1,h,w].
/// State-dict keys are those of networks.NLayerDiscriminator in the official repository.
/// </summary>
internal sealed class NLayerDiscriminator : Module<Tensor, Tensor>
{
    private readonly Sequential model;

    /// <param name="input_nc">Channels in: source and target together for a conditional discriminator.</param>
    /// <param name="ndf">Channels of the first convolution; later ones have up to 8 times as many.</param>
    /// <param name="n_layers">Number of strided convolutions.</param>
    /// <param name="norm">The normalisation.</param>
    public NLayerDiscriminator(int input_nc, int ndf = 64, int n_layers = 3, Norm norm = Norm.Batch)
    {
        bool bias = norm.NeedsBias();
        List<Module<Tensor, Tensor>> layers = [new Conv2d(input_nc, ndf, 4, stride: 2, padding: 1), new LeakyReLU(0.2, inplace: true)];
        int channels = ndf;
        for (int n = 1; n <= n_layers; n++)
        {
            int wider = ndf * Math.Min(1 << n, 8);
            layers.AddRange([new Conv2d(channels, wider, 4, stride: n < n_layers ? 2 : 1, padding: 1, bias: bias), norm.Layer(wider),
                new LeakyReLU(0.2, inplace: true)]);
            channels = wider;
        }
        layers.Add(new Conv2d(channels, 1, 4, stride: 1, padding: 1));
        model = register_module("model", new Sequential([.. layers]));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => model.forward(x);
}
