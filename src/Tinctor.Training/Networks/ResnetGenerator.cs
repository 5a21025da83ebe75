using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// The ResNet generator of CycleGAN and pix2pix (Johnson et al. 2016): two downsampling convolutions, residual blocks at a quarter of
/// the size, two upsampling ones. [N,Cin,H,W] to [N,Cout,H,W] in [-1,1]; H and W are multiples of 4.
/// State-dict keys are those of networks.ResnetGenerator in the official repository.
/// </summary>
public sealed class ResnetGenerator : Module<Tensor, Tensor>
{
    private readonly Sequential model;

    /// <param name="input_nc">Channels in.</param>
    /// <param name="output_nc">Channels out.</param>
    /// <param name="ngf">Channels of the first and last convolution.</param>
    /// <param name="norm">The normalisation after each convolution.</param>
    /// <param name="use_dropout">Dropout of one half inside the blocks.</param>
    /// <param name="n_blocks">Number of residual blocks; 6 for 128 px, 9 for 256 px and more.</param>
    /// <param name="padding_type">Padding of the convolutions at full and quarter size: reflect, replicate or zero.</param>
    public ResnetGenerator(int input_nc = 3, int output_nc = 3, int ngf = 64, Norm norm = Norm.Batch, bool use_dropout = false,
        int n_blocks = 9, string padding_type = "reflect")
    {
        model = register_module("model", new Sequential(
        [
            .. Down(input_nc, ngf, norm),
            .. Enumerable.Range(0, n_blocks).Select(_ => new ResnetBlock(ngf * 4, padding_type, norm, use_dropout)),
            .. Up(ngf, output_nc, norm),
        ]));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => model.forward(x);

    /// <summary>From full size to a quarter of it, with four times <paramref name="ngf"/> channels.</summary>
    internal static Module<Tensor, Tensor>[] Down(int input_nc, int ngf, Norm norm)
    {
        bool bias = norm.NeedsBias();
        return
        [
            new ReflectionPad2d(3),
            new Conv2d(input_nc, ngf, 7, bias: bias), norm.Layer(ngf), new ReLU(inplace: true),

            new Conv2d(ngf, ngf * 2, 3, stride: 2, padding: 1, bias: bias), norm.Layer(ngf * 2), new ReLU(inplace: true),
            new Conv2d(ngf * 2, ngf * 4, 3, stride: 2, padding: 1, bias: bias), norm.Layer(ngf * 4), new ReLU(inplace: true),
        ];
    }

    /// <summary>Back to full size and to an image.</summary>
    internal static Module<Tensor, Tensor>[] Up(int ngf, int output_nc, Norm norm)
    {
        bool bias = norm.NeedsBias();
        return
        [
            new ConvTranspose2d(ngf * 4, ngf * 2, 3, stride: 2, padding: 1, output_padding: 1, bias: bias), norm.Layer(ngf * 2),
            new ReLU(inplace: true),
            new ConvTranspose2d(ngf * 2, ngf, 3, stride: 2, padding: 1, output_padding: 1, bias: bias), norm.Layer(ngf),
            new ReLU(inplace: true),

            new ReflectionPad2d(3),
            new Conv2d(ngf, output_nc, 7), new Tanh(),
        ];
    }
}

/// <summary>x + conv(conv(x)), each convolution padded, normalised, the first one rectified.</summary>
internal sealed class ResnetBlock : Module<Tensor, Tensor>
{
    private readonly Sequential conv_block;

    /// <param name="dim">Channels in and out.</param>
    /// <param name="padding_type">reflect, replicate or zero.</param>
    /// <param name="norm">The normalisation after each convolution.</param>
    /// <param name="use_dropout">Dropout between the two convolutions.</param>
    public ResnetBlock(int dim, string padding_type, Norm norm, bool use_dropout)
    {
        List<Module<Tensor, Tensor>> layers = [.. Convolution(dim, padding_type, norm), new ReLU(inplace: true)];
        if (use_dropout) layers.Add(new Dropout(0.5));
        layers.AddRange(Convolution(dim, padding_type, norm));
        conv_block = register_module("conv_block", new Sequential([.. layers]));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => x + conv_block.forward(x);

    private static Module<Tensor, Tensor>[] Convolution(int dim, string padding_type, Norm norm)
    {
        Conv2d Conv(int padding) => new(dim, dim, 3, padding: padding, bias: norm.NeedsBias());
        return padding_type switch
        {
            "reflect" => [new ReflectionPad2d(1), Conv(0), norm.Layer(dim)],
            "replicate" => [new ReplicationPad2d(1), Conv(0), norm.Layer(dim)],
            "zero" => [Conv(1), norm.Layer(dim)],
            _ => throw new ArgumentException($"padding '{padding_type}' is none of reflect, replicate, zero"),
        };
    }
}
