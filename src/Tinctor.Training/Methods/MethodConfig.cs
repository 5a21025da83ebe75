using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Loading;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods;

/// <summary>Settings of a method, under "model" in config.yaml. Defaults are the paper's values.</summary>
public abstract record MethodConfig
{
    /// <summary>Channels of the source images.</summary>
    [Range(1, 64)]
    public int InputChannels { get; init; } = 3;

    /// <summary>Channels of the target images.</summary>
    [Range(1, 64)]
    public int OutputChannels { get; init; } = 3;

    /// <summary>
    /// Stains of the model, as in [HER2, Ki67]: one model for all of them, and pairs of other stains are left out. Empty for the stains of
    /// the data.
    /// </summary>
    public List<string> Stains { get; init; } = [];

    /// <summary>
    /// Input of the stain into networks of several stains: embedding (a learned vector scales and shifts the result of each normalisation)
    /// or planes (constant planes, one for each stain, beside the input of the first convolution).
    /// </summary>
    public StainInput StainCondition { get; init; } = StainInput.Embedding;

    /// <summary>Whether one model of this method can have several stains.</summary>
    internal virtual bool TakesStains => false;

    /// <summary>Sets the stains of a new run: the settings, or those of the data if it has several.</summary>
    /// <param name="method">Name of the method.</param>
    /// <param name="found">Stains of the data.</param>
    /// <exception cref="OptionException">The method does not support several stains, or a stain is named twice.</exception>
    internal MethodConfig WithStains(string method, IReadOnlyList<string> found)
    {
        List<string> stains = Stains.Count == 0 && found.Count > 1 ? [.. found] : Stains;
        if (stains.Distinct().Count() < stains.Count)
            throw new OptionException(nameof(Stains), $"model.stains is {string.Join(", ", stains)}, expected different stains");
        if (stains.FirstOrDefault(stain => stain.Length == 0 || stain.AsSpan().ContainsAny('/', '\\', ',')) is { } unsuitable)
        {
            throw new OptionException(nameof(Stains),
                $"a stain is named \"{unsuitable}\", but results lie in folders of these names, which are separated by commas in lists",
                "Name it without slashes and commas");
        }
        if (stains.Count > 1 && !TakesStains)
        {
            throw new OptionException(nameof(Stains), $"a model of {method} has one stain, but the stains are {string.Join(", ", stains)}",
                $"Train a model for each, with model.stains=[{stains[0]}] for the first")
            { Option = $"model.stains=[{stains[0]}]" };
        }
        return this with { Stains = stains };
    }

    /// <summary>Conditions a network on the stain if the model has several.</summary>
    private protected T WithStainInput<T>(T network) where T : Module
    {
        if (Stains.Count > 1) Networks.StainCondition.Attach(network, Stains.Count, StainCondition);
        return network;
    }

    /// <summary>Pixels of the stained image per source pixel along each axis.</summary>
    public virtual int Upscaling => 1;

    /// <summary>
    /// Whether training and staining z-score sources by the mean and standard deviation of the whole image or slide.
    /// </summary>
    public virtual bool StandardizesSource => false;

    /// <summary>Whether the method can be trained on sources and targets that are not pairs (data.unpaired).</summary>
    public virtual bool AcceptsUnpaired => false;

    /// <summary>Inference settings of the trained network.</summary>
    public InferenceConfig Inference { get; init; } = new();

    /// <summary>Labels that the staining network predicts in addition to the image, in the order of its logits; empty for none.</summary>
    public virtual IReadOnlyList<string> PredictedLabels => [];

    /// <summary>Classifier whose features the loss compares; null for none.</summary>
    internal virtual Classification.ComparatorReference? TrainedWith => null;

    /// <summary>Variants of the paper's ablation study, without the full method; empty for none.</summary>
    internal virtual IReadOnlyList<Ablation> Ablations => [];

    /// <summary>Gets these defaults with those of a value of model.variant that has its own.</summary>
    internal virtual MethodConfig WithDefaultsOf(string variant) => this;

    /// <summary>Completes the settings of a new run with the full paths and hashes of the files that they name.</summary>
    /// <exception cref="TinctorException">A file is missing or unsuitable.</exception>
    public virtual MethodConfig Completed() => this;

    /// <summary>Completes the settings of a new run with those that depend on its data.</summary>
    /// <param name="run">Settings of the run.</param>
    /// <param name="data">Training data.</param>
    /// <param name="note">Receives notes for the user, one line each.</param>
    /// <exception cref="TinctorException">The method cannot be trained on this data.</exception>
    internal virtual RunSettings CompletedFor(RunSettings run, TrainingData data, Action<string> note) => run;

    /// <summary>Checks that this method can be trained on a data set, and gets notes for the user, one line each.</summary>
    /// <param name="train">Training pairs.</param>
    /// <param name="test">Test pairs, on which no part of the method may be trained.</param>
    /// <exception cref="TinctorException">The method cannot be trained on these pairs.</exception>
    public virtual IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test) => [];

    /// <summary>Gets a note for the user if the method learns badly with a number of pairs a step; null otherwise.</summary>
    public virtual string? RemarkOnBatch(int batchSize) => null;

    /// <summary>Creates the method with newly initialised networks, for training.</summary>
    public abstract Method Create(Device device);

    /// <summary>Creates the staining network without trained weights.</summary>
    public abstract Module<Tensor, Tensor> CreateGenerator();

    /// <summary>The staining network needs sources whose height and width are multiples of this.</summary>
    public abstract int SizeMultiple { get; }

    /// <summary>Minimum height and width of sources for the staining network.</summary>
    public virtual int SmallestSize => SizeMultiple;

    /// <summary>Describes the model for staining.</summary>
    /// <param name="method">Name of the method.</param>
    public virtual ModelDescription Describe(string method) => new()
    {
        Method = method,
        InputChannels = InputChannels,
        OutputChannels = OutputChannels,
        Upscaling = Upscaling,
        SizeMultiple = SizeMultiple,
        SmallestSize = SmallestSize,
        Scale = Inference.Scale ?? 1,
        Mpp = Inference.Mpp,
        IhcLevels = PredictedLabels,
        Stains = Stains,
        StandardizesSource = StandardizesSource,
    };

    /// <summary>Gets the settings of <see cref="Method.ReverseGenerator"/>.</summary>
    internal virtual MethodConfig Reversed() => throw new NotSupportedException($"{GetType().Name} has no network from target to source");

    /// <summary>Minimum crop size for training, in target pixels.</summary>
    public virtual int SmallestCrop => SmallestSize * Upscaling;

    /// <summary>Describes settings for images that are smaller than the crop, as a sentence.</summary>
    /// <param name="side">Shortest side of all images, in target pixels.</param>
    public string AdviseCrop(int side) => new CropRule(this).AdviseForImages(side);

    /// <summary>Name of the staining network in messages.</summary>
    internal virtual string NetworkName => "the network";

    /// <summary>Setting of an alternative network with a smaller size multiple, and the settings that include it; null for none.</summary>
    internal virtual (string Setting, MethodConfig Model)? FinerNetwork => null;
}

/// <summary>Region over which sources are z-scored.</summary>
public enum ZScoreRegion
{
    /// <summary>The crop or tile that the network takes, within the network, as the official code does.</summary>
    Crop,

    /// <summary>The whole image or slide, in training and in staining.</summary>
    Image,
}

/// <summary>Inference settings of a trained network.</summary>
public sealed record InferenceConfig
{
    /// <summary>
    /// Statistics of batch norm: running (of the training; pixels do not depend on distant parts of the image), batch (of the image, as
    /// in the official pix2pix test script without evaluation mode) or auto, which a training replaces: batch if it passes single pairs
    /// through the network, running otherwise.
    /// </summary>
    [AllowedValues("running", "batch", "auto")]
    public string Statistics { get; init; } = "running";

    /// <summary>Replaces the statistics auto by those that suit the training.</summary>
    /// <param name="pairsAtATime">Number of pairs over which batch norm computes its statistics in training.</param>
    internal InferenceConfig WithStatisticsFor(int pairsAtATime) =>
        Statistics == "auto" ? this with { Statistics = pairsAtATime == 1 ? "batch" : "running" } : this;

    /// <summary>
    /// Scale of images at the input of the network; its output is resized back. 0.5 suits a network trained on images of 1024 pixels
    /// resized to 512 (data.load_size). Empty for 1; derestainer derives it from data.load_size and the size of the training images.
    /// </summary>
    [Range(0.05, 8.0)]
    public double? Scale { get; init; }

    /// <summary>Micrometres per pixel of the training images, to which slides are resampled; null if unknown.</summary>
    [Range(0.01, 100.0)]
    public double? Mpp { get; init; }
}
