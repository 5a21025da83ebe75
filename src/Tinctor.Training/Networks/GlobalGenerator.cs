using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Global generator of pix2pixHD (Wang et al. 2018, section 3.2): downsampling convolutions, residual blocks, upsampling convolutions.
/// [N,Cin,H,W] to [N,Cout,H,W] in [-1,1]; H and W are multiples of 2^n_downsampling. State-dict keys are those of
/// networks.GlobalGenerator in NVIDIA/pix2pixHD.
/// </summary>
internal sealed class GlobalGenerator : Module<Tensor, Tensor>
{
    private readonly Sequential model;

    /// <param name="input_nc">Channels in.</param>
    /// <param name="output_nc">Channels out.</param>
    /// <param name="ngf">Channels of the first and last convolution, doubled by each downsampling.</param>
    /// <param name="n_downsampling">Number of downsampling convolutions.</param>
    /// <param name="n_blocks">Number of residual blocks.</param>
    /// <param name="norm">The normalisation after each convolution.</param>
    public GlobalGenerator(int input_nc, int output_nc, int ngf, int n_downsampling, int n_blocks, Norm norm) =>
        model = register_module("model", new Sequential(
            [.. Body(input_nc, ngf, n_downsampling, n_blocks, norm), .. Output(ngf, output_nc)]));

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => model.forward(x);

    /// <summary>Creates the layers before the last convolution; their result has <paramref name="ngf"/> channels at full size.</summary>
    internal static Module<Tensor, Tensor>[] Body(int input_nc, int ngf, int n_downsampling, int n_blocks, Norm norm)
    {
        List<Module<Tensor, Tensor>> layers = [.. First(input_nc, ngf, norm)];
        int channels = ngf;
        for (int i = 0; i < n_downsampling; i++, channels *= 2) layers.AddRange(Down(channels, norm));
        layers.AddRange(Blocks(n_blocks, channels, norm));
        for (int i = 0; i < n_downsampling; i++, channels /= 2) layers.AddRange(Up(channels, norm));
        return [.. layers];
    }

    /// <summary>Creates the first convolution, at full size.</summary>
    internal static Module<Tensor, Tensor>[] First(int input_nc, int ngf, Norm norm) =>
        [new ReflectionPad2d(3), new Conv2d(input_nc, ngf, 7), norm.Layer(ngf), new ReLU(inplace: true)];

    /// <summary>Creates a convolution that halves the size and doubles the channels.</summary>
    internal static Module<Tensor, Tensor>[] Down(int channels, Norm norm) =>
        [new Conv2d(channels, channels * 2, 3, stride: 2, padding: 1), norm.Layer(channels * 2), new ReLU(inplace: true)];

    /// <summary>Creates residual blocks.</summary>
    internal static IEnumerable<Module<Tensor, Tensor>> Blocks(int count, int channels, Norm norm) =>
        Enumerable.Range(0, count).Select(_ => new ResnetBlock(channels, "reflect", norm, use_dropout: false, bias: true));

    /// <summary>Creates a transposed convolution that doubles the size and halves the channels.</summary>
    internal static Module<Tensor, Tensor>[] Up(int channels, Norm norm) =>
    [
        new ConvTranspose2d(channels, channels / 2, 3, stride: 2, padding: 1, output_padding: 1), norm.Layer(channels / 2),
        new ReLU(inplace: true),
    ];

    /// <summary>Creates the last convolution, to an image.</summary>
    internal static Module<Tensor, Tensor>[] Output(int ngf, int output_nc) =>
        [new ReflectionPad2d(3), new Conv2d(ngf, output_nc, 7), new Tanh()];
}
