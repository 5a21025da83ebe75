using System.ComponentModel.DataAnnotations;
using Tinctor.Training.Losses;

namespace Tinctor.Training.Methods;

/// <summary>Settings common to methods with a discriminator; the defaults are those of pix2pix.</summary>
public abstract record GanConfig : MethodConfig
{
    /// <summary>Channels of the discriminator's first convolution.</summary>
    [Range(1, 1024)]
    public int Ndf { get; init; } = 64;

    /// <summary>Number of strided layers of the PatchGAN; 3 give a receptive field of 70x70 pixels.</summary>
    [Range(1, 8)]
    public int NLayersD { get; init; } = 3;

    /// <summary>vanilla, lsgan or wgangp.</summary>
    public GanMode GanMode { get; init; } = GanMode.Vanilla;

    /// <summary>Initialisation of the weights: normal, xavier, kaiming or orthogonal.</summary>
    [AllowedValues("normal", "xavier", "kaiming", "orthogonal")]
    public string InitType { get; init; } = "normal";

    /// <summary>Scale of the initialisation by normal, xavier and orthogonal.</summary>
    [Range(0.0, 10.0)]
    public double InitGain { get; init; } = 0.02;

    /// <summary>Learning rate of Adam, or AdamW.</summary>
    [Range(0.0, 1.0)]
    public double Lr { get; init; } = 2e-4;

    /// <summary>First moment decay of Adam, or AdamW.</summary>
    [Range(0, 0.999999)]
    public double Beta1 { get; init; } = 0.5;
}
