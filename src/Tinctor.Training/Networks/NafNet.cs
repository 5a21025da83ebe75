using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// NAFNet (Chen et al. 2022, "Simple Baselines for Image Restoration"; NAFNet in basicsr/models/archs/NAFNet_arch.py of
/// megvii-research/NAFNet): a U-Net of blocks without activation functions, whose output is added to the source.
/// [N,Cin,H,W] to [N,Cout,H,W] in [-1,1], not limited to it; H and W are multiples of 2^levels. The layers work on images in [0,1], as the
/// official ones. State-dict keys are the official ones.
/// </summary>
internal sealed class NafNet : Module<Tensor, Tensor>
{
    private readonly bool residual;
    private readonly Conv2d intro, ending;
    private readonly ModuleList<Sequential> encoders = new(), decoders = new(), ups = new();
    private readonly ModuleList<Conv2d> downs = new();
    private readonly Sequential middle_blks;

    /// <param name="inputs">Channels of the source.</param>
    /// <param name="outputs">Channels of the stained image; if they differ from those of the source, it is not added.</param>
    /// <param name="width">Channels at full size; doubled at each level.</param>
    /// <param name="middle_blk_num">Number of blocks at the lowest resolution.</param>
    /// <param name="enc_blk_nums">Number of blocks before each downsampling.</param>
    /// <param name="dec_blk_nums">Number of blocks after each upsampling; as many as <paramref name="enc_blk_nums"/>.</param>
    public NafNet(int inputs, int outputs, int width, int middle_blk_num, IReadOnlyList<int> enc_blk_nums, IReadOnlyList<int> dec_blk_nums)
    {
        if (enc_blk_nums.Count != dec_blk_nums.Count)
            throw new ArgumentException($"{enc_blk_nums.Count} levels of the encoder, but {dec_blk_nums.Count} of the decoder");
        residual = inputs == outputs;
        intro = register_module("intro", new Conv2d(inputs, width, 3, padding: 1));
        ending = register_module("ending", new Conv2d(width, outputs, 3, padding: 1));
        int channels = width;
        foreach (int blocks in enc_blk_nums)
        {
            encoders.append(Blocks(channels, blocks));
            downs.append(new Conv2d(channels, 2 * channels, 2, stride: 2));
            channels *= 2;
        }
        middle_blks = Blocks(channels, middle_blk_num);
        foreach (int blocks in dec_blk_nums)
        {
            ups.append(new Sequential(new Conv2d(channels, 2 * channels, 1, bias: false), new PixelShuffle(2)));
            channels /= 2;
            decoders.append(Blocks(channels, blocks));
        }
        // In the order of the official state dictionary.
        register_module("encoders", encoders);
        register_module("decoders", decoders);
        register_module("middle_blks", middle_blks);
        register_module("ups", ups);
        register_module("downs", downs);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor source)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor image = (source + 1) * 0.5, x = intro.forward(image);
        var skips = new Stack<Tensor>();
        for (int level = 0; level < encoders.Count; level++)
        {
            x = encoders[level].forward(x);
            skips.Push(x);
            x = downs[level].forward(x);
        }
        x = middle_blks.forward(x);
        for (int level = 0; level < decoders.Count; level++)
            x = decoders[level].forward(ups[level].forward(x) + skips.Pop());
        x = ending.forward(x);
        if (residual) x += image;
        return ((x * 2) - 1).MoveToOuterDisposeScope();
    }

    private static Sequential Blocks(int channels, int count) =>
        new([.. Enumerable.Range(0, count).Select(_ => new NafBlock(channels))]);
}

/// <summary>
/// Block of NAFNet: two residual branches with layer norm, 1x1 and depthwise convolutions and SimpleGate, the product of both halves of
/// the channels; the first branch has simplified channel attention. Both are scaled per channel, initially by 0. [N,C,H,W] to the same.
/// </summary>
internal sealed class NafBlock : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1, conv2, conv3, conv4, conv5;
    private readonly Sequential sca;
    private readonly LayerNorm2d norm1, norm2;
    private readonly Tensor beta, gamma;

    /// <param name="channels">Channels of the feature.</param>
    public NafBlock(int channels)
    {
        int wide = 2 * channels;
        beta = register_parameter("beta", torch.zeros([1, channels, 1, 1]))!;
        gamma = register_parameter("gamma", torch.zeros([1, channels, 1, 1]))!;
        conv1 = register_module("conv1", new Conv2d(channels, wide, 1));
        conv2 = register_module("conv2", new Conv2d(wide, wide, 3, padding: 1, groups: wide));
        conv3 = register_module("conv3", new Conv2d(channels, channels, 1));
        sca = register_module("sca", new Sequential(new ImageMean(), new Conv2d(channels, channels, 1)));
        conv4 = register_module("conv4", new Conv2d(channels, wide, 1));
        conv5 = register_module("conv5", new Conv2d(channels, channels, 1));
        norm1 = register_module("norm1", new LayerNorm2d(channels));
        norm2 = register_module("norm2", new LayerNorm2d(channels));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor branch = Gate(conv2.forward(conv1.forward(norm1.forward(x))));
        Tensor y = x + (conv3.forward(branch * sca.forward(branch)) * beta);
        return (y + (conv5.forward(Gate(conv4.forward(norm2.forward(y)))) * gamma)).MoveToOuterDisposeScope();
    }

    private static Tensor Gate(Tensor x)
    {
        Tensor[] halves = x.chunk(2, dim: 1);
        return halves[0] * halves[1];
    }
}

/// <summary>
/// Mean of each channel over the image, [N,C,H,W] to [N,C,1,1] (AdaptiveAvgPool2d(1)); tiles of a slide may share it.
/// </summary>
internal sealed class ImageMean : Module<Tensor, Tensor>, INormalizesByImage
{
    /// <inheritdoc/>
    public bool by_image => true;

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor mean = x.mean([2, 3], keepdim: true);
        // The variance is not used.
        if (MomentsContext.Current is { } moments) mean = moments(new(mean, mean * 0)).Mean;
        return mean.MoveToOuterDisposeScope();
    }
}
