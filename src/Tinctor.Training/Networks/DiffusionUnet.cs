using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// The U-Net of improved and guided diffusion (Nichol and Dhariwal 2021; Dhariwal and Nichol 2021), which I2SB, BBDM and super-resolved
/// staining use as it is. From a noisy image [N,C,H,W], its times [N] (or one of all, [1]), any real numbers, and a condition
/// [N,Cc,h,w] to a prediction [N,Cout,H,W] of any range; H and W are multiples of <see cref="SizeMultiple"/>. A condition of another
/// size is resized bilinearly. State-dict keys are those of UNetModel in all three repositories.
/// </summary>
internal sealed class DiffusionUnet : Module<Tensor, Tensor, Tensor?, Tensor>
{
    private readonly DiffusionUnetOptions options;
    private readonly Sequential time_embed;
    private readonly ModuleList<TimedSequential> input_blocks, output_blocks;
    private readonly TimedSequential middle_block;
    private readonly Sequential output;

    /// <summary>Creates a network that initially predicts zeros, as the official ones.</summary>
    /// <exception cref="TinctorException">An option is invalid; the message names it.</exception>
    public DiffusionUnet(DiffusionUnetOptions options)
    {
        options.Check();
        this.options = options;
        int embedding = options.ModelChannels * 4;
        time_embed = register_module("time_embed", new Sequential(
            new Linear(options.ModelChannels, embedding), new SiLU(), new Linear(embedding, embedding)));
        var skips = new Stack<int>();
        input_blocks = register_module("input_blocks", WayDown(skips));
        int bottom = skips.Peek();
        middle_block = register_module("middle_block",
            new TimedSequential(Block(bottom, bottom), Attention(bottom), Block(bottom, bottom)));
        output_blocks = register_module("output_blocks", WayUp(skips));
        var last = new Conv2d(Width(0), options.OutChannels, 3, padding: 1);
        output = register_module("out", new Sequential(new GroupNorm32(Width(0)), new SiLU(), last.Zeroed()));
    }

    /// <summary>H and W are multiples of this.</summary>
    public int SizeMultiple => options.SizeMultiple;

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor time, Tensor? condition)
    {
        Check(x, condition);
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor embedding = time_embed.forward(TimestepEmbedding.Compute(time, options.ModelChannels).to(x.dtype));
        Tensor h = condition is null ? x : torch.cat([x, Resized(condition, x)], 1);
        var skips = new Stack<Tensor>();
        foreach (TimedSequential block in input_blocks) skips.Push(h = Run(block, h, embedding));
        h = Run(middle_block, h, embedding);
        foreach (TimedSequential block in output_blocks)
        {
            using Tensor below = h, skip = skips.Pop(), joined = torch.cat([below, skip], 1); // freed as soon as used
            h = Run(block, joined, embedding);
        }
        return output.forward(h).to(x.dtype).MoveToOuterDisposeScope();
    }

    private Tensor Run(TimedSequential block, Tensor x, Tensor embedding) => options.UseCheckpoint
        ? torch.checkpoint(StainContext.Bind((Tensor[] inputs) => block.forward(inputs[0], inputs[1])),
            [x, embedding, .. block.parameters(), .. StainCondition.ParametersOf(this)])
        : block.forward(x, embedding);

    // The stack contains the output channels of each block, for the skip connections.
    private ModuleList<TimedSequential> WayDown(Stack<int> skips)
    {
        var blocks = new ModuleList<TimedSequential>();
        Append(Width(0), new Conv2d(options.InChannels + options.ConditionChannels, Width(0), 3, padding: 1));
        for (int level = 0; level < options.ChannelMult.Length; level++)
        {
            if (level > 0) Append(skips.Peek(), Halving(skips.Peek()));
            for (int i = 0; i < options.NumResBlocks; i++) Append(Width(level), Stage(skips.Peek(), level));
        }
        return blocks;

        void Append(int outputs, params Module[] layers)
        {
            blocks.append(new TimedSequential(layers));
            skips.Push(outputs);
        }
    }

    private ModuleList<TimedSequential> WayUp(Stack<int> skips)
    {
        var blocks = new ModuleList<TimedSequential>();
        int channels = skips.Peek();
        for (int level = options.ChannelMult.Length - 1; level >= 0; level--)
        {
            for (int i = 0; i <= options.NumResBlocks; i++)
            {
                Module[] layers = Stage(channels + skips.Pop(), level);
                channels = Width(level);
                bool last = level > 0 && i == options.NumResBlocks;
                blocks.append(new TimedSequential(last ? [.. layers, Doubling(channels)] : layers));
            }
        }
        return blocks;
    }

    private int Width(int level) => options.ModelChannels * options.ChannelMult[level];

    private Module[] Stage(int inputs, int level)
    {
        int outputs = Width(level);
        bool attends = options.AttentionResolutions.Contains(1 << level);
        return attends ? [Block(inputs, outputs), Attention(outputs)] : [Block(inputs, outputs)];
    }

    private TimedResidualBlock Block(int inputs, int outputs, Func<Tensor, Tensor>? resize = null) =>
        new(inputs, outputs, options.ModelChannels * 4, options.UseScaleShiftNorm, options.Dropout, resize);

    private Module Halving(int channels) =>
        options.ResblockUpdown ? Block(channels, channels, Resizing.Half) : new HalvingLayer(channels, options.ConvResample);

    private Module Doubling(int channels) =>
        options.ResblockUpdown ? Block(channels, channels, Resizing.Double) : new DoublingLayer(channels, options.ConvResample);

    private AttentionBlock Attention(int channels) => new(channels, options.Heads(channels), options.UseNewAttentionOrder);

    private static Tensor Resized(Tensor condition, Tensor x)
    {
        Size2 size = (x.size(-2), x.size(-1));
        return condition.size(-2) == size.height && condition.size(-1) == size.width ? condition
            : F.interpolate(condition, size, mode: "bilinear");
    }

    private void Check(Tensor x, Tensor? condition)
    {
        if (x.size(-2) % SizeMultiple != 0 || x.size(-1) % SizeMultiple != 0)
            throw new ArgumentException($"{x.size(-2)} x {x.size(-1)} pixels are not multiples of {SizeMultiple}", nameof(x));
        if ((condition?.size(1) ?? 0) != options.ConditionChannels)
            throw new ArgumentException($"the condition must have {options.ConditionChannels} channels", nameof(condition));
    }
}
