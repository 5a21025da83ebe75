using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// The shallow CNN that brings autofluorescence images to the size and channels of the stained ones (Zhang et al. 2024), trained together
/// with the bridge whose end it makes: [N,Cin,h,w], z-scored, to [N,Cout,factor h,factor w] of any range. With factor 5 it is the official
/// CompressCNN_upsample, state-dict keys included; the other factors follow its rule, channels times the factor twice, then a shuffle of
/// pixels.
/// </summary>
internal sealed class DimensionMatcher : Module<Tensor, Tensor>
{
    private readonly Sequential in_layers, conv_before_upsample, upsample;
    private readonly Conv2d conv_last;

    /// <param name="factor">Upscaling factor, 1 to 5; 4 and 5 in the paper.</param>
    /// <param name="input_nc">Channels in.</param>
    /// <param name="output_nc">Channels out.</param>
    /// <param name="width">Channels between.</param>
    public DimensionMatcher(int factor = 5, int input_nc = 4, int output_nc = 3, int width = 64)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 1);
        in_layers = register_module("in_layers", new Sequential(Conv(input_nc, width), new LeakyReLU()));
        conv_before_upsample = register_module("conv_before_upsample", new Sequential(Conv(width, width), new LeakyReLU()));
        upsample = register_module("upsample", new Sequential(
            Conv(width, width * factor), Conv(width * factor, width * factor * factor), new PixelShuffle(factor)));
        conv_last = register_module("conv_last", new Conv2d(width, output_nc, 1));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return conv_last.forward(upsample.forward(conv_before_upsample.forward(in_layers.forward(x)))).MoveToOuterDisposeScope();
    }

    private static Conv2d Conv(int inputs, int outputs) => new(inputs, outputs, 3, padding: 1);
}
