using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// The encoder of one stain in CEFF (Jia et al. 2025, section 2.2): two halvings and residual blocks at a quarter of the size, whose
/// feature guides the generator; four more halvings and a linear layer, which give an embedding. State-dict keys are those of
/// models/Encoder.py, ResnetEncoder.
/// </summary>
internal sealed class CeffEncoder : Module<Tensor, Tensor>
{
    /// <summary>Downsampling factor of the feature.</summary>
    public const int FeatureScale = 4;

    private readonly Sequential conv;
    private readonly Linear fc;
    private readonly int feature;

    /// <param name="ngf">Channels of the first convolution; the feature has 4 times as many.</param>
    /// <param name="feature_dim">Length of the embedding.</param>
    /// <param name="n_blocks">Residual blocks.</param>
    public CeffEncoder(int ngf = 64, int feature_dim = 1024, int n_blocks = 6)
    {
        feature = 10 + n_blocks; // behind the residual blocks
        conv = register_module("conv", new Sequential(
        [
            new ReflectionPad2d(3), new Conv2d(3, ngf, 7, bias: false), new BatchNorm2d(ngf), new ReLU(inplace: true),
            .. Halve(ngf, ngf * 2), .. Halve(ngf * 2, ngf * 4),
            .. Enumerable.Range(0, n_blocks).Select(_ => new ResnetBlock(ngf * 4, "reflect", Norm.Batch, use_dropout: false)),
            .. Halve(ngf * 4, ngf * 4), .. Halve(ngf * 4, ngf * 4), .. Halve(ngf * 4, ngf * 8), .. Halve(ngf * 8, ngf * 16),
            new AdaptiveAvgPool2d(2),
        ]));
        fc = register_module("fc", new Linear(ngf * 16 * 2 * 2, feature_dim));
    }

    /// <summary>The feature of images [N,3,H,W] in [-1,1]: [N,4 ngf,H/4,W/4].</summary>
    public Tensor Feature(Tensor image) => conv.forward(image, ..feature);

    /// <summary>The embedding of a <see cref="Feature"/>: [N,feature_dim], of any length.</summary>
    public Tensor Embed(Tensor feature)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return fc.forward(conv.forward(feature, this.feature..).flatten(1)).MoveToOuterDisposeScope();
    }

    /// <summary>The embedding of images [N,3,H,W] in [-1,1].</summary>
    public override Tensor forward(Tensor image)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return Embed(Feature(image)).MoveToOuterDisposeScope();
    }

    private static Module<Tensor, Tensor>[] Halve(int inputs, int outputs) =>
        [new Conv2d(inputs, outputs, 3, stride: 2, padding: 1, bias: false), new BatchNorm2d(outputs), new ReLU(inplace: true)];
}
