using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>Initialisation of image-to-image networks (networks.init_weights of the official pix2pix).</summary>
public static class WeightInit
{
    /// <summary>Initialises convolutions and linear layers by the named scheme, batch norms around one.</summary>
    /// <param name="network">The network to initialise.</param>
    /// <param name="type">normal, xavier, kaiming or orthogonal.</param>
    /// <param name="gain">The standard deviation of "normal", the gain of "xavier" and "orthogonal".</param>
    public static void Apply(Module network, string type = "normal", double gain = 0.02)
    {
        using Guard quiet = torch.no_grad();
        network.apply(module =>
        {
            switch (module)
            {
                case WeightedLayer layer:
                    Initialise(layer, type, gain);
                    break;
                case SpectralNorm spectral:
                    Initialise(spectral.Layer, type, gain);
                    break;
                case BatchNorm2d { weight: Tensor weight, bias: Tensor bias }:
                    init.normal_(weight, 1.0, gain);
                    init.zeros_(bias);
                    break;
            }
        });
    }

    private static void Initialise(WeightedLayer layer, string type, double gain)
    {
        Tensor weight = layer.weight;
        _ = type switch
        {
            "normal" => init.normal_(weight, 0.0, gain),
            "xavier" => init.xavier_normal_(weight, gain),
            "kaiming" => init.kaiming_normal_(weight, a: 0, mode: "fan_in"),
            "orthogonal" => init.orthogonal_(weight, gain),
            _ => throw new ArgumentException($"'{type}' is none of normal, xavier, kaiming, orthogonal"),
        };
        if (layer.bias is Tensor bias) init.zeros_(bias);
    }
}
