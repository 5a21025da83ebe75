using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Files;

namespace Tinctor.Training.Networks;

/// <summary>
/// First layers of VGG-19 (Simonyan and Zisserman 2015), tapped after relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1. Keys are those of
/// torchvision's <c>features</c> without that prefix.
/// </summary>
internal sealed class Vgg19 : Module<Tensor, IReadOnlyList<Tensor>>
{
    private static readonly int[] Taps = [1, 6, 11, 20, 29];
    private readonly Module<Tensor, Tensor>[] layers;

    /// <summary>Creates the network with the default initialisation of PyTorch.</summary>
    public Vgg19()
    {
        layers = LpipsTrunk.Vgg([2, 2, 4, 4, 4])[..(Taps[^1] + 1)];
        foreach ((int i, Module<Tensor, Tensor> layer) in layers.Index()) register_module($"{i}", layer);
    }

    /// <summary>Loads torchvision's weights of VGG-19.</summary>
    /// <exception cref="TinctorException">The file is missing or damaged, or has the weights of another network.</exception>
    public static Vgg19 FromFile(string path)
    {
        var network = new Vgg19();
        try
        {
            IReadOnlyDictionary<string, Tensor> weights = LpipsNetwork.TrunkWeights(StateDictFile.Load(path));
            HashSet<string> known = [.. network.state_dict().Keys];
            network.load_state_dict(weights.Where(pair => known.Contains(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value));
        }
        catch (TinctorException e)
        {
            network.Dispose();
            throw new TinctorException(path, $"not the weights of VGG-19: {e.Problem}", "Use torchvision's weights of vgg19", e);
        }
        network.requires_grad_(false);
        network.eval();
        return network;
    }

    /// <summary>[N,3,H,W] to the results of the tapped layers, the shallowest first.</summary>
    public override IReadOnlyList<Tensor> forward(Tensor x)
    {
        var results = new List<Tensor>();
        foreach ((int i, Module<Tensor, Tensor> layer) in layers.Index())
        {
            x = layer.forward(x);
            if (Taps.Contains(i)) results.Add(x);
        }
        return results;
    }
}
