using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// pix2pixHD's discriminator (Wang et al. 2018): one PatchGAN for the image, others of the same build for the image halved, and halved
/// again. State-dict keys are those of <see cref="NLayerDiscriminator"/> behind scale0 (the finest), scale1, ...
/// </summary>
public sealed class MultiscaleDiscriminator : Module
{
    private readonly NLayerDiscriminator[] scales;

    /// <param name="input_nc">Channels in: source and target together for a conditional discriminator.</param>
    /// <param name="ndf">Channels of each first convolution; later ones have up to 8 times as many.</param>
    /// <param name="n_layers">Number of strided convolutions of each.</param>
    /// <param name="norm">The normalisation.</param>
    /// <param name="num_D">Number of scales; two for 512-pixel images at 512 and 256.</param>
    public MultiscaleDiscriminator(int input_nc, int ndf = 64, int n_layers = 3, Norm norm = Norm.Instance, int num_D = 2) =>
        scales = [.. Enumerable.Range(0, num_D).Select(i =>
            register_module($"scale{i}", new NLayerDiscriminator(input_nc, ndf, n_layers, norm)))];

    /// <summary>[N,C,H,W] to logits [N,1,h,w] of each scale, the finest first.</summary>
    public Tensor[] Scales(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        var logits = new Tensor[scales.Length];
        for (int i = 0; i < scales.Length; i++)
        {
            if (i > 0) x = F.avg_pool2d(x, 3, stride: 2, padding: 1, count_include_pad: false);
            logits[i] = scales[i].forward(x).MoveToOuterDisposeScope();
        }
        return logits;
    }
}
