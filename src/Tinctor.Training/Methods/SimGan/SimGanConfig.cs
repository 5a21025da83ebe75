using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Training.Methods.Contrastive;

namespace Tinctor.Training.Methods.SimGan;

/// <summary>
/// SIM-GAN (xianchaoguan/SIM-GAN, Supervised Information Mining from Weakly Paired Images for Breast IHC Virtual Staining) with the values
/// of the official launcher (experiments/mist_launcher.py).
/// </summary>
public sealed record SimGanConfig : ContrastiveConfig
{
    /// <summary>Creates the settings of the official launcher.</summary>
    public SimGanConfig() => (Generator, SpectralNorm, Ndf, NLayersD) = ("resnet_6blocks", true, 32, 5);

    /// <summary>Weight of the distance between the cosines of the batch's stained images and those of its targets.</summary>
    [Range(0, 1e6)]
    public double LambdaCc { get; init; } = 10;

    /// <summary>Weight of the distance between the transport plans from source to target and from target to stained image.</summary>
    [Range(0, 1e6)]
    public double LambdaMc { get; init; } = 10_000;

    /// <summary>Weights of the transport: easy (dissimilar places) or hard (similar places).</summary>
    [AllowedValues("easy", "hard")]
    public string CostType { get; init; } = "easy";

    /// <summary>Entropic regularisation of the transport.</summary>
    [Range(1e-3, 1e3)]
    public double Eps { get; init; } = 1;

    /// <inheritdoc/>
    internal override bool IsFromAsp => true;

    /// <inheritdoc/>
    public override Method Create(Device device) => new SimGanMethod(this, device);

    /// <inheritdoc/>
    public override string? RemarkOnBatch(int batchSize) => batchSize > 1 || LambdaCc == 0 ? null
        : "single pairs have no cosines to other images, so the loss CC is 0; use training.batch_size=2 or more";
}
