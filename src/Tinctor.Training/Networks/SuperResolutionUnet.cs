using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// The generator of the GAN that the super-resolution paper (Zhang et al. 2024) compares with: a U-Net over the low-resolution image and a
/// head that enlarges its feature. [N,Cin,h,w] of any range, z-scored first, or z-scored already, to [N,Cout,factor h,factor w] in [-1,1],
/// for any h and w.
/// </summary>
/// <remarks>
/// The paper's text at hand says no more than that, and its code lacks the network. Ours is: the body, Ronneberger's U-Net with batch norm
/// (<see cref="SegmentationUnet"/>), whose last layer gives a feature instead of logits; the head, sub-pixel convolution (Shi et al. 2016)
/// and one convolution at the full size; tanh.
/// </remarks>
internal sealed class SuperResolutionUnet : Module<Tensor, Tensor>
{
    private readonly ZScore? standardise;
    private readonly SegmentationUnet body;
    private readonly Sequential head;

    /// <param name="factor">Upscaling factor.</param>
    /// <param name="input_nc">Channels in.</param>
    /// <param name="output_nc">Channels out.</param>
    /// <param name="width">Channels at the size of the input, and at that of the result.</param>
    /// <param name="depth">Number of downsampling steps.</param>
    /// <param name="standardise">Whether the network z-scores its input; otherwise the input is z-scored.</param>
    public SuperResolutionUnet(int factor = 5, int input_nc = 4, int output_nc = 3, int width = 64, int depth = 4,
        bool standardise = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 1);
        if (standardise) this.standardise = register_module("standardise", new ZScore());
        body = register_module("body", new SegmentationUnet(input_nc, width, width, depth));
        head = register_module("head", new Sequential(
            new Conv2d(width, width * factor * factor, 3, padding: 1), new PixelShuffle(factor), new LeakyReLU(0.2),
            new Conv2d(width, output_nc, 3, padding: 1), new Tanh()));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return head.forward(body.forward(standardise?.forward(x) ?? x)).MoveToOuterDisposeScope();
    }
}
