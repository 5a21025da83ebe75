using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>Networks of LPIPS.</summary>
public enum LpipsNet
{
    /// <summary>AlexNet (Krizhevsky 2014), LPIPS's default for comparing.</summary>
    Alex,

    /// <summary>VGG-16 (Simonyan and Zisserman 2015).</summary>
    Vgg,

    /// <summary>SqueezeNet 1.1 (Iandola et al. 2016).</summary>
    Squeeze,
}

/// <summary>
/// The convolutional part of an ImageNet classifier, tapped after chosen layers. Layers are numbered as in torchvision's
/// <c>features</c>, and keys are torchvision's without that prefix.
/// </summary>
internal sealed class LpipsTrunk : Module<Tensor, IReadOnlyList<Tensor>>
{
    private readonly Module<Tensor, Tensor>[] layers;
    private readonly HashSet<int> taps;

    /// <summary>Creates the network with the default initialisation of PyTorch.</summary>
    /// <param name="net">The classifier.</param>
    /// <param name="l2Pooling">Whether VGG-16 has the L2 pooling of DISTS instead of the largest values.</param>
    public LpipsTrunk(LpipsNet net, bool l2Pooling = false)
    {
        (layers, taps) = net switch
        {
            LpipsNet.Alex => (Alex(), new HashSet<int> { 1, 4, 7, 9, 11 }),
            LpipsNet.Vgg => (Vgg([2, 2, 3, 3, 3], l2Pooling), [3, 8, 15, 22, 29]),
            _ => (Squeeze(), [1, 4, 7, 9, 10, 11, 12]),
        };
        foreach ((int i, Module<Tensor, Tensor> layer) in layers.Index()) register_module($"{i}", layer);
    }

    /// <summary>Channels of each tapped layer.</summary>
    public static IReadOnlyList<int> Channels(LpipsNet net) => net switch
    {
        LpipsNet.Alex => [64, 192, 384, 256, 256],
        LpipsNet.Vgg => [64, 128, 256, 512, 512],
        _ => [64, 128, 256, 384, 384, 512, 512],
    };

    /// <summary>[N,3,H,W] to the tapped layers' results, the shallowest first.</summary>
    public override IReadOnlyList<Tensor> forward(Tensor x)
    {
        var results = new List<Tensor>();
        foreach ((int i, Module<Tensor, Tensor> layer) in layers.Index())
        {
            x = layer.forward(x);
            if (taps.Contains(i)) results.Add(x);
        }
        return results;
    }

    private static Module<Tensor, Tensor>[] Alex() =>
    [
        new Conv2d(3, 64, 11, stride: 4, padding: 2), new ReLU(), new MaxPool2d(3, stride: 2),
        new Conv2d(64, 192, 5, padding: 2), new ReLU(), new MaxPool2d(3, stride: 2),
        new Conv2d(192, 384, 3, padding: 1), new ReLU(),
        new Conv2d(384, 256, 3, padding: 1), new ReLU(),
        new Conv2d(256, 256, 3, padding: 1), new ReLU(),
    ];

    /// <summary>Creates the convolutional layers of a VGG network, without the last pooling.</summary>
    /// <param name="convolutions">
    /// Number of convolutions in each of the five blocks: 2, 2, 3, 3, 3 for VGG-16, 2, 2, 4, 4, 4 for VGG-19.
    /// </param>
    /// <param name="l2Pooling">Whether it has the L2 pooling of DISTS instead of the largest values.</param>
    internal static Module<Tensor, Tensor>[] Vgg(int[] convolutions, bool l2Pooling = false)
    {
        int[] channels = [64, 128, 256, 512, 512];
        List<Module<Tensor, Tensor>> layers = [];
        int input = 3;
        for (int block = 0; block < channels.Length; block++)
        {
            if (block > 0) layers.Add(l2Pooling ? new L2Pooling(input) : new MaxPool2d(2, stride: 2));
            for (int i = 0; i < convolutions[block]; i++)
            {
                layers.AddRange([new Conv2d(input, channels[block], 3, padding: 1), new ReLU()]);
                input = channels[block];
            }
        }
        return [.. layers];
    }

    private static Module<Tensor, Tensor>[] Squeeze() =>
    [
        new Conv2d(3, 64, 3, stride: 2), new ReLU(), new MaxPool2d(3, stride: 2, ceil_mode: true),
        new Fire(64, 16, 64), new Fire(128, 16, 64), new MaxPool2d(3, stride: 2, ceil_mode: true),
        new Fire(128, 32, 128), new Fire(256, 32, 128), new MaxPool2d(3, stride: 2, ceil_mode: true),
        new Fire(256, 48, 192), new Fire(384, 48, 192), new Fire(384, 64, 256), new Fire(512, 64, 256),
    ];

    private sealed class Fire : Module<Tensor, Tensor>
    {
        private readonly Conv2d squeeze, expand1x1, expand3x3;

        public Fire(int input, int narrow, int wide)
        {
            squeeze = register_module("squeeze", new Conv2d(input, narrow, 1));
            expand1x1 = register_module("expand1x1", new Conv2d(narrow, wide, 1));
            expand3x3 = register_module("expand3x3", new Conv2d(narrow, wide, 3, padding: 1));
        }

        public override Tensor forward(Tensor x)
        {
            x = F.relu(squeeze.forward(x));
            return torch.cat([F.relu(expand1x1.forward(x)), F.relu(expand3x3.forward(x))], 1);
        }
    }
}
