using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// StyleGAN2's modulated convolution (Karras et al. 2020) as DeReStainer has it: a style scales the input channels of the weight by
/// style + 1, and the weight of each output channel is then brought to length 1. Borders are reflected, the size stays.
/// Input [N,inputs,H,W] and style [N,inputs] to [N,outputs,H,W].
/// </summary>
/// <remarks>Input and output of one convolution are scaled, which equals a weight per image but is much faster.</remarks>
internal sealed class ModulatedConv2d : Module<Tensor, Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly Tensor? bias;
    private readonly double epsilon;

    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernel">Height and width of the kernel, odd; the image is larger than half of it.</param>
    /// <param name="bias">Whether a bias per channel is added, initially 0.</param>
    /// <param name="epsilon">Added to the squared length of the weight.</param>
    public ModulatedConv2d(int inputs, int outputs, int kernel, bool bias = true, double epsilon = 1e-8)
    {
        if (kernel % 2 == 0) throw new ArgumentException($"a kernel of {kernel} is even, but must be odd", nameof(kernel));
        conv = register_module("conv",
            new Conv2d(inputs, outputs, kernel, padding: kernel / 2, bias: false, padding_mode: kernel > 1 ? "reflect" : "zeros"));
        this.bias = register_parameter("bias", bias ? torch.zeros([outputs]) : null);
        this.epsilon = epsilon;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor style)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor scale = style + 1;
        Tensor y = conv.forward(x * PerChannel(scale, x));
        Tensor demodulation = PerChannel(Demodulation(scale), y);
        return (bias is null ? y * demodulation : PerChannel(bias, y).addcmul(y, demodulation)).MoveToOuterDisposeScope();
    }

    // 1 / length of each image's weight, [N,outputs]; exact under autocast too, which would round a matrix product to 8 bits.
    private Tensor Demodulation(Tensor scale)
    {
        using Guard exact = torch.autocast(scale.device.type, enabled: false);
        Tensor squares = conv.weight.square().sum([2, 3]);
        return (F.linear(scale.to(squares.dtype).square(), squares) + epsilon).rsqrt();
    }

    private static Tensor PerChannel(Tensor values, Tensor image) => values.to(image.dtype).view(-1, values.size(-1), 1, 1);
}
