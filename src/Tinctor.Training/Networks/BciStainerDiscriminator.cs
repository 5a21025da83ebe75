using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Discriminator of BCIStainer (MultiscaleDiscriminator in libs/models/D.py of quqixun/BCIStainer): one PatchGAN for the image, others for
/// the image halved. Unlike pix2pixHD's, borders are reflected, the first layer is normalised too, and images are halved bilinearly.
/// </summary>
internal sealed class BciStainerDiscriminator : Module
{
    private readonly Sequential[] scales;

    /// <param name="inputs">Channels of the image: those of the target, and of the source for a conditional discriminator.</param>
    /// <param name="ndf">Channels of each first convolution; later ones have up to 8 times as many.</param>
    /// <param name="n_layers">Number of strided convolutions of each.</param>
    /// <param name="num_D">Number of scales.</param>
    public BciStainerDiscriminator(int inputs, int ndf = 32, int n_layers = 3, int num_D = 2)
    {
        scales = [.. Enumerable.Range(0, num_D).Select(i => register_module($"layer{i}", PatchGan(inputs, ndf, n_layers)))];
        // The last layer sees the full resolution.
        Array.Reverse(scales);
    }

    /// <summary>[N,C,H,W] to logits [N,1,h,w] of each scale, the finest first.</summary>
    public Tensor[] Scales(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        var logits = new Tensor[scales.Length];
        for (int i = 0; i < scales.Length; i++)
        {
            if (i > 0) x = F.interpolate(x, scale_factor: 0.5, mode: "bilinear", align_corners: true);
            logits[i] = scales[i].forward(x).MoveToOuterDisposeScope();
        }
        return logits;
    }

    private static Sequential PatchGan(int inputs, int ndf, int n_layers)
    {
        List<Module<Tensor, Tensor>> layers = [];
        int channels = inputs;
        for (int n = 0; n <= n_layers; n++)
        {
            int wider = ndf * Math.Min(1 << n, 8);
            layers.Add(new BciStainerGenerator.ConvBlock(channels, wider, 4, stride: n < n_layers ? 2 : 1, padding: 1));
            channels = wider;
        }
        return new([.. layers, new Conv2d(channels, 1, 4, padding: 1)]);
    }
}
