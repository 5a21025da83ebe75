using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// A depthwise convolution in wavelet space (WTConv, Finder et al. 2024; wtconv.WTConv2d of CEFF's repository): the image is decomposed
/// level by level, each level's four sub-bands are convolved, and their inverse transforms are added to an ordinary depthwise
/// convolution, which gives small kernels a large receptive field. [N,C,H,W] of any size to the same. State-dict keys are those of the
/// official class.
/// </summary>
internal sealed class WaveletConv2d : Module<Tensor, Tensor>
{
    private readonly Tensor wt_filter, iwt_filter;
    private readonly int padding;
    private readonly Conv2d base_conv;
    private readonly ChannelScale base_scale;
    private readonly ModuleList<Conv2d> wavelet_convs;
    private readonly ModuleList<ChannelScale> wavelet_scale;

    /// <param name="channels">Channels in and out.</param>
    /// <param name="kernel_size">Height and width of every kernel, odd.</param>
    /// <param name="wt_levels">Number of decomposition levels.</param>
    /// <param name="wt_type">The wavelet: "db1" (Haar) or "db2".</param>
    public WaveletConv2d(int channels, int kernel_size = 5, int wt_levels = 1, string wt_type = "db1")
    {
        if (kernel_size % 2 == 0) throw new ArgumentException($"a kernel of {kernel_size} is even, but must be odd", nameof(kernel_size));
        float[] low = LowPass(wt_type);
        // An orthogonal wavelet: one filter bank decomposes and composes.
        wt_filter = register_buffer("wt_filter", Filters(low, channels))!;
        iwt_filter = register_buffer("iwt_filter", Filters(low, channels))!;
        padding = (low.Length / 2) - 1;
        base_conv = register_module("base_conv", Depthwise(channels, kernel_size, bias: true));
        base_scale = register_module("base_scale", new ChannelScale(channels, 1));
        wavelet_convs = register_module("wavelet_convs", new ModuleList<Conv2d>(
            [.. Enumerable.Range(0, wt_levels).Select(_ => Depthwise(channels * 4, kernel_size, bias: false))]));
        wavelet_scale = register_module("wavelet_scale", new ModuleList<ChannelScale>(
            [.. Enumerable.Range(0, wt_levels).Select(_ => new ChannelScale(channels * 4, 0.1))]));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return (base_scale.forward(base_conv.forward(x)) + Wavelets(x, 0)).MoveToOuterDisposeScope();
    }

    /// <summary>[N,C,H,W] to its sub-bands [N,4C,H/2,W/2]: four a channel; odd sizes are padded with zeros.</summary>
    internal Tensor Decompose(Tensor x)
    {
        Tensor even = x.size(2) % 2 + x.size(3) % 2 == 0 ? x : F.pad(x, [0, x.size(3) % 2, 0, x.size(2) % 2]);
        return F.conv2d(even, wt_filter, stride: 2, padding: padding, groups: (int)x.size(1));
    }

    /// <summary>The inverse of <see cref="Decompose"/>.</summary>
    internal Tensor Compose(Tensor bands) =>
        F.conv_transpose2d(bands, iwt_filter, stride: 2, padding: padding, groups: (int)bands.size(1) / 4);

    // Sum of this level and the levels below.
    private Tensor Wavelets(Tensor x, int level)
    {
        Tensor bands = Decompose(x);
        long[] perChannel = [bands.size(0), x.size(1), 4, bands.size(2), bands.size(3)];
        Tensor convolved = wavelet_scale[level].forward(wavelet_convs[level].forward(bands));
        if (level + 1 < wavelet_convs.Count)
        {
            Tensor low = Wavelets(bands.view(perChannel).select(2, 0), level + 1);
            convolved = convolved.view(perChannel);
            convolved = torch.cat([(convolved.select(2, 0) + low).unsqueeze(2), convolved.narrow(2, 1, 3)], 2).flatten(1, 2);
        }
        return Compose(convolved).narrow(2, 0, x.size(2)).narrow(3, 0, x.size(3));
    }

    // Kernels [4C,1,k,k]: for each channel low-low, vertically high, horizontally high, high-high.
    private static Tensor Filters(float[] low, int channels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        float[] high = [.. low.Reverse().Select((value, i) => i % 2 == 0 ? value : -value)];
        Tensor l = torch.tensor(low), h = torch.tensor(high);
        Tensor kernels = torch.stack([l.outer(l), h.outer(l), l.outer(h), h.outer(h)]);
        return kernels.unsqueeze(1).repeat(channels, 1, 1, 1).MoveToOuterDisposeScope();
    }

    private static Conv2d Depthwise(int channels, int kernel, bool bias) =>
        new(channels, channels, kernel, padding: kernel / 2, groups: channels, bias: bias);

    // Daubechies 1992; the high-pass filter follows from it.
    private static float[] LowPass(string wavelet) => wavelet switch
    {
        "db1" => [MathF.Sqrt(0.5f), MathF.Sqrt(0.5f)],
        "db2" => [0.48296291314469025f, 0.836516303737469f, 0.22414386804185735f, -0.12940952255092145f],
        _ => throw new ArgumentException($"wavelet '{wavelet}' is none of db1, db2"),
    };
}

/// <summary>A learned factor for each channel.</summary>
internal sealed class ChannelScale : Module<Tensor, Tensor>
{
    private readonly Tensor weight;

    public ChannelScale(int channels, double start) => weight = register_parameter("weight", torch.full([1, channels, 1, 1], start))!;

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => x * weight;
}
