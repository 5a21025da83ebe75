using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>Input of the stain into a network of several stains.</summary>
public enum StainInput
{
    /// <summary>A learned vector for each stain scales and shifts the result of each normalisation.</summary>
    Embedding,

    /// <summary>One constant plane for each stain, 1 for the stain and 0 for others, beside the input of the first convolution.</summary>
    Planes,
}

/// <summary>
/// Condition of a network on the stain of its result, attached to the finished network: its keys stay, and those of the condition are
/// below <c>stain_condition</c>. <see cref="StainContext"/> has the stains of the images.
/// </summary>
/// <remarks>
/// The embedding is conditional normalisation (Dumoulin et al. 2017; de Vries et al. 2017): the result y of a normalisation becomes
/// (1 + s) y + t, where s and t are linear in the vector of the stain and initially 0. Frozen encoders are not conditioned.
/// </remarks>
internal sealed class StainCondition : Module
{
    private const string Key = "stain_condition";
    private const int Width = 64;
    private readonly Tensor embedding;

    private StainCondition(int stains, IReadOnlyList<IModulatedNorm> norms)
    {
        embedding = register_parameter("embedding", torch.randn([stains, Width]))!;
        for (int i = 0; i < norms.Count; i++)
        {
            Tensor weight = register_parameter($"norm{i}", torch.zeros([2 * norms[i].num_features, Width]))!;
            norms[i].Modulation = result => Modulate(result, weight);
        }
    }

    /// <summary>Conditions a network.</summary>
    /// <param name="network">Newly created network.</param>
    /// <param name="stains">Number of stains.</param>
    /// <param name="input">Input of the stain.</param>
    /// <exception cref="OptionException">The network has no normalisation for an embedding, or one that removes planes.</exception>
    public static void Attach(Module network, int stains, StainInput input)
    {
        if (input == StainInput.Planes)
        {
            if (NormAfterPlanes(network) is InstanceNorm2d)
            {
                throw new OptionException(nameof(Methods.MethodConfig.StainCondition),
                    $"model.stain_condition is planes, but {network.GetType().Name} has an instance norm after its first convolution, "
                        + "and instance normalisation removes constant planes", "Use model.stain_condition=embedding")
                { Option = "model.stain_condition=embedding" };
            }
            foreach (Module trunk in Trunks(network)) FirstConvolution(trunk).AddInputs(stains, Planes);
            return;
        }
        IModulatedNorm[] norms = [.. Conditionable(network).OfType<IModulatedNorm>()];
        if (norms.Length == 0)
            throw new OptionException(nameof(Methods.MethodConfig.StainCondition),
                $"model.stain_condition is embedding, but {network.GetType().Name} has no normalisation",
                "Use model.stain_condition=planes")
            { Option = "model.stain_condition=planes" };
        network.Add(Key, new StainCondition(stains, norms));
    }

    /// <summary>Gets the parameters of a network's condition; none for a network without one.</summary>
    public static IEnumerable<Tensor> ParametersOf(Module network) =>
        network.children().OfType<StainCondition>().SelectMany(condition => condition.parameters());

    /// <summary>
    /// Gets the normalisation directly after the first convolution, if there is one. Statistics of a single image remove planes there, as
    /// they add the same number to all pixels of a channel.
    /// </summary>
    public static RunningNorm? NormAfterPlanes(Module network)
    {
        Module[] layers = [.. Conditionable(Trunks(network).First()).SkipWhile(layer => layer is not Conv2d).Skip(1)];
        return layers.FirstOrDefault() as RunningNorm;
    }

    private Tensor Modulate(Tensor result, Tensor weight)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor both = F.linear(StainContext.Current.matmul(embedding), weight).to(result.dtype);
        for (long i = result.ndim; i > 2; i--) both = both.unsqueeze(-1);
        Tensor[] parts = both.chunk(2, 1);
        return ((result * (parts[0] + 1)) + parts[1]).MoveToOuterDisposeScope();
    }

    private static Tensor Planes(Tensor input)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor stains = StainContext.Current.to(input.dtype).unsqueeze(-1).unsqueeze(-1);
        return stains.expand(input.size(0), -1, input.size(2), input.size(3)).MoveToOuterDisposeScope();
    }

    // Each scale of a discriminator sees the image.
    private static IEnumerable<Module> Trunks(Module network) => network is MultiscaleDiscriminator ? network.children() : [network];

    private static Conv2d FirstConvolution(Module trunk) => Conditionable(trunk).OfType<Conv2d>().First();

    private static IEnumerable<Module> Conditionable(Module network) => network is CeffEncoder ? []
        : network.children().SelectMany(Conditionable).Prepend(network);
}
