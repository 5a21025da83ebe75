using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Discriminators of pix2pixHD (Wang et al. 2018, section 3.2): a PatchGAN for the image, others for the image halved, whose layers are
/// also compared. State-dict keys are those of networks.MultiscaleDiscriminator in NVIDIA/pix2pixHD; the last scale there sees full size.
/// </summary>
internal sealed class Pix2PixHdDiscriminator : Module
{
    private const int MostChannels = 512;

    // Parts of each scale, the finest scale first.
    private readonly Sequential[][] scales;

    /// <param name="input_nc">Channels in: source and target together.</param>
    /// <param name="ndf">Channels of each first convolution; doubled by each layer, up to 512.</param>
    /// <param name="n_layers">Number of strided convolutions of each.</param>
    /// <param name="norm">The normalisation.</param>
    /// <param name="num_D">Number of scales.</param>
    /// <param name="getIntermFeat">Whether each layer has a result of its own.</param>
    public Pix2PixHdDiscriminator(int input_nc, int ndf, int n_layers, Norm norm, int num_D, bool getIntermFeat)
    {
        scales = new Sequential[num_D][];
        for (int i = 0; i < num_D; i++)
        {
            Module<Tensor, Tensor>[][] layers = [.. Layers(input_nc, ndf, n_layers, norm)];
            scales[num_D - 1 - i] = getIntermFeat
                ? [.. layers.Select((layer, j) => register_module($"scale{i}_layer{j}", new Sequential(layer)))]
                : [register_module($"layer{i}", new Sequential([.. layers.SelectMany(layer => layer)]))];
        }
    }

    /// <summary>[N,C,H,W] to the results of each scale, the finest first: those of its layers, the logits [N,1,h,w] last.</summary>
    public Tensor[][] Scales(Tensor x)
    {
        var results = new Tensor[scales.Length][];
        for (int i = 0; i < scales.Length; i++)
        {
            if (i > 0) x = F.avg_pool2d(x, 3, stride: 2, padding: 1, count_include_pad: false);
            Tensor y = x;
            results[i] = [.. scales[i].Select(layer => y = layer.forward(y))];
        }
        return results;
    }

    private static IEnumerable<Module<Tensor, Tensor>[]> Layers(int input_nc, int ndf, int n_layers, Norm norm)
    {
        const int kernel = 4, padding = 2;
        yield return [new Conv2d(input_nc, ndf, kernel, stride: 2, padding: padding), new LeakyReLU(0.2, inplace: true)];
        int channels = ndf;
        for (int n = 1; n <= n_layers; n++)
        {
            int wider = Math.Min(channels * 2, MostChannels);
            yield return
            [
                new Conv2d(channels, wider, kernel, stride: n < n_layers ? 2 : 1, padding: padding), norm.Layer(wider),
                new LeakyReLU(0.2, inplace: true),
            ];
            channels = wider;
        }
        yield return [new Conv2d(channels, 1, kernel, padding: padding)];
    }
}
