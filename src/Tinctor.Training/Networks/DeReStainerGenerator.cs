using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// DeReStainer's generator (Wei et al. 2024, Fig. 2): the DeStainer separates the haematoxylin and encodes it, f_level reads the level
/// of the slide from the feature, the feature fusion modulates the feature by the level, the ReStainer decodes it.
/// [N,3,H,W] to [N,3,H,W], both in [-1,1]; H and W are multiples of <see cref="SizeMultiple"/>, <see cref="SmallestSize"/> or more.
/// </summary>
internal sealed class DeReStainerGenerator : Module<Tensor, Tensor>, ILevelPredictor
{
    /// <summary>H and W are multiples of this: the DeStainer halves them three times.</summary>
    public const int SizeMultiple = 8;

    /// <summary>The smallest H and W: f_H and f_level halve them twice more.</summary>
    public const int SmallestSize = 32;

    private readonly StainSeparation stains;
    private readonly bool probabilities, byFeature;
    private readonly int levels;
    private readonly Sequential destainer, alignment, f_level, restainer;
    private readonly Linear level;
    private readonly ModuleList<FusionBlock> fusion;

    /// <param name="stains">Separates the stains; the first is haematoxylin.</param>
    /// <param name="ngf">Channels of the first convolution; the feature has 4 times as many, f_H and f_level 8 times.</param>
    /// <param name="levels">Number of IHC levels.</param>
    /// <param name="n_blocks">Blocks of the feature fusion.</param>
    /// <param name="simam">Position of SimAM: "branch", before the sum, or "block", after it.</param>
    /// <param name="style">Modulation of the feature: "logits" or "probabilities" of the levels, or the pooled "feature".</param>
    /// <param name="norm">Normalisation after the fusion's convolutions, as in a typical ResNet block.</param>
    /// <param name="upsample">Upsampling of the ReStainer: "transpose" (convolution) or "resize" (nearest and convolution).</param>
    /// <param name="block">Blocks of the feature fusion: "resnet", or "bcistainer" without norm, scaled by 1 / sqrt(2).</param>
    public DeReStainerGenerator(StainSeparation stains, int ngf = 64, int levels = 4, int n_blocks = 9, string simam = "branch",
        string style = "logits", Norm norm = Norm.Batch, string upsample = "transpose",
        string block = "resnet")
    {
        OneOf(simam, "branch", "block");
        OneOf(style, "logits", "probabilities", "feature");
        OneOf(block, "resnet", "bcistainer");
        OneOf(upsample, "transpose", "resize");
        this.stains = stains;
        (probabilities, byFeature, this.levels) = (style == "probabilities", style == "feature", levels);
        bool scaled = block == "bcistainer";
        int channels = ngf * 4;
        destainer = register_module("destainer", new Sequential([.. Down(3, ngf), .. Down(ngf, ngf * 2), .. Down(ngf * 2, channels)]));
        alignment = register_module("f_H", new Sequential([.. Down(channels, ngf * 8), .. Down(ngf * 8, ngf * 8)]));
        f_level = register_module("f_level", new Sequential([.. Down(channels, ngf * 8), .. Down(ngf * 8, ngf * 8)]));
        level = register_module("level", new Linear(ngf * 8, levels));
        fusion = register_module("fusion", new ModuleList<FusionBlock>(
            [.. Enumerable.Range(0, n_blocks).Select(_ => new FusionBlock(channels, byFeature ? ngf * 8 : levels,
                scaled ? Norm.None : norm, attendToSum: simam == "block", scaled))]));
        restainer = register_module("restainer", new Sequential(
        [
            .. Up(channels, ngf * 2, upsample), new BatchNorm2d(ngf * 2), new LeakyReLU(0.2, inplace: true),
            .. Up(ngf * 2, ngf, upsample), new BatchNorm2d(ngf), new LeakyReLU(0.2, inplace: true),
            .. Up(ngf, 3, upsample, bias: true), new Tanh(),
        ]));
    }

    /// <summary>Computes images of the haematoxylin only: [N,3,H,W] in [-1,1] to the same, as float32 or double.</summary>
    public Tensor Haematoxylin(Tensor image)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return (stains.Project((image + 1) / 2, 0) * 2 - 1).MoveToOuterDisposeScope();
    }

    /// <summary>The DeStainer's feature [N,4 ngf,H/8,W/8] of haematoxylin images.</summary>
    public Tensor Encode(Tensor haematoxylin)
    {
        long height = haematoxylin.size(2), width = haematoxylin.size(3);
        if (height % SizeMultiple != 0 || width % SizeMultiple != 0 || Math.Min(height, width) < SmallestSize)
            throw new ArgumentException(
                $"DeReStainer takes heights and widths that are multiples of {SizeMultiple} from {SmallestSize} on, got {height}x{width}");
        return destainer.forward(haematoxylin);
    }

    /// <summary>Maps the feature to [N,8 ngf,H/32,W/32], in which L_H compares the haematoxylin of both stains.</summary>
    public Tensor f_H(Tensor feature) => alignment.forward(feature);

    /// <summary>
    /// The stained images, the logits of their levels [N,levels], followed by the style if it is the pooled feature, and the feature
    /// that both were made from.
    /// </summary>
    /// <param name="source">The images.</param>
    /// <param name="given">The logits (and style) to stain at, one row, in place of those that the images show.</param>
    public (Tensor Stained, Tensor Logits, Tensor Feature) Run(Tensor source, Tensor? given = null)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor feature = Encode(Haematoxylin(source));
        Tensor logits = given?.expand(source.size(0), -1) ?? Logits(f_level.forward(feature).mean([2, 3]));
        Tensor style = probabilities ? F.softmax(logits, -1) : byFeature ? logits.narrow(1, levels, logits.size(1) - levels) : logits;
        Tensor fused = feature;
        foreach (FusionBlock block in fusion)
        {
            Tensor next = block.forward(fused, style);
            if (fused != feature) fused.Dispose();
            fused = next;
        }
        Tensor stained = restainer.forward(fused);
        return (stained.MoveToOuterDisposeScope(), logits.MoveToOuterDisposeScope(), feature.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public (Tensor Stained, Tensor Logits) Stain(Tensor source, Tensor? logits = null)
    {
        (Tensor stained, logits, Tensor feature) = Run(source, logits);
        feature.Dispose();
        return (stained, logits);
    }

    /// <summary>The stained images alone.</summary>
    public override Tensor forward(Tensor source)
    {
        (Tensor stained, Tensor logits) = Stain(source);
        logits.Dispose();
        return stained;
    }

    private Tensor Logits(Tensor pooled) => byFeature ? torch.cat([level.forward(pooled), pooled], 1) : level.forward(pooled);

    private static Module<Tensor, Tensor>[] Down(int inputs, int outputs) =>
        [new Conv2d(inputs, outputs, 4, stride: 2, padding: 1, bias: false), new BatchNorm2d(outputs), new LeakyReLU(0.2, inplace: true)];

    private static Module<Tensor, Tensor>[] Up(int inputs, int outputs, string upsample, bool bias = false) => upsample == "resize"
        ? [new Upsample(scale_factor: 2), new Conv2d(inputs, outputs, 3, padding: 1, bias: bias, padding_mode: "reflect")]
        : [new ConvTranspose2d(inputs, outputs, 4, stride: 2, padding: 1, bias: bias)];

    private static void OneOf(string value, params ReadOnlySpan<string> choices)
    {
        if (!choices.Contains(value)) throw new ArgumentException($"'{value}' is none of {string.Join(", ", choices)}");
    }
}

/// <summary>
/// A block of the feature fusion, x + conv(conv(x)): both convolutions modulated by the level and normalised, the first one rectified;
/// closed by SimAM. Scaled as in BCIStainer: both convolutions rectified, and the sum divided by sqrt(2).
/// Feature [N,C,H,W] and level [N,levels] to [N,C,H,W].
/// </summary>
internal sealed class FusionBlock : Module<Tensor, Tensor, Tensor>
{
    private readonly ModulatedConv2d conv1, conv2;
    private readonly Linear style1, style2;
    private readonly Module<Tensor, Tensor> norm1, norm2;
    private readonly SimAM attention;
    private readonly bool attendToSum, scaled;

    /// <param name="channels">Channels in and out.</param>
    /// <param name="levels">Length of the level's vector.</param>
    /// <param name="norm">The normalisation; without one, features grow from block to block.</param>
    /// <param name="attendToSum">Whether attention follows the sum; otherwise it precedes the sum.</param>
    /// <param name="scaled">Whether both convolutions are rectified and the sum is divided by sqrt(2).</param>
    public FusionBlock(int channels, int levels, Norm norm, bool attendToSum, bool scaled)
    {
        conv1 = register_module("conv1", new ModulatedConv2d(channels, channels, 3));
        style1 = register_module("style1", Style(levels, channels));
        norm1 = register_module("norm1", norm.Layer(channels));
        conv2 = register_module("conv2", new ModulatedConv2d(channels, channels, 3));
        style2 = register_module("style2", Style(levels, channels));
        norm2 = register_module("norm2", norm.Layer(channels));
        attention = register_module("attention", new SimAM());
        (this.attendToSum, this.scaled) = (attendToSum, scaled);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor level)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor branch = F.leaky_relu(norm1.forward(conv1.forward(x, style1.forward(level))), 0.2, inplace: true);
        branch = norm2.forward(conv2.forward(branch, style2.forward(level)));
        if (scaled) branch = F.leaky_relu(branch, 0.2, inplace: true);
        Tensor sum = attendToSum ? attention.forward(x + branch) : x + attention.forward(branch);
        return (scaled ? sum * Math.Sqrt(0.5) : sum).MoveToOuterDisposeScope();
    }

    // Initially near 0, for nearly no modulation.
    private static Linear Style(int levels, int channels)
    {
        var style = new Linear(levels, channels);
        init.normal_(style.weight, 0, 0.02);
        init.zeros_(style.bias!);
        return style;
    }
}
