namespace Tinctor.Torch.Nn;

/// <summary>The largest element of each window.</summary>
/// <param name="kernel_size">Height and width of the window.</param>
/// <param name="stride">Pixels between windows, the kernel size unless given.</param>
/// <param name="padding">Pixels added at each side, 0.</param>
/// <param name="dilation">Pixels between window elements, 1.</param>
/// <param name="ceil_mode">Also uses windows that only partly fit.</param>
public sealed class MaxPool2d(Size2 kernel_size, Size2? stride = null, Size2? padding = null, Size2? dilation = null,
    bool ceil_mode = false) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode);
}

/// <summary>The mean of each window.</summary>
/// <param name="kernel_size">Height and width of the window.</param>
/// <param name="stride">Pixels between windows, the kernel size unless given.</param>
/// <param name="padding">Pixels added at each side, 0.</param>
/// <param name="ceil_mode">Also uses windows that only partly fit.</param>
/// <param name="count_include_pad">Whether the added pixels count for the mean.</param>
public sealed class AvgPool2d(Size2 kernel_size, Size2? stride = null, Size2? padding = null, bool ceil_mode = false,
    bool count_include_pad = true) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad);
}

/// <summary>Means of windows that give the output size.</summary>
/// <param name="output_size">Height and width of the result.</param>
public sealed class AdaptiveAvgPool2d(Size2 output_size) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.adaptive_avg_pool2d(input, output_size);
}
