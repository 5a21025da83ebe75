using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// The U-Net generator of pix2pix (Isola et al. 2017), built from the innermost block outwards. [N,Cin,H,W] to [N,Cout,H,W] in [-1,1];
/// H and W are multiples of 2^num_downs: 7 for unet_128, 8 for unet_256, 9 for unet_512.
/// State-dict keys are those of networks.UnetGenerator in the official repository.
/// </summary>
internal sealed class UnetGenerator : Module<Tensor, Tensor>
{
    private readonly UnetSkipConnectionBlock model;

    /// <param name="input_nc">Channels in.</param>
    /// <param name="output_nc">Channels out.</param>
    /// <param name="num_downs">Number of downsampling steps.</param>
    /// <param name="ngf">Channels of the outermost block; the inner ones have up to 8 times as many.</param>
    /// <param name="norm">The normalisation.</param>
    /// <param name="use_dropout">Dropout of one half in the blocks of 8 * ngf channels.</param>
    public UnetGenerator(int input_nc = 3, int output_nc = 3, int num_downs = 8, int ngf = 64, Norm norm = Norm.Batch,
        bool use_dropout = false)
    {
        var block = new UnetSkipConnectionBlock(ngf * 8, ngf * 8, norm: norm, innermost: true);
        for (int i = 0; i < num_downs - 5; i++)
            block = new UnetSkipConnectionBlock(ngf * 8, ngf * 8, submodule: block, norm: norm, use_dropout: use_dropout);
        block = new UnetSkipConnectionBlock(ngf * 4, ngf * 8, submodule: block, norm: norm);
        block = new UnetSkipConnectionBlock(ngf * 2, ngf * 4, submodule: block, norm: norm);
        block = new UnetSkipConnectionBlock(ngf, ngf * 2, submodule: block, norm: norm);
        model = register_module("model", new UnetSkipConnectionBlock(output_nc, ngf, input_nc, block, norm, outermost: true));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => model.forward(x);
}

/// <summary>Level of the U-Net: downsampling, inner levels, upsampling, and the input concatenated along the channels.</summary>
internal sealed class UnetSkipConnectionBlock : Module<Tensor, Tensor>
{
    private readonly bool outermost;
    private readonly Sequential model;

    /// <param name="outer_nc">Channels of the way up.</param>
    /// <param name="inner_nc">Channels inside.</param>
    /// <param name="input_nc">Channels in; as many as out if left out.</param>
    /// <param name="submodule">The next level, none for the innermost.</param>
    /// <param name="norm">The normalisation.</param>
    /// <param name="outermost">The first level: no skip, tanh at the end.</param>
    /// <param name="innermost">The last level.</param>
    /// <param name="use_dropout">Dropout at the end of the way up.</param>
    public UnetSkipConnectionBlock(int outer_nc, int inner_nc, int? input_nc = null, Module<Tensor, Tensor>? submodule = null,
        Norm norm = Norm.Batch, bool outermost = false, bool innermost = false, bool use_dropout = false)
    {
        this.outermost = outermost;
        bool bias = norm.NeedsBias();
        var down = new Conv2d(input_nc ?? outer_nc, inner_nc, 4, stride: 2, padding: 1, bias: bias);
        // The upward path receives skip and inner result; the innermost level has no skip.
        ConvTranspose2d Up(bool withBias) => new(innermost ? inner_nc : inner_nc * 2, outer_nc, 4, stride: 2, padding: 1, bias: withBias);

        List<Module<Tensor, Tensor>> layers;
        if (outermost) layers = [down, submodule!, new ReLU(), Up(true), new Tanh()];
        else if (innermost) layers = [new LeakyReLU(0.2), down, new ReLU(inplace: true), Up(bias), norm.Layer(outer_nc)];
        else layers = [new LeakyReLU(0.2), down, norm.Layer(inner_nc), submodule!, new ReLU(), Up(bias), norm.Layer(outer_nc)];
        if (use_dropout && !outermost && !innermost) layers.Add(new Dropout(0.5));
        model = register_module("model", new Sequential([.. layers]));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        if (outermost) return model.forward(x);
        // The official code activates in place, so the skip is activated too. Only attention gates see the difference.
        using Tensor activated = model.forward(x, ..1);
        return torch.cat([activated, model.forward(activated, 1..)], 1);
    }
}
