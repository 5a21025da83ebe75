using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// U-Net generator of PyramidPix2pix whose skips pass an attention gate (Oktay et al. 2018). [N,Cin,H,W] to [N,Cout,H,W] in [-1,1]; H and W
/// are multiples of 32. State-dict keys are those of networks.Attention_UnetGenerator of bupt-ai-cz/BCI with five downsampling steps.
/// </summary>
internal sealed class AttentionUnetGenerator : Module<Tensor, Tensor>
{
    private readonly UnetSkipConnectionBlock model;

    /// <param name="input_nc">Channels in.</param>
    /// <param name="output_nc">Channels out.</param>
    /// <param name="ngf">Channels of the outermost block; the inner ones have up to 8 times as many.</param>
    /// <param name="norm">The normalisation; gates always have batch norm.</param>
    public AttentionUnetGenerator(int input_nc = 3, int output_nc = 3, int ngf = 64, Norm norm = Norm.Batch)
    {
        Module<Tensor, Tensor> block = new UnetSkipConnectionBlock(ngf * 8, ngf * 8, norm: norm, innermost: true);
        foreach (int channels in new[] { ngf * 4, ngf * 2, ngf })
            block = new AttentionSkipConnectionBlock(channels, channels * 2, block, norm);
        model = register_module("model", new UnetSkipConnectionBlock(output_nc, ngf, input_nc, block, norm, outermost: true));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => model.forward(x);
}

/// <summary>Level of the U-Net whose input, before it is concatenated, is weighted by a gate that sees the level below.</summary>
internal sealed class AttentionSkipConnectionBlock : Module<Tensor, Tensor>
{
    private readonly Sequential model, projection;
    private readonly Conv2d theta, phi, psi;
    private readonly int below;

    /// <param name="outer_nc">Channels in, and of the way up.</param>
    /// <param name="inner_nc">Channels inside.</param>
    /// <param name="submodule">The next level.</param>
    /// <param name="norm">The normalisation.</param>
    public AttentionSkipConnectionBlock(int outer_nc, int inner_nc, Module<Tensor, Tensor> submodule, Norm norm)
    {
        bool bias = norm.NeedsBias();
        projection = register_module("W", new Sequential(new Conv2d(outer_nc, outer_nc, 1), new BatchNorm2d(outer_nc)));
        theta = register_module("theta", new Conv2d(outer_nc, outer_nc, 2, stride: 2, bias: false));
        phi = register_module("phi", new Conv2d(inner_nc * 2, outer_nc, 1));
        psi = register_module("psi", new Conv2d(outer_nc, 1, 1));
        Module<Tensor, Tensor>[] down =
            [new LeakyReLU(0.2), new Conv2d(outer_nc, inner_nc, 4, stride: 2, padding: 1, bias: bias), norm.Layer(inner_nc), submodule];
        below = down.Length;
        model = register_module("model", new Sequential([.. down, new ReLU(),
            new ConvTranspose2d(inner_nc * 2, outer_nc, 4, stride: 2, padding: 1, bias: bias), norm.Layer(outer_nc)]));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using Tensor inner = model.forward(x, ..below);
        using Tensor gate = torch.sigmoid(psi.forward(F.relu(theta.forward(x) + phi.forward(inner))));
        using Tensor attention = F.interpolate(gate, scale_factor: 2, mode: "bilinear");
        return torch.cat([projection.forward(attention * x), model.forward(inner, below..)], 1);
    }
}
