using System.Globalization;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Validation;

/// <summary>Score of stained validation images: the mean of a number per pair.</summary>
internal abstract class PairScore : IDisposable
{
    /// <summary>Name in checkpoints and logs, such as "psnr".</summary>
    public abstract string Name { get; }

    /// <summary>Whether lower values are better.</summary>
    public bool LowerIsBetter => IsLowerBetter(Name);

    /// <summary>Whether lower values of the score with a name, such as "lpips", are better.</summary>
    public static bool IsLowerBetter(string name) => name is "lpips" or "dab";

    /// <summary>Computes the number of a pair.</summary>
    /// <param name="stained">Stained image, float32 [1,C,H,W] in [-1,1], on the CPU.</param>
    /// <param name="target">Target image of the same shape.</param>
    /// <param name="pair">The pair.</param>
    public abstract double Compute(Tensor stained, Tensor target, Pair pair);

    /// <summary>Whether the score can be computed for a pair.</summary>
    public virtual bool Takes(Pair pair) => true;

    /// <summary>Formats a value, as in "PSNR 23.10 dB".</summary>
    public virtual string Format(double score) => string.Create(CultureInfo.InvariantCulture, $"{Name.ToUpperInvariant()} {score:F4}");

    /// <summary>Frees the networks.</summary>
    public virtual void Dispose() { }

    /// <summary>Creates the score that a configuration names.</summary>
    /// <param name="config">Configuration of the run.</param>
    /// <param name="validation">Validation pairs.</param>
    /// <param name="device">Device of the networks.</param>
    /// <param name="scale">Reads the scale of the training images, to which classifiers are related; null if it is unknown.</param>
    /// <exception cref="TinctorException">The score does not suit the images or labels, or a file is missing or unsuitable.</exception>
    public static PairScore Create(RunConfig config, IReadOnlyList<Pair> validation, Device device, Func<PixelScale>? scale = null)
    {
        TrainingConfig training = config.Training;
        if (training.Best > BestScore.Ssim && config.Model.OutputChannels != 3)
            throw new OptionException(nameof(TrainingConfig.Best),
                $"training.best={training.Best.ToString().ToLowerInvariant()} needs RGB targets, but the model has "
                    + $"{config.Model.OutputChannels} channels", "Use training.best=psnr or ssim");
        return training.Best switch
        {
            BestScore.Ssim => new SsimScore(config.Data.CropSize),
            BestScore.Lpips => new LpipsScore(training, device),
            BestScore.Dab => new DabScore(),
            BestScore.Level => new LevelScore(training, validation, device, scale),
            BestScore.Features => FeatureScore.Create(training, device, scale),
            _ => new PsnrScore(),
        };
    }
}
