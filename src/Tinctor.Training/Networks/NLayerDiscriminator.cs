using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// PatchGAN (Isola et al. 2017): classifies overlapping patches; three layers have a receptive field of 70x70 pixels.
/// [N,C,H,W] to logits [N,1,h,w].
/// State-dict keys are those of networks.NLayerDiscriminator in the official repositories of pix2pix and CUT, or ASP.
/// </summary>
internal sealed class NLayerDiscriminator : Module<Tensor, Tensor>
{
    private readonly Sequential model;
    private readonly Module<Tensor, Tensor>? final;

    /// <param name="input_nc">Channels in: source and target together for a conditional discriminator.</param>
    /// <param name="ndf">Channels of the first convolution; later ones have up to 8 times as many.</param>
    /// <param name="n_layers">Number of strided convolutions.</param>
    /// <param name="norm">The normalisation.</param>
    /// <param name="antialias">Whether images are smoothed before each halving, instead of strided convolutions.</param>
    /// <param name="spectral">Whether convolutions have spectral norm.</param>
    /// <param name="named_as_asp">Whether the keys are those of ASP: enc and final_conv instead of model.</param>
    public NLayerDiscriminator(int input_nc, int ndf = 64, int n_layers = 3, Norm norm = Norm.Batch, bool antialias = false,
        bool spectral = false, bool named_as_asp = false)
    {
        bool bias = norm.NeedsBias();
        List<Module<Tensor, Tensor>> layers = [.. Convolution(input_nc, ndf, halves: true, bias: true, norm: null)];
        int channels = ndf;
        for (int n = 1; n <= n_layers; n++)
        {
            int wider = ndf * Math.Min(1 << n, 8);
            layers.AddRange(Convolution(channels, wider, halves: n < n_layers, bias, norm));
            channels = wider;
        }
        Module<Tensor, Tensor> last = Normalised(new Conv2d(channels, 1, 4, stride: 1, padding: 1));
        if (!named_as_asp) layers.Add(last);
        model = register_module(named_as_asp ? "enc" : "model", new Sequential([.. layers]));
        final = named_as_asp ? register_module("final_conv", last) : null;

        IEnumerable<Module<Tensor, Tensor>> Convolution(int from, int to, bool halves, bool bias, Norm? norm)
        {
            yield return Normalised(new Conv2d(from, to, 4, stride: halves && !antialias ? 2 : 1, padding: 1, bias: bias));
            if (norm is { } layer) yield return layer.Layer(to);
            yield return new LeakyReLU(0.2, inplace: true);
            if (halves && antialias) yield return new BlurDownsample(to);
        }

        Module<Tensor, Tensor> Normalised(Conv2d convolution) => spectral ? new SpectralNorm(convolution) : convolution;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        if (final is null) return model.forward(x);
        using Tensor features = model.forward(x);
        return final.forward(features);
    }
}
