using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// The U-Net of Ronneberger et al. 2015, for segmentation and regression: pairs of 3x3 convolutions, max pooling on the way down, 2x2
/// up-convolutions and skips on the way up. As is usual today convolutions keep the size (zero padding) and are followed by batch norm.
/// [N,Cin,H,W] to [N,outputs,H,W] of any range, for any H and W: the input is continued by its edge to a multiple of 2^depth and the
/// result cropped.
/// </summary>
internal sealed class SegmentationUnet : Module<Tensor, Tensor>
{
    private readonly ModuleList<Sequential> down = new();
    private readonly ModuleList<ConvTranspose2d> up = new();
    private readonly ModuleList<Sequential> merge = new();
    private readonly Conv2d head;

    /// <param name="input_nc">Channels in.</param>
    /// <param name="classes">Logits out.</param>
    /// <param name="width">Channels at full resolution (64 in the paper); doubled at each level.</param>
    /// <param name="depth">Number of downsampling steps (4 in the paper).</param>
    public SegmentationUnet(int input_nc = 3, int classes = 2, int width = 64, int depth = 4)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
        Depth = depth;
        for (int level = 0; level <= depth; level++)
            down.append(DoubleConvolution(level == 0 ? input_nc : width << (level - 1), width << level));
        for (int level = depth - 1; level >= 0; level--)
        {
            up.append(new ConvTranspose2d(width << (level + 1), width << level, 2, stride: 2));
            merge.append(DoubleConvolution(width << (level + 1), width << level));
        }
        head = new Conv2d(width, classes, 1);
        register_module("down", down);
        register_module("up", up);
        register_module("merge", merge);
        register_module("head", head);
    }

    /// <summary>Number of downsampling steps.</summary>
    public int Depth { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        long height = x.size(-2), width = x.size(-1);
        x = Pad(x, height, width);
        var skips = new Stack<Tensor>();
        for (int level = 0; level < Depth; level++)
        {
            x = down[level].forward(x);
            skips.Push(x);
            x = F.max_pool2d(x, 2);
        }
        x = down[Depth].forward(x);
        for (int i = 0; i < Depth; i++) x = merge[i].forward(torch.cat([skips.Pop(), up[i].forward(x)], 1));
        return head.forward(x)[TensorIndex.Ellipsis, ..(int)height, ..(int)width];
    }

    private static Sequential DoubleConvolution(int input, int output) => new(
        new Conv2d(input, output, 3, padding: 1, bias: false), new BatchNorm2d(output), new ReLU(inplace: true),
        new Conv2d(output, output, 3, padding: 1, bias: false), new BatchNorm2d(output), new ReLU(inplace: true));

    private Tensor Pad(Tensor x, long height, long width)
    {
        long multiple = 1L << Depth;
        long bottom = (multiple - (height % multiple)) % multiple, right = (multiple - (width % multiple)) % multiple;
        return F.pad(x, [0, right, 0, bottom], "replicate");
    }
}
