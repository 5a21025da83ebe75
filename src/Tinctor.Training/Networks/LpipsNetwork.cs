using System.Text.RegularExpressions;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Files;

namespace Tinctor.Training.Networks;

/// <summary>
/// Network of LPIPS 0.1 (Zhang et al. 2018, lpips.LPIPS): at each tapped layer of the trunk, features of both images are normalised to unit
/// length across channels, their squared difference is weighted by the learnt linear layer and averaged over the image.
/// </summary>
internal sealed partial class LpipsNetwork : Module
{
    private static readonly float[] Shift = [-0.030f, -0.088f, -0.188f], Scale = [0.458f, 0.448f, 0.450f];
    private readonly LpipsTrunk trunk;
    private readonly Conv2d[] lin;

    /// <summary>Creates the network with the default initialisation of PyTorch.</summary>
    public LpipsNetwork(LpipsNet net)
    {
        trunk = register_module("trunk", new LpipsTrunk(net));
        lin = [.. LpipsTrunk.Channels(net).Select((channels, layer) =>
            register_module($"lin{layer}", new Conv2d(channels, 1, 1, bias: false)))];
    }

    /// <summary>Loads the weights.</summary>
    /// <param name="trunkWeights">Weights of the trunk, with torchvision's keys without "features.".</param>
    /// <param name="linWeights">Keys of lpips: <c>lin0.model.1.weight</c> or <c>lins.0.model.1.weight</c>, [1, C, 1, 1] each.</param>
    /// <exception cref="TinctorException">A weight is missing or has another shape.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> trunkWeights, IReadOnlyDictionary<string, Tensor> linWeights)
    {
        trunk.load_state_dict(trunkWeights);
        for (int layer = 0; layer < lin.Length; layer++)
        {
            Tensor weight = linWeights.GetValueOrDefault($"lin{layer}.model.1.weight")
                ?? linWeights.GetValueOrDefault($"lins.{layer}.model.1.weight")
                ?? throw new TinctorException($"lin{layer}.model.1.weight is missing");
            lin[layer].load_state_dict(new Dictionary<string, Tensor> { ["weight"] = weight });
        }
    }

    /// <summary>Loads the network from files.</summary>
    /// <param name="net">Network of the trunk.</param>
    /// <param name="trunkPath">Keys of torchvision (<c>features.0.weight</c>) or of lpips (<c>net.slice1.0.weight</c>).</param>
    /// <param name="linPath">Keys of lpips: <c>lin0.model.1.weight</c> or <c>lins.0.model.1.weight</c>.</param>
    /// <exception cref="TinctorException">A file is damaged or does not hold the weights of this network.</exception>
    public static LpipsNetwork FromFiles(LpipsNet net, string trunkPath, string linPath)
    {
        var network = new LpipsNetwork(net);
        try
        {
            network.Load(TrunkWeights(StateDictFile.Load(trunkPath)), StateDictFile.Load(linPath));
        }
        catch (TinctorException e)
        {
            network.Dispose();
            throw new TinctorException($"{trunkPath}, {linPath}", $"not the weights of LPIPS with {net.ToString().ToLowerInvariant()}: "
                + e.Message, "Use torchvision's weights of this network and the linear weights published with LPIPS 0.1", e);
        }
        network.eval();
        return network;
    }

    /// <summary>Selects the weights of a network's trunk by the keys of torchvision or lpips, and names them as the trunk does.</summary>
    internal static IReadOnlyDictionary<string, Tensor> TrunkWeights(IReadOnlyDictionary<string, Tensor> weights) =>
        weights.Select(w => (Match: TrunkKey().Match(w.Key), w.Value)).Where(w => w.Match.Success)
            .ToDictionary(w => w.Match.Groups[1].Value, w => w.Value);

    /// <summary>Weights of the linear layers, float32 [1, C, 1, 1] each.</summary>
    public IEnumerable<Tensor> LinearWeights => lin.Select(layer => layer.state_dict()["weight"]);

    /// <summary>Computes the distance of each layer, [N, 1, 1, 1], of images [N, 3, H, W] in [-1, 1]; their sum is LPIPS.</summary>
    public IReadOnlyList<Tensor> Layers(Tensor first, Tensor second)
    {
        IReadOnlyList<Tensor> a = trunk.forward(Normalise(first)), b = trunk.forward(Normalise(second));
        return [.. lin.Select((layer, i) => layer.forward((UnitLength(a[i]) - UnitLength(b[i])).pow(2)).mean([2, 3], keepdim: true))];
    }

    private static Tensor Normalise(Tensor image) =>
        (image - torch.tensor<float>(Shift, [1, 3, 1, 1]).to(image.device)) / torch.tensor<float>(Scale, [1, 3, 1, 1]).to(image.device);

    [GeneratedRegex(@"^(?:features\.|(?:net\.)?slice\d+\.)(.+)$")]
    private static partial Regex TrunkKey();

    private static Tensor UnitLength(Tensor x) => x / (x.pow(2).sum([1], keepdim: true).sqrt() + 1e-10);
}
