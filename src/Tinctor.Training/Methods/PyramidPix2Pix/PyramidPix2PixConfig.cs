using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Training.Methods.Pix2Pix;

namespace Tinctor.Training.Methods.PyramidPix2Pix;

/// <summary>
/// PyramidPix2pix (Liu et al. 2022) with the defaults of bupt-ai-cz/BCI: pix2pix with the L1 distance of four octaves of a Gaussian
/// pyramid.
/// </summary>
public sealed record PyramidPix2PixConfig : Pix2PixConfig
{
    /// <summary>Creates the settings of the official repository.</summary>
    public PyramidPix2PixConfig() => (Generator, LambdaL1) = ("resnet_9blocks", 25);

    /// <summary>Weight of the L1 loss at half the size (L2 of the official pattern).</summary>
    [Range(0, 1e6)]
    public double WeightL2 { get; init; } = 25;

    /// <summary>Weight of the L1 loss at a quarter of the size.</summary>
    [Range(0, 1e6)]
    public double WeightL3 { get; init; } = 25;

    /// <summary>Weight of the L1 loss at an eighth of the size.</summary>
    [Range(0, 1e6)]
    public double WeightL4 { get; init; } = 25;

    /// <summary>Weight of the L1 loss between edges (sobel of the official pattern, which gives it 50); 0 leaves it out.</summary>
    [Range(0, 1e6)]
    public double WeightSobel { get; init; }

    /// <summary>Patterns of losses (option --pattern of the official code).</summary>
    internal override IReadOnlyList<Ablation> Ablations =>
    [
        new("one_octave", "L1", ["model.weight_l2=0", "model.weight_l3=0", "model.weight_l4=0"]),
        new("two_octaves", "L1 + L2", ["model.weight_l3=0", "model.weight_l4=0"]),
        new("three_octaves", "L1 + L2 + L3", ["model.weight_l4=0"]),
        new("with_edges", "with edges (sobel)", ["model.weight_sobel=50"]),
        .. base.Ablations,
    ];

    /// <inheritdoc/>
    public override Method Create(Device device) => new PyramidPix2PixMethod(this, device);
}
