using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;

namespace Tinctor.Training.Networks;

/// <summary>
/// Residual networks for classification (He et al. 2016; the 50-layer one with its strides in the 3x3 convolutions, as torchvision has
/// it). [N,3,H,W] to logits [N,classes]. State-dict keys are torchvision's.
/// </summary>
internal sealed class ResNet : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly MaxPool2d maxpool;
    private readonly Sequential[] layers;
    private readonly Linear fc;

    private ResNet(bool bottleneck, int[] blocks, int classes)
    {
        conv1 = register_module("conv1", new Conv2d(3, 64, 7, stride: 2, padding: 3, bias: false));
        bn1 = register_module("bn1", new BatchNorm2d(64));
        maxpool = new MaxPool2d(3, stride: 2, padding: 1);
        layers = new Sequential[4];
        int channels = 64;
        for (int stage = 0; stage < 4; stage++)
        {
            int width = 64 << stage, outputs = bottleneck ? 4 * width : width;
            layers[stage] = register_module($"layer{stage + 1}", new Sequential());
            for (int i = 0; i < blocks[stage]; i++)
            {
                layers[stage].append(new ResidualBlock(channels, width, outputs, stride: i == 0 && stage > 0 ? 2 : 1, bottleneck));
                channels = outputs;
            }
        }
        Features = channels;
        fc = register_module("fc", new Linear(channels, classes));
        foreach (Conv2d convolution in modules().OfType<Conv2d>())
            init.kaiming_normal_(convolution.weight, mode: "fan_out", nonlinearity: "relu");
    }

    /// <summary>The architectures by name.</summary>
    public static IReadOnlyList<string> Architectures { get; } = ["resnet18", "resnet50"];

    /// <summary>Creates a network with the initialisation of torchvision (Kaiming, fan out).</summary>
    /// <param name="architecture">resnet18 or resnet50.</param>
    /// <param name="classes">Logits.</param>
    public static ResNet Create(string architecture, int classes = 1000) => architecture switch
    {
        "resnet18" => new(bottleneck: false, [2, 2, 2, 2], classes),
        "resnet50" => new(bottleneck: true, [3, 4, 6, 3], classes),
        _ => throw new ArgumentException($"'{architecture}' is none of {string.Join(", ", Architectures)}", nameof(architecture)),
    };

    /// <summary>The length of <see cref="features"/>: 512 or 2048.</summary>
    public int Features { get; }

    /// <summary>Computes the features of the classification: the mean over the last feature map, [N,3,H,W] to [N,Features].</summary>
    public Tensor features(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        x = maxpool.forward(F.relu(bn1.forward(conv1.forward(x)), inplace: true));
        foreach (Sequential layer in layers) x = layer.forward(x);
        return x.mean([2, 3]).MoveToOuterDisposeScope();
    }

    /// <summary>The logits of <see cref="features"/>.</summary>
    public Tensor classify(Tensor features) => fc.forward(features);

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => classify(features(x));

    /// <summary>
    /// Loads initial weights of a file, .pth of torchvision or .safetensors, except for a last layer of other classes.
    /// </summary>
    /// <returns>Description of omitted weights; null if all were loaded.</returns>
    /// <exception cref="TinctorException">The file holds other weights.</exception>
    public string? LoadWeights(string path)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> weights = Path.GetExtension(path).Equals(".safetensors", StringComparison.OrdinalIgnoreCase)
            ? SafeTensors.Load(path) : PthReader.LoadStateDict(path);
        // nn.DataParallel puts a prefix before every key.
        if (weights.Keys.All(key => key.StartsWith("module.")))
            weights = new(weights.Select(pair => KeyValuePair.Create(pair.Key["module.".Length..], pair.Value)));
        (long? there, long wanted) = (weights.GetValueOrDefault("fc.weight")?.size(0), fc.weight.size(0));
        if (there != wanted) (weights["fc.weight"], weights["fc.bias"]) = (fc.weight, fc.bias!);
        try
        {
            load_state_dict(weights);
        }
        catch (TinctorException e)
        {
            throw new TinctorException(path, e.Problem, "Name weights of the same architecture", e);
        }
        string file = Path.GetFileName(path);
        return there == wanted ? null : "the last layer is initialised randomly: "
            + (there is null ? $"{file} has none" : $"that of {file} has {there} classes, not {wanted}");
    }
}

/// <summary>x + conv(conv(x)), or a bottleneck of three convolutions, with a 1x1 convolution of x where the shape changes.</summary>
internal sealed class ResidualBlock : Module<Tensor, Tensor>
{
    private readonly (Conv2d conv, BatchNorm2d bn)[] steps;
    private readonly Sequential? downsample;

    /// <param name="inputs">Channels in.</param>
    /// <param name="width">Channels of the 3x3 convolutions.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="stride">Of the block.</param>
    /// <param name="bottleneck">1x1, 3x3, 1x1 instead of 3x3, 3x3.</param>
    public ResidualBlock(int inputs, int width, int outputs, int stride, bool bottleneck)
    {
        (int from, int to, int kernel, int stride)[] shapes = bottleneck
            ? [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
            : [(inputs, width, 3, stride), (width, outputs, 3, 1)];
        steps = [.. shapes.Select((shape, i) => (
            register_module($"conv{i + 1}",
                new Conv2d(shape.from, shape.to, shape.kernel, stride: shape.stride, padding: shape.kernel / 2, bias: false)),
            register_module($"bn{i + 1}", new BatchNorm2d(shape.to))))];
        if (stride != 1 || inputs != outputs)
            downsample = register_module("downsample",
                new Sequential(new Conv2d(inputs, outputs, 1, stride: stride, bias: false), new BatchNorm2d(outputs)));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor y = x;
        foreach ((Conv2d conv, BatchNorm2d bn) in steps[..^1]) y = F.relu(bn.forward(conv.forward(y)), inplace: true);
        y = steps[^1].bn.forward(steps[^1].conv.forward(y));
        return F.relu(y + (downsample?.forward(x) ?? x), inplace: true).MoveToOuterDisposeScope();
    }
}
