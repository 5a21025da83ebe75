using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Training.Files;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Contrastive;

namespace Tinctor.Training.Methods.PspStain;

/// <summary>
/// PSPStain (Chen et al. 2024, Pathological Semantics-Preserving Learning for H&amp;E-to-IHC Virtual Staining) with the values of the
/// official launcher (experiments/PSPStain_launcher.py).
/// </summary>
public sealed record PspStainConfig : PyramidConfig
{
    /// <summary>Creates the settings of the official launcher.</summary>
    public PspStainConfig() => Lr = 1e-4;

    /// <summary>Weight of the protein awareness loss.</summary>
    [Range(0, 1e6)]
    public double LambdaMlpa { get; init; } = 1;

    /// <summary>Weight of the prototype consistency loss.</summary>
    [Range(0, 1e6)]
    public double LambdaCtpc { get; init; } = 2.5;

    /// <summary>Weight of 1 - MS-SSIM.</summary>
    [Range(0, 1e6)]
    public double LambdaSsim { get; init; } = 0.25;

    /// <summary>Learning rate of the discriminator relative to model.lr.</summary>
    [Range(0.0, 1e3)]
    public double DiscriminatorRate { get; init; } = 0.05;

    /// <summary>Exponent of the focal optical density.</summary>
    [Range(0.1, 10)]
    public double FodAlpha { get; init; } = 1.8;

    /// <summary>Focal optical density, 0 to e, below which a pixel counts as unstained in the protein awareness loss.</summary>
    [Range(0, Math.E)]
    public double FodThreshold { get; init; } = 0.15;

    /// <summary>Focal optical density, 0 to e, from which a pixel belongs to the mask of stained pixels.</summary>
    [Range(0, Math.E)]
    public double MaskThreshold { get; init; } = 0.68;

    /// <summary>
    /// Whether the density is that of intensities in [0,1]; the official code computes it from the network's values in [-1,1], so the
    /// darker half of the range counts as black.
    /// </summary>
    public bool FodOfIntensity { get; init; }

    /// <summary>
    /// Weights of the segmentation network, such as BCI_unet_seg.pth of the official repository; without them it learns from the masks of
    /// targets during the run.
    /// </summary>
    public StartReference? Segmenter { get; init; }

    /// <summary>
    /// Statistics of the segmentation network's batch norms in the prototype loss: batch, with dropout, as in the official code, or
    /// running.
    /// </summary>
    [AllowedValues("batch", "running")]
    public string SegmenterStatistics { get; init; } = "batch";

    /// <summary>Whether the segmentation network has dropout with batch statistics.</summary>
    public bool SegmenterDropout { get; init; } = true;

    /// <inheritdoc/>
    internal override double DiscriminatorLr => Lr * DiscriminatorRate;

    /// <inheritdoc/>
    public override int SmallestCrop => Math.Max(base.SmallestCrop, LambdaSsim > 0 ? MultiScaleSsimLoss.SmallestSide : 16);

    /// <inheritdoc/>
    public override Method Create(Device device) => new PspStainMethod(this, device);

    /// <inheritdoc/>
    public override MethodConfig Completed() =>
        this with { Segmenter = Segmenter is { Path.Length: > 0 } ? StartReference.FromPath(Segmenter.Path) : null };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        if (OutputChannels != 3)
        {
            throw new TinctorException(null, $"the optical density of DAB needs RGB images, but model.output_channels is {OutputChannels}",
                "Use model.input_channels=3 and model.output_channels=3")
            { Option = "model.output_channels" };
        }
        IReadOnlyList<string> remarks = base.Remarks(train, test);
        return Segmenter is not null || LambdaCtpc == 0 ? remarks
            : [.. remarks, "the segmentation network of the prototype loss learns from the masks of targets during the run; "
                + "model.segmenter.path names trained weights"];
    }
}
