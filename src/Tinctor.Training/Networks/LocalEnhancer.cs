using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Coarse-to-fine generator of pix2pixHD (Wang et al. 2018, section 3.2): a <see cref="GlobalGenerator"/> without its last convolution, for
/// the image reduced n_local_enhancers times, and local enhancers, each for twice the size. [N,Cin,H,W] to [N,Cout,H,W] in [-1,1]; H and W
/// are multiples of 2^(n_downsample_global + n_local_enhancers). State-dict keys are those of networks.LocalEnhancer in NVIDIA/pix2pixHD.
/// </summary>
internal sealed class LocalEnhancer : Module<Tensor, Tensor>
{
    private readonly Sequential model;
    private readonly (Sequential Down, Sequential Up)[] enhancers;

    /// <param name="input_nc">Channels in.</param>
    /// <param name="output_nc">Channels out.</param>
    /// <param name="ngf">Channels of the last enhancer at full size; the global generator has 2^n_local_enhancers times as many.</param>
    /// <param name="n_downsample_global">Number of downsampling convolutions of the global generator.</param>
    /// <param name="n_blocks_global">Number of residual blocks of the global generator.</param>
    /// <param name="n_local_enhancers">Number of enhancers.</param>
    /// <param name="n_blocks_local">Number of residual blocks of each enhancer.</param>
    /// <param name="norm">The normalisation after each convolution.</param>
    public LocalEnhancer(int input_nc, int output_nc, int ngf, int n_downsample_global, int n_blocks_global, int n_local_enhancers,
        int n_blocks_local, Norm norm)
    {
        model = register_module("model", new Sequential(
            GlobalGenerator.Body(input_nc, ngf << n_local_enhancers, n_downsample_global, n_blocks_global, norm)));
        enhancers = new (Sequential, Sequential)[n_local_enhancers];
        for (int n = 1; n <= n_local_enhancers; n++)
        {
            int channels = ngf << (n_local_enhancers - n);
            Sequential down = register_module($"{EnhancerKey(n)}_1", new Sequential(
                [.. GlobalGenerator.First(input_nc, channels, norm), .. GlobalGenerator.Down(channels, norm)]));
            Module<Tensor, Tensor>[] output = n == n_local_enhancers ? GlobalGenerator.Output(ngf, output_nc) : [];
            Sequential up = register_module($"{EnhancerKey(n)}_2", new Sequential(
                [.. GlobalGenerator.Blocks(n_blocks_local, channels * 2, norm), .. GlobalGenerator.Up(channels * 2, norm), .. output]));
            enhancers[n - 1] = (down, up);
        }
    }

    /// <summary>Gets the first part of the keys of an enhancer.</summary>
    /// <param name="number">Number of the enhancer, from 1.</param>
    internal static string EnhancerKey(int number) => $"model{number}";

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        var pyramid = new Stack<Tensor>([x]);
        for (int i = 0; i < enhancers.Length; i++)
            pyramid.Push(F.avg_pool2d(pyramid.Peek(), 3, stride: 2, padding: 1, count_include_pad: false));
        Tensor feature = model.forward(pyramid.Pop());
        foreach ((Sequential down, Sequential up) in enhancers) feature = up.forward(down.forward(pyramid.Pop()) + feature);
        return feature;
    }
}
