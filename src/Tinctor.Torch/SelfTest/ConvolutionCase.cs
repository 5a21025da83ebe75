namespace Tinctor.Torch.SelfTest;

/// <summary>A convolution of the self-test: two images or signals, odd sizes.</summary>
/// <param name="Operator">conv1d, conv2d or conv_transpose2d.</param>
/// <param name="Kernel">Side of the kernel.</param>
/// <param name="Inputs">Number of input channels.</param>
/// <param name="Outputs">Number of output channels.</param>
/// <param name="Stride">Stride.</param>
/// <param name="Padding">Padding on each side.</param>
/// <param name="Dilation">Dilation.</param>
/// <param name="Groups">Number of groups of channels.</param>
internal sealed record ConvolutionCase(string Operator, int Kernel, int Inputs, int Outputs, int Stride = 1, int Padding = 0,
    int Dilation = 1, int Groups = 1)
{
    private const int Side = 19;

    /// <summary>Number of images.</summary>
    public const int Images = 2;

    /// <summary>
    /// Layers of staining networks (7x7 at both ends of a ResNet, the last 4x4 of a PatchGAN, both transposed kinds) and other shapes,
    /// mostly with channels that are no multiple of 16.
    /// </summary>
    public static IReadOnlyList<ConvolutionCase> All { get; } =
    [
        new("conv2d", 7, 3, 64, Padding: 3),
        new("conv2d", 7, 64, 3, Padding: 3),
        new("conv2d", 4, 128, 1, Padding: 1),
        new("conv2d", 4, 6, 20, Stride: 2, Padding: 1),
        new("conv2d", 3, 5, 7, Padding: 1),
        new("conv2d", 3, 16, 32, Padding: 1),
        new("conv2d", 3, 10, 18, Stride: 2, Padding: 1),
        new("conv2d", 3, 6, 5, Padding: 2, Dilation: 2),
        new("conv2d", 1, 33, 3),
        new("conv2d", 3, 12, 9, Padding: 1, Groups: 3),
        new("conv2d", 3, 7, 7, Padding: 1, Groups: 7),
        new("conv_transpose2d", 3, 20, 10, Stride: 2, Padding: 1),
        new("conv_transpose2d", 4, 12, 3, Stride: 2, Padding: 1),
        new("conv1d", 5, 7, 9, Padding: 2),
    ];

    /// <summary>Whether the convolution is transposed.</summary>
    public bool IsTransposed => Operator == "conv_transpose2d";

    /// <summary>Height of the input; 1 for a signal.</summary>
    public int InputHeight => Operator == "conv1d" ? 1 : Side;

    /// <summary>Width of the input.</summary>
    public int InputWidth => Side;

    /// <summary>Height of the kernel; 1 for a signal.</summary>
    public int KernelHeight => Operator == "conv1d" ? 1 : Kernel;

    /// <summary>Height of the output; 1 for a signal.</summary>
    public int OutputHeight => Operator == "conv1d" ? 1 : OutputWidth;

    /// <summary>Width of the output.</summary>
    public int OutputWidth => IsTransposed ? ((InputWidth - 1) * Stride) - (2 * Padding) + (Dilation * (Kernel - 1)) + 1
        : ((InputWidth + (2 * Padding) - (Dilation * (Kernel - 1)) - 1) / Stride) + 1;

    /// <summary>Shape of the input.</summary>
    public long[] InputShape => Shape(Images, Inputs, InputHeight, InputWidth);

    /// <summary>Shape of the weight.</summary>
    public long[] WeightShape => IsTransposed ? Shape(Inputs, Outputs / Groups, KernelHeight, Kernel)
        : Shape(Outputs, Inputs / Groups, KernelHeight, Kernel);

    /// <summary>Shape of the output.</summary>
    public long[] OutputShape => Shape(Images, Outputs, OutputHeight, OutputWidth);

    /// <summary>Computes the convolution with libtorch.</summary>
    public Tensor Convolve(Tensor input, Tensor weight, Tensor bias) => Operator switch
    {
        "conv1d" => F.conv1d(input, weight, bias, Stride, Padding, Dilation, Groups),
        "conv2d" => F.conv2d(input, weight, bias, Stride, Padding, Dilation, Groups),
        _ => F.conv_transpose2d(input, weight, bias, Stride, Padding, groups: Groups, dilation: Dilation),
    };

    /// <inheritdoc/>
    public override string ToString()
    {
        string kernel = Operator == "conv1d" ? $"{Kernel}" : $"{Kernel}x{Kernel}";
        string extras = (Stride > 1 ? $", stride {Stride}" : "") + (Dilation > 1 ? $", dilation {Dilation}" : "")
            + (Groups > 1 ? $", {Groups} groups" : "");
        return $"{Operator} {kernel}, {Inputs} to {Outputs} channels{extras}";
    }

    private long[] Shape(int first, int second, int height, int width) =>
        Operator == "conv1d" ? [first, second, width] : [first, second, height, width];
}
