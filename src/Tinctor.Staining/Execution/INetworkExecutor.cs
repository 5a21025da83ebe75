namespace Tinctor.Staining.Execution;

/// <summary>
/// Runs the network of a model: arrays in, arrays out. Implementations are thread-safe: several threads may run one executor, each call
/// with a normalisation of its own.
/// </summary>
internal interface INetworkExecutor : IDisposable
{
    /// <summary>
    /// Whether the output depends on the mean and variance of the image that the network sees (instance norm, batch statistics, attention
    /// by spread, z-score); tiles of a slide then need common moments.
    /// </summary>
    bool NormalizesByImage { get; }

    /// <summary>Radius of the network's receptive field in source pixels; null to measure it on each slide.</summary>
    int? ReceptiveField => null;

    /// <summary>Device and precision, for instance "cpu float32": results of different ones differ slightly.</summary>
    string Precision { get; }

    /// <summary>Gets an executor for one stain of a network of several, which shares the network and is disposed with this one.</summary>
    /// <param name="index">Index of the stain.</param>
    /// <exception cref="NotSupportedException">The network does not take a stain.</exception>
    INetworkExecutor ForStain(int index) => throw new NotSupportedException("the network does not take a stain");

    /// <summary>
    /// Runs the network once. The network of a diffusion bridge returns the end of the bridge here: the source in the size and channels of
    /// the target.
    /// </summary>
    /// <exception cref="TinctorException">The network's output is not finite.</exception>
    NetworkOutput Run(NetworkInput input);

    /// <summary>Predicts from states of a diffusion bridge; see <see cref="Bridges.BridgeObjective"/> for the quantity.</summary>
    /// <param name="state">States [N,C,H,W].</param>
    /// <param name="time">Timestep input of the network, common to all.</param>
    /// <param name="end">End of the bridge, from <see cref="Run"/>.</param>
    /// <exception cref="NotSupportedException">The network belongs to no bridge.</exception>
    ImageBatch Predict(ImageBatch state, double time, ImageBatch end);
}

/// <summary>Input of a network.</summary>
/// <param name="Source">Sources in [-1,1], of a height and width that the network takes.</param>
internal sealed record NetworkInput(ImageBatch Source)
{
    /// <summary>Logits of the slide's IHC level, used for all images; null if each image shows its own or the model has none.</summary>
    public float[]? IhcLogits { get; init; }

    /// <summary>
    /// Normalisation of layers that normalise by image; null as the network does by itself, a batch together where it does so.
    /// </summary>
    public NormalizationContext? Normalization { get; init; }
}

/// <summary>Output of a network.</summary>
/// <param name="Image">Stained images in [-1,1], or the end of a bridge.</param>
/// <param name="IhcLogits">Logits of each image's IHC level; null if the network predicts none.</param>
/// <param name="Moments">Moments of each image that its layers measured; null if they were not recorded.</param>
internal sealed record NetworkOutput(ImageBatch Image, IReadOnlyList<float[]>? IhcLogits = null,
    IReadOnlyList<ImageMoments>? Moments = null);

/// <summary>Statistics that layers normalise each image of a batch by.</summary>
internal sealed record NormalizationContext
{
    private NormalizationContext() { }

    /// <summary>Each image by its own moments, also in layers that would take a batch together.</summary>
    public static NormalizationContext PerImage { get; } = new();

    /// <summary>As <see cref="PerImage"/>; the output has the moments.</summary>
    public static NormalizationContext Recorded { get; } = new() { Records = true };

    /// <summary>Moments to use, one set an image; null for each image's own.</summary>
    public IReadOnlyList<ImageMoments>? Moments { get; private init; }

    /// <summary>Whether the output has the moments that the layers measured.</summary>
    public bool Records { get; private init; }

    /// <summary>Normalises each image by given moments.</summary>
    public static NormalizationContext Use(IReadOnlyList<ImageMoments> moments) => new() { Moments = moments };
}
