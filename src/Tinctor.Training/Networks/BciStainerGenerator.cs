using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Generator of BCIStainer (BCIStainerBasic in libs/models/G.py of quqixun/BCIStainer): an encoder to an eighth of the size; a style, the
/// pooled result of further convolutions, from which the IHC level is read; blocks modulated by the style; a decoder. A second head stains
/// at an eighth of the size, for training only. [N,C,H,W] to [N,C',H,W], both in [-1,1].
/// </summary>
internal sealed class BciStainerGenerator : Module<Tensor, Tensor>, ILevelPredictor
{
    /// <summary>Number of halvings of the encoder, and of doublings of the decoder.</summary>
    public const int Halvings = 3;

    private readonly ConvBlock inconv;
    private readonly Sequential encoder1, encoder2, classify_head, decoder2, lowres_outconv, highres_outconv;
    private readonly ModuleList<ModulatedBlock> decoder1;
    private readonly int levels;

    /// <param name="inputs">Channels of the source.</param>
    /// <param name="outputs">Channels of the stained image.</param>
    /// <param name="ngf">Channels of the first convolution; feature and style have 8 times as many.</param>
    /// <param name="levels">Number of IHC levels.</param>
    /// <param name="full_size">Side of the training images in pixels; the style is pooled from 8x8 values for them.</param>
    /// <param name="n_blocks">Number of modulated blocks.</param>
    /// <param name="attention">Whether SimAM closes the branch of each block.</param>
    /// <param name="dropout">Probability of dropout between style and IHC level.</param>
    public BciStainerGenerator(int inputs = 3, int outputs = 3, int ngf = 32, int levels = 4, int full_size = 1024, int n_blocks = 9,
        bool attention = true, double dropout = 0.2)
    {
        this.levels = levels;
        int channels = ngf << Halvings, further = (int)Math.Log2(full_size / 8) - Halvings;
        inconv = register_module("inconv", new ConvBlock(inputs, ngf, 7, stride: 1, padding: 3));
        encoder1 = register_module("encoder1", new Sequential([.. Enumerable.Range(0, Halvings).Select(i =>
            new ConvBlock(ngf << i, ngf << (i + 1), 3, stride: 2, padding: 1))]));
        encoder2 = register_module("encoder2", new Sequential([.. Enumerable.Range(0, further).Select(_ =>
            new ConvBlock(channels, channels, 3, stride: 2, padding: 1))]));
        classify_head = register_module("classify_head", new Sequential([new Dropout(dropout), new Linear(channels, levels)]));
        decoder1 = register_module("decoder1", new ModuleList<ModulatedBlock>(
            [.. Enumerable.Range(0, n_blocks).Select(_ => new ModulatedBlock(channels, attention))]));
        lowres_outconv = register_module("lowres_outconv",
            new Sequential([new ReflectionPad2d(1), new Conv2d(channels, outputs, 3), new Tanh()]));
        decoder2 = register_module("decoder2", new Sequential([.. Enumerable.Range(0, Halvings).Select(i =>
            new UpBlock(channels >> i, channels >> (i + 1)))]));
        highres_outconv = register_module("highres_outconv",
            new Sequential([new ReflectionPad2d(3), new Conv2d(ngf, outputs, 7), new Tanh()]));
    }

    /// <summary>Stains images; also returns them at an eighth of the size, and the logits of the IHC levels [N,levels].</summary>
    public (Tensor Stained, Tensor Small, Tensor Logits) Run(Tensor source)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor feature = Encode(source), style = Style(feature);
        Tensor decoded = Modulate(feature, style);
        Tensor stained = highres_outconv.forward(decoder2.forward(decoded)), small = lowres_outconv.forward(decoded);
        return (stained.MoveToOuterDisposeScope(), small.MoveToOuterDisposeScope(),
            classify_head.forward(style).MoveToOuterDisposeScope());
    }

    /// <summary>Stains images; the logits are followed by the style [N,levels + style], which all tiles of a slide share.</summary>
    /// <param name="source">The images.</param>
    /// <param name="logits">Logits and style to stain with, [1,levels + style]; null for each image's own.</param>
    public (Tensor Stained, Tensor Logits) Stain(Tensor source, Tensor? logits = null)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor feature = Encode(source);
        if (logits is null)
        {
            Tensor own = Style(feature);
            logits = torch.cat([classify_head.forward(own), own], 1);
        }
        else logits = logits.expand(source.size(0), -1);
        Tensor style = logits.narrow(1, levels, logits.size(1) - levels);
        Tensor stained = highres_outconv.forward(decoder2.forward(Modulate(feature, style)));
        return (stained.MoveToOuterDisposeScope(), logits.MoveToOuterDisposeScope());
    }

    /// <summary>The stained images alone.</summary>
    public override Tensor forward(Tensor source)
    {
        (Tensor stained, Tensor logits) = Stain(source);
        logits.Dispose();
        return stained;
    }

    private Tensor Encode(Tensor source) => encoder1.forward(inconv.forward(source));

    private Tensor Style(Tensor feature) => encoder2.forward(feature).mean([2, 3]);

    private Tensor Modulate(Tensor feature, Tensor style)
    {
        foreach (ModulatedBlock block in decoder1) feature = block.forward(feature, style);
        return feature;
    }

    /// <summary>Reflected padding, convolution, batch norm, leaky ReLU.</summary>
    internal sealed class ConvBlock : Module<Tensor, Tensor>
    {
        private readonly Sequential conv;

        /// <param name="inputs">Channels in.</param>
        /// <param name="outputs">Channels out.</param>
        /// <param name="kernel">Side of the kernel.</param>
        /// <param name="stride">Stride of the convolution.</param>
        /// <param name="padding">Reflected pixels at each side.</param>
        public ConvBlock(int inputs, int outputs, int kernel, int stride, int padding) => conv = register_module("conv", new Sequential(
            [new ReflectionPad2d(padding), new Conv2d(inputs, outputs, kernel, stride: stride, bias: false), new BatchNorm2d(outputs),
                new LeakyReLU(0.2, inplace: true)]));

        /// <inheritdoc/>
        public override Tensor forward(Tensor x) => conv.forward(x);
    }

    private sealed class UpBlock : Module<Tensor, Tensor>
    {
        private readonly Sequential conv;

        public UpBlock(int inputs, int outputs) => conv = register_module("conv", new Sequential(
            [new ConvTranspose2d(inputs, outputs, 3, stride: 2, padding: 1, output_padding: 1, bias: false), new BatchNorm2d(outputs),
                new LeakyReLU(0.2, inplace: true)]));

        public override Tensor forward(Tensor x) => conv.forward(x);
    }
}

/// <summary>
/// Residual block of BCIStainer (ResnetModBlock): two convolutions modulated by linear maps of the style, without norm, each followed by a
/// leaky ReLU; (x + branch) / sqrt(2). Feature [N,C,H,W] and style [N,C] to [N,C,H,W].
/// </summary>
internal sealed class ModulatedBlock : Module<Tensor, Tensor, Tensor>
{
    private readonly Linear style1, style2;
    private readonly ModulatedConv2d conv1, conv2;
    private readonly SimAM? attention;

    /// <param name="channels">Channels of feature and style.</param>
    /// <param name="attention">Whether SimAM closes the branch.</param>
    public ModulatedBlock(int channels, bool attention)
    {
        // The official weights are divided by the square root of the fan-in first, which is equal to a larger epsilon.
        double epsilon = 1e-8 * channels * 9;
        style1 = register_module("style1", new Linear(channels, channels));
        style2 = register_module("style2", new Linear(channels, channels));
        conv1 = register_module("conv1", new ModulatedConv2d(channels, channels, 3, bias: false, epsilon));
        conv2 = register_module("conv2", new ModulatedConv2d(channels, channels, 3, bias: false, epsilon));
        if (attention) this.attention = register_module("attention", new SimAM());
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor style)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor branch = F.leaky_relu(conv1.forward(x, style1.forward(style)), 0.2, inplace: true);
        branch = F.leaky_relu(conv2.forward(branch, style2.forward(style)), 0.2, inplace: true);
        if (attention is not null) branch = attention.forward(branch);
        return ((x + branch) * Math.Sqrt(0.5)).MoveToOuterDisposeScope();
    }
}
