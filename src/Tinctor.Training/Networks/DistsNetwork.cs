using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Files;

namespace Tinctor.Training.Networks;

/// <summary>
/// Network of DISTS (Ding et al. 2020, arXiv 2004.07728): the images and five layers of VGG-16 with L2 pooling are compared channel by
/// channel, by their means (texture) and their covariance (structure), and the similarities are averaged with learnt weights.
/// </summary>
internal sealed class DistsNetwork : Module
{
    private const double Smallest = 1e-6;
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f], Std = [0.229f, 0.224f, 0.225f];
    private static readonly int[] Channels = [3, .. LpipsTrunk.Channels(LpipsNet.Vgg)];
    private readonly LpipsTrunk trunk;
    private readonly Tensor alpha, beta;

    /// <summary>Creates the network with equal weights of all channels and the default initialisation of PyTorch.</summary>
    public DistsNetwork()
    {
        trunk = register_module("trunk", new LpipsTrunk(LpipsNet.Vgg, l2Pooling: true));
        alpha = register_parameter("alpha", torch.ones([1, Channels.Sum(), 1, 1]))!;
        beta = register_parameter("beta", torch.ones([1, Channels.Sum(), 1, 1]))!;
    }

    /// <summary>Weights of the means and of the covariances, float32 [1, 1475, 1, 1] each.</summary>
    public IEnumerable<Tensor> ChannelWeights => [alpha, beta];

    /// <summary>Loads the weights.</summary>
    /// <param name="trunkWeights">Weights of VGG-16, with torchvision's keys without "features.".</param>
    /// <param name="channelWeights">alpha and beta, [1, 1475, 1, 1].</param>
    /// <exception cref="TinctorException">A weight is missing or has another shape.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> trunkWeights, IReadOnlyDictionary<string, Tensor> channelWeights)
    {
        trunk.load_state_dict(trunkWeights);
        using Guard quiet = torch.no_grad();
        foreach ((string name, Tensor own) in new[] { ("alpha", alpha), ("beta", beta) })
        {
            if (!channelWeights.TryGetValue(name, out Tensor? weight) || !weight.shape.SequenceEqual(own.shape))
                throw new TinctorException($"{name} of the shape [1,{Channels.Sum()},1,1] is missing");
            own.copy_(weight);
        }
    }

    /// <summary>Loads the network from files.</summary>
    /// <param name="trunkPath">Keys of torchvision's VGG-16 (<c>features.0.weight</c>).</param>
    /// <param name="weightsPath">The file weights.pt of the official repository: alpha and beta.</param>
    /// <exception cref="TinctorException">A file is damaged or does not hold these weights.</exception>
    public static DistsNetwork FromFiles(string trunkPath, string weightsPath)
    {
        var network = new DistsNetwork();
        try
        {
            network.Load(LpipsNetwork.TrunkWeights(StateDictFile.Load(trunkPath)), StateDictFile.Load(weightsPath));
        }
        catch (TinctorException e)
        {
            network.Dispose();
            throw new TinctorException($"{trunkPath}, {weightsPath}", $"not the weights of DISTS: {e.Message}",
                "Use torchvision's weights of VGG-16 and the file weights.pt published with DISTS", e);
        }
        network.eval();
        return network;
    }

    /// <summary>Computes the distances of images [N, 3, H, W] in [0, 1]; [N, 1, 1, 1].</summary>
    public Tensor Distance(Tensor first, Tensor second)
    {
        IReadOnlyList<Tensor> a = Features(first), b = Features(second);
        Tensor sum = alpha.sum() + beta.sum(), similarity = torch.zeros([1, 1, 1, 1]).to(first.device);
        int start = 0;
        foreach ((int layer, int channels) in Channels.Index())
        {
            Tensor means = alpha[.., start..(start + channels)] / sum, covariances = beta[.., start..(start + channels)] / sum;
            similarity = similarity + ((means * Texture(a[layer], b[layer])) + (covariances * Structure(a[layer], b[layer])))
                .sum([1], keepdim: true);
            start += channels;
        }
        return (similarity * -1) + 1;
    }

    private IReadOnlyList<Tensor> Features(Tensor image)
    {
        Tensor mean = torch.tensor<float>(Mean, [1, 3, 1, 1]).to(image.device);
        Tensor std = torch.tensor<float>(Std, [1, 3, 1, 1]).to(image.device);
        return [image, .. trunk.forward((image - mean) / std)];
    }

    private static Tensor Texture(Tensor a, Tensor b)
    {
        (Tensor x, Tensor y) = (SpatialMean(a), SpatialMean(b));
        return ((x * y * 2) + Smallest) / (x.pow(2) + y.pow(2) + Smallest);
    }

    private static Tensor Structure(Tensor a, Tensor b)
    {
        (Tensor x, Tensor y) = (SpatialMean(a), SpatialMean(b));
        // Equal to the mean of the products less the product of the means, but without its rounding error in float32.
        Tensor covariance = SpatialMean((a - x) * (b - y));
        return ((covariance * 2) + Smallest) / (SpatialMean((a - x).pow(2)) + SpatialMean((b - y).pow(2)) + Smallest);
    }

    private static Tensor SpatialMean(Tensor features) => features.mean([2, 3], keepdim: true);
}
