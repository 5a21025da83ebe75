namespace Tinctor.Training.Learners;

/// <summary>Score of validation pairs that selects the best checkpoint.</summary>
public enum BestScore
{
    /// <summary>Peak signal-to-noise ratio in dB; higher is better.</summary>
    Psnr,

    /// <summary>Structural similarity; higher is better.</summary>
    Ssim,

    /// <summary>Learned perceptual distance (Zhang et al. 2018); lower is better.</summary>
    Lpips,

    /// <summary>Difference of the mean amounts of DAB; lower is better.</summary>
    Dab,

    /// <summary>Share of stained images in which a classifier finds the label of the pair; higher is better.</summary>
    Level,

    /// <summary>Cosine similarity of the features of a network; higher is better.</summary>
    Features,
}
