namespace Tinctor.Torch.Nn;

/// <summary>Layer that is linear in its weight, which can be replaced by a function of it, as in spectral norm.</summary>
public abstract class WeightedLayer : Module<Tensor, Tensor>
{
    /// <summary>Creates the parameters with the default initialisation of PyTorch.</summary>
    /// <param name="weight_shape">The shape of the weight.</param>
    /// <param name="bias_size">The length of the bias, or null for none.</param>
    protected WeightedLayer(long[] weight_shape, long? bias_size)
    {
        weight = register_parameter("weight", torch.empty(weight_shape))!;
        bias = register_parameter("bias", bias_size is long size ? torch.empty([size]) : null);
        init.Default(weight, bias);
    }

    /// <summary>The weight.</summary>
    public Tensor weight { get; private protected set; }

    /// <summary>The bias, or null.</summary>
    public Tensor? bias { get; }

    /// <inheritdoc/>
    public sealed override Tensor forward(Tensor input) => forward(input, weight);

    /// <summary>Computes the result with another weight of the same shape.</summary>
    public abstract Tensor forward(Tensor input, Tensor weight);

    /// <summary>The channels of one group.</summary>
    private protected static long Share(long channels, long groups) =>
        channels % groups == 0 ? channels / groups : throw new ArgumentException($"{channels} channels do not split into {groups} groups");
}

/// <summary>Convolution: [N,Cin,L] to [N,Cout,L'].</summary>
public sealed class Conv1d : WeightedLayer
{
    private readonly long stride, padding, dilation, groups;

    /// <summary>Weight [out_channels, in_channels / groups, K].</summary>
    /// <param name="in_channels">Channels of the input.</param>
    /// <param name="out_channels">Channels of the result.</param>
    /// <param name="kernel_size">Length of the kernel.</param>
    /// <param name="stride">Elements between applications.</param>
    /// <param name="padding">Zeros added at each end.</param>
    /// <param name="dilation">Elements between kernel elements.</param>
    /// <param name="groups">Number of independent groups of channels.</param>
    /// <param name="bias">Whether a bias per channel is added.</param>
    public Conv1d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1,
        long groups = 1, bool bias = true)
        : base([out_channels, Share(in_channels, groups), kernel_size], bias ? out_channels : null) =>
        (this.stride, this.padding, this.dilation, this.groups) = (stride, padding, dilation, groups);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input, Tensor weight) => F.conv1d(input, weight, bias, stride, padding, dilation, groups);
}

/// <summary>Convolution: [N,Cin,H,W] to [N,Cout,H',W'].</summary>
public sealed class Conv2d : WeightedLayer
{
    private readonly Size2 stride, padding, dilation;
    private readonly long groups;
    private readonly string padding_mode;
    private Func<Tensor, Tensor>? planes;

    /// <summary>Weight [out_channels, in_channels / groups, Kh, Kw].</summary>
    /// <param name="in_channels">Channels of the input.</param>
    /// <param name="out_channels">Channels of the result.</param>
    /// <param name="kernel_size">Height and width of the kernel.</param>
    /// <param name="stride">Pixels between applications, 1.</param>
    /// <param name="padding">Pixels added at each side, 0.</param>
    /// <param name="dilation">Pixels between kernel elements, 1.</param>
    /// <param name="groups">Number of independent groups of channels.</param>
    /// <param name="bias">Whether a bias per channel is added.</param>
    /// <param name="padding_mode">"zeros", "reflect", "replicate" or "circular".</param>
    public Conv2d(long in_channels, long out_channels, Size2 kernel_size, Size2? stride = null, Size2? padding = null,
        Size2? dilation = null, long groups = 1, bool bias = true, string padding_mode = "zeros")
        : base([out_channels, Share(in_channels, groups), kernel_size.height, kernel_size.width], bias ? out_channels : null)
    {
        if (padding_mode is not ("zeros" or "reflect" or "replicate" or "circular"))
            throw new ArgumentException($"'{padding_mode}' is none of zeros, reflect, replicate, circular", nameof(padding_mode));
        (this.stride, this.padding, this.dilation) = (stride ?? 1, padding ?? 0, dilation ?? 1);
        (this.groups, this.padding_mode) = (groups, padding_mode);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input, Tensor weight)
    {
        if (planes is null) return Convolve(input, weight);
        using Tensor added = planes(input), joined = torch.cat([input, added], 1);
        return Convolve(joined, weight);
    }

    /// <summary>Adds input channels, which a function computes from the others, and initialises the weight again.</summary>
    internal void AddInputs(long channels, Func<Tensor, Tensor> planes)
    {
        if (groups != 1) throw new ArgumentException("a grouped convolution takes no further channels", nameof(channels));
        long[] shape = weight.shape;
        shape[1] += channels;
        weight = ReplaceParameter("weight", torch.empty(shape));
        init.Default(weight, bias);
        this.planes = planes;
    }

    private Tensor Convolve(Tensor input, Tensor weight)
    {
        if (padding_mode == "zeros") return F.conv2d(input, weight, bias, stride, padding, dilation, groups);
        using Tensor padded = F.pad(input, [padding.width, padding.width, padding.height, padding.height], padding_mode);
        return F.conv2d(padded, weight, bias, stride, 0, dilation, groups);
    }
}

/// <summary>Transposed convolution: [N,Cin,H,W] to [N,Cout,H',W'].</summary>
public sealed class ConvTranspose2d : WeightedLayer
{
    private readonly Size2 stride, padding, output_padding, dilation;
    private readonly long groups;

    /// <summary>Weight [in_channels, out_channels / groups, Kh, Kw].</summary>
    /// <param name="in_channels">Channels of the input.</param>
    /// <param name="out_channels">Channels of the result.</param>
    /// <param name="kernel_size">Height and width of the kernel.</param>
    /// <param name="stride">Pixels of the result between input pixels, 1.</param>
    /// <param name="padding">Pixels cut from each side of the result, 0.</param>
    /// <param name="output_padding">Pixels added at the bottom and right of the result, 0.</param>
    /// <param name="groups">Number of independent groups of channels.</param>
    /// <param name="bias">Whether a bias per channel is added.</param>
    /// <param name="dilation">Pixels between kernel elements, 1.</param>
    public ConvTranspose2d(long in_channels, long out_channels, Size2 kernel_size, Size2? stride = null, Size2? padding = null,
        Size2? output_padding = null, long groups = 1, bool bias = true, Size2? dilation = null)
        : base([in_channels, Share(out_channels, groups), kernel_size.height, kernel_size.width], bias ? out_channels : null)
    {
        (this.stride, this.padding, this.output_padding) = (stride ?? 1, padding ?? 0, output_padding ?? 0);
        (this.groups, this.dilation) = (groups, dilation ?? 1);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input, Tensor weight) =>
        F.conv_transpose2d(input, weight, bias, stride, padding, output_padding, groups, dilation);
}

/// <summary>input @ weight.t() + bias: [..., in_features] to [..., out_features].</summary>
public sealed class Linear : WeightedLayer
{
    /// <summary>Weight [out_features, in_features].</summary>
    /// <param name="in_features">Numbers in.</param>
    /// <param name="out_features">Numbers out.</param>
    /// <param name="bias">Whether a bias is added.</param>
    public Linear(long in_features, long out_features, bool bias = true) : base([out_features, in_features], bias ? out_features : null) { }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input, Tensor weight) => F.linear(input, weight, bias);
}
