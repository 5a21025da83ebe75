using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>Architecture of CEFF where paper and official code differ; see docs/methods/ceff.md.</summary>
public enum CeffVariant
{
    /// <summary>The code: strided convolutions shrink, h3 is a convolution alone, states go into blocks 2, 3 and 4.</summary>
    Official,

    /// <summary>
    /// The text: wavelet convolutions shrink, h3 comes from the GRU too, states are added to what blocks 2, 3 and 4 give.
    /// </summary>
    Paper,
}

/// <summary>
/// CEFF's generator (Jia et al. 2025, Fig. 1a): the VMFE extracts features at full, half and a quarter of the size, which pass the MSFPM
/// from coarse to fine; its states are added along the residual blocks, into whose first feature the frozen H&amp;E encoder's feature is
/// fused by cross-attention. [N,3,H,W] to [N,3,H,W], both in [-1,1]; H and W are multiples of <see cref="SizeMultiple"/>.
/// State-dict keys are those of networks.CEFF, whose encoder_IHC has no part in staining and is not here.
/// </summary>
internal sealed class CeffGenerator : Module<Tensor, Tensor>
{
    private readonly MultiScaleExtractor? encoder;
    private readonly Sequential? plain;
    private readonly CeffBody generator;
    private readonly CeffEncoder? encoder_fusion;
    private readonly int grid;

    /// <param name="variant">Architecture of the code or the paper.</param>
    /// <param name="ngf">Channels at full size; at half of it twice as many, at a quarter four times.</param>
    /// <param name="feature_dim">Length of the encoder's embedding, which staining does not use.</param>
    /// <param name="vmfe">False for the paper's ablation: the convolutions of a usual ResNet generator, and no MSFPM.</param>
    /// <param name="fusion">False for the paper's ablation without the encoder and its cross-attention.</param>
    /// <param name="alpha">Weight of the encoder's feature.</param>
    /// <param name="grid">Number of rows and columns of tiles for the encoder.</param>
    public CeffGenerator(CeffVariant variant = CeffVariant.Official, int ngf = 64, int feature_dim = 1024, bool vmfe = true,
        bool fusion = true, double alpha = 0.2, int grid = 2)
    {
        this.grid = grid;
        if (vmfe) encoder = register_module("encoder", new MultiScaleExtractor(ngf, variant));
        else plain = register_module("encoder", new Sequential([.. ResnetGenerator.Down(3, ngf, Norm.Batch)]));
        generator = register_module("generator", new CeffBody(ngf, variant, vmfe, fusion, alpha));
        if (fusion) encoder_fusion = register_module("encoder_fusion", new CeffEncoder(ngf, feature_dim));
    }

    /// <summary>H and W are multiples of this: a quarter of the size in each tile of the encoder.</summary>
    public int SizeMultiple => encoder_fusion is null ? CeffEncoder.FeatureScale : CeffEncoder.FeatureScale * grid;

    /// <summary>The H&amp;E encoder, which is trained beforehand; null without fusion.</summary>
    public CeffEncoder? SourceEncoder => encoder_fusion;

    /// <inheritdoc/>
    public override Tensor forward(Tensor source)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor[] features = encoder is not null ? encoder.Features(source) : [plain!.forward(source)];
        // By tile, as in the encoder's training, because of its batch norm.
        Tensor? guide = encoder_fusion is null ? null
            : TensorTiles.Join([.. TensorTiles.Cut(source, grid).Select(encoder_fusion.Feature)], grid);
        return generator.Stain(features, guide).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// The VMFE's extractor (networks.ResnetEncoder_): a convolution and a wavelet convolution at full size, then two stages of residual
/// blocks, each of half the size and twice the channels. Its features are X1, X2, X3.
/// </summary>
internal sealed class MultiScaleExtractor : Module
{
    private readonly ModuleList<Sequential> layers;

    public MultiScaleExtractor(int ngf, CeffVariant variant)
    {
        layers = register_module("layers", new ModuleList<Sequential>(
            new Sequential(
                new ReflectionPad2d(1), new Conv2d(3, ngf, 3, bias: false), new BatchNorm2d(ngf), new ReLU(inplace: true),
                new WaveletConv2d(ngf, kernel_size: 7, wt_levels: 3), new BatchNorm2d(ngf), new ReLU(inplace: true)),
            Stage(ngf), Stage(ngf * 2)));

        Sequential Stage(int inputs) =>
            new(new WaveletBlock(inputs, inputs * 2, stride: 2, variant), new WaveletBlock(inputs * 2, inputs * 2, stride: 1, variant));
    }

    /// <summary>[N,ngf,H,W], [N,2 ngf,H/2,W/2] and [N,4 ngf,H/4,W/4].</summary>
    public Tensor[] Features(Tensor image)
    {
        var features = new Tensor[layers.Count];
        for (int i = 0; i < features.Length; i++) features[i] = layers[i].forward(i == 0 ? image : features[i - 1]);
        return features;
    }
}

/// <summary>A residual block of a convolution and a wavelet convolution (networks.ResidualBlock).</summary>
internal sealed class WaveletBlock : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1, bn2;
    private readonly WaveletConv2d conv2;
    private readonly Sequential? shortcut;
    private readonly int waveletStride;

    public WaveletBlock(int inputs, int outputs, int stride, CeffVariant variant)
    {
        waveletStride = variant == CeffVariant.Paper ? stride : 1;
        conv1 = register_module("conv1", new Conv2d(inputs, outputs, 3, stride: stride / waveletStride, padding: 1));
        bn1 = register_module("bn1", new BatchNorm2d(outputs));
        conv2 = register_module("conv2", new WaveletConv2d(outputs, kernel_size: 3, wt_levels: 1));
        bn2 = register_module("bn2", new BatchNorm2d(outputs));
        if (stride == 1 && inputs == outputs) return;
        shortcut = register_module("shortcut",
            new Sequential(new Conv2d(inputs, outputs, 1, stride: stride, bias: false), new BatchNorm2d(outputs)));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor y = conv2.forward(F.relu(bn1.forward(conv1.forward(x)), inplace: true));
        if (waveletStride > 1) y = y[TensorIndex.Ellipsis, TensorIndex.Slice(step: 2), TensorIndex.Slice(step: 2)];
        return F.relu(bn2.forward(y) + (shortcut?.forward(x) ?? x), inplace: true).MoveToOuterDisposeScope();
    }
}

/// <summary>The MSFPM, the residual blocks at a quarter of the size, and the upsampling layers (networks.Gru_gan_G).</summary>
internal sealed class CeffBody : Module
{
    private const int Blocks = 6;
    private readonly Sequential? convX1, convX2, convX3;
    private readonly ModuleList<Module> block;
    private readonly Sequential downsample;
    private readonly ConvGru? gru;
    private readonly CeffVariant variant;

    public CeffBody(int ngf, CeffVariant variant, bool vmfe, bool fusion, double alpha)
    {
        this.variant = variant;
        int channels = ngf * 4;
        if (vmfe)
        {
            convX1 = register_module("convX1", new Sequential(
                [.. Conv(ngf, ngf * 2, 2), new LeakyReLU(inplace: true), .. Conv(ngf * 2, channels, 2), new Tanh()]));
            convX2 = register_module("convX2", new Sequential(
                [.. Conv(ngf * 2, ngf * 3, 2), new LeakyReLU(inplace: true), .. Conv(ngf * 3, channels, 1), new Tanh()]));
            convX3 = register_module("convX3", new Sequential([.. Conv(channels, channels, 1), new Tanh()]));
            gru = register_module("gru", new ConvGru(channels));
        }
        block = register_module("block", new ModuleList<Module>(
        [
            fusion ? new CrossAttentionFusion(channels, alpha) : new Identity(),
            .. Enumerable.Range(0, Blocks).Select(_ => new ResnetBlock(channels, "reflect", Norm.Batch, use_dropout: false)),
        ]));
        downsample = register_module("downsample", new Sequential([.. ResnetGenerator.Up(ngf, 3, Norm.Batch)]));
    }

    /// <summary>
    /// From the extractor's features, the smallest last, and the encoder's feature (null without fusion) to the stained image.
    /// </summary>
    public Tensor Stain(Tensor[] features, Tensor? guide)
    {
        Tensor x = features[^1];
        if (guide is not null) x = ((CrossAttentionFusion)block[0]).forward(x, guide);
        Tensor[] states = gru is null ? [] : States(features);
        // The code adds h3, h2, h1 to what goes into blocks 2, 3 and 4, the paper to what comes out of them.
        int first = variant == CeffVariant.Official ? 1 : 2;
        for (int i = 1; i <= Blocks; i++)
        {
            x = ((ResnetBlock)block[i]).forward(x);
            if (i >= first && i - first < states.Length) x += states[i - first];
        }
        return downsample.forward(x);
    }

    // h3, h2, h1.
    private Tensor[] States(Tensor[] features)
    {
        Tensor x3 = convX3!.forward(features[2]);
        Tensor h3 = variant == CeffVariant.Official ? x3 : gru!.forward(torch.zeros_like(x3), x3);
        Tensor h2 = gru!.forward(h3, convX2!.forward(features[1]));
        return [h3, h2, gru.forward(h2, convX1!.forward(features[0]))];
    }

    private static Module<Tensor, Tensor>[] Conv(int inputs, int outputs, int stride) =>
        [new ReflectionPad2d(1), new Conv2d(inputs, outputs, 3, stride: stride)];
}

/// <summary>A gated recurrent unit whose gates are convolutions (networks.ConvGRU). State and input [N,C,H,W] to the next state.</summary>
internal sealed class ConvGru : Module<Tensor, Tensor, Tensor>
{
    private readonly Conv2d convz, convr, convq;

    public ConvGru(int channels)
    {
        convz = register_module("convz", Gate());
        convr = register_module("convr", Gate());
        convq = register_module("convq", Gate());

        Conv2d Gate() => new(channels * 2, channels, 3, padding: 1);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor h, Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor both = torch.cat([h, x], 1);
        Tensor z = convz.forward(both).sigmoid(), r = convr.forward(both).sigmoid();
        Tensor q = convq.forward(torch.cat([r * h, x], 1)).tanh();
        return ((1 - z) * h + z * q).MoveToOuterDisposeScope();
    }
}
