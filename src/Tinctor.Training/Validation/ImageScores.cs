using System.Globalization;
using Tinctor.Data;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Losses;

namespace Tinctor.Training.Validation;

/// <summary>PSNR in dB, of images before rounding to 8 bits.</summary>
internal sealed class PsnrScore : PairScore
{
    /// <inheritdoc/>
    public override string Name => "psnr";

    /// <inheritdoc/>
    public override double Compute(Tensor stained, Tensor target, Pair pair) =>
        10 * Math.Log10(4 / Math.Max(F.mse_loss(stained, target).item(), 1e-10));

    /// <inheritdoc/>
    public override string Format(double score) => string.Create(CultureInfo.InvariantCulture, $"PSNR {score:F2} dB");
}

/// <summary>SSIM as in <see cref="SsimLoss"/>, mean over channels.</summary>
internal sealed class SsimScore : PairScore
{
    private const int SmallestSide = 11;

    /// <exception cref="OptionException">The images are smaller than the window.</exception>
    public SsimScore(int cropSize)
    {
        if (cropSize < SmallestSide)
            throw new OptionException(nameof(TrainingConfig.Best),
                $"training.best=ssim has a window of {SmallestSide} pixels, but data.crop_size is {cropSize}", "Use training.best=psnr");
    }

    /// <inheritdoc/>
    public override string Name => "ssim";

    /// <inheritdoc/>
    public override double Compute(Tensor stained, Tensor target, Pair pair) => 1 - SsimLoss.Compute(stained, target).item();
}

/// <summary>
/// Absolute difference of the mean amounts of DAB of stained and target image, in optical density (base 10); independent of the position of
/// the stained structures, as consecutive sections need it.
/// </summary>
internal sealed class DabScore : PairScore
{
    private const int Dab = 2;

    // The separation's unit of amounts is the density of light of 1e-6.
    private const double DensityOfUnit = 6;
    private readonly StainSeparation stains = new(StainMatrix.HaematoxylinEosinDab, floor: 1 / 255.0);

    /// <inheritdoc/>
    public override string Name => "dab";

    /// <inheritdoc/>
    public override double Compute(Tensor stained, Tensor target, Pair pair) => Math.Abs(Mean(stained) - Mean(target));

    /// <inheritdoc/>
    public override string Format(double score) => string.Create(CultureInfo.InvariantCulture, $"difference of DAB {score:F4}");

    private double Mean(Tensor image) => DensityOfUnit * stains.Separate((image + 1) / 2)[.., Dab..].mean().item();
}
