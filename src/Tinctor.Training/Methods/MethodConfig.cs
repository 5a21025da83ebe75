using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Methods;

/// <summary>The settings of a method, under "model" in config.yaml. Defaults are the paper's values.</summary>
public abstract record MethodConfig
{
    /// <summary>Channels of the source images.</summary>
    [Range(1, 64)]
    public int InputChannels { get; init; } = 3;

    /// <summary>Channels of the target images.</summary>
    [Range(1, 64)]
    public int OutputChannels { get; init; } = 3;

    /// <summary>How many pixels of the stained image a source pixel becomes along each axis.</summary>
    public virtual int Upscaling => 1;

    /// <summary>Inference settings of the trained network.</summary>
    public InferenceConfig Inference { get; init; } = new();

    /// <summary>The labels that the staining network predicts beside the stained image, in the order of its logits; empty for none.</summary>
    public virtual IReadOnlyList<string> PredictedLabels => [];

    /// <summary>The variants of the paper's ablation study, the full method not among them; empty where there are none.</summary>
    public virtual IReadOnlyList<Ablation> Ablations => [];

    /// <summary>The settings with what follows from the files that they name (full paths, hashes), before a new run.</summary>
    /// <exception cref="TinctorException">A file is not what the settings say.</exception>
    public virtual MethodConfig Completed() => this;

    /// <summary>Checks that this method can be trained on a data set, and gets notes for the user, one line each.</summary>
    /// <param name="train">Training pairs.</param>
    /// <param name="test">Test pairs, which must not take part in training.</param>
    /// <exception cref="TinctorException">The method cannot be trained on these pairs.</exception>
    public virtual IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test) => [];

    /// <summary>Builds the method with freshly initialised networks, for training.</summary>
    public abstract Method Create(Device device);

    /// <summary>Builds the staining network alone, without initial values of meaning.</summary>
    public abstract Module<Tensor, Tensor> CreateGenerator();

    /// <summary>Height and width of sources that the staining network takes are multiples of this.</summary>
    public abstract int SizeMultiple { get; }

    /// <summary>The smallest height and width of sources that the staining network takes.</summary>
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
        Scale = Inference.Scale,
        Mpp = Inference.Mpp,
        IhcLevels = PredictedLabels,
    };

    /// <summary>The smallest crop that can be trained on, in target pixels.</summary>
    public virtual int SmallestCrop => SmallestSize * Upscaling;

    /// <summary>Describes settings for images that are smaller than the crop, as a sentence.</summary>
    /// <param name="side">The shortest side of all images, in target pixels.</param>
    public string AdviseCrop(int side) => new CropRule(this).ForImagesOf(side);

    /// <summary>Name of the staining network in messages.</summary>
    internal virtual string NetworkName => "the network";

    /// <summary>A setting that replaces the network by one that takes more sizes, and the settings with it; null for none.</summary>
    internal virtual (string Setting, MethodConfig Model)? FinerNetwork => null;
}

/// <summary>How a trained network is run when it stains.</summary>
public sealed record InferenceConfig
{
    /// <summary>
    /// Statistics of normalisation layers: "running" (those of training; a pixel does not depend on distant parts of the image) or "batch"
    /// (those of the image itself, as the official pix2pix test script does unless it is set to evaluation mode).
    /// </summary>
    [AllowedValues("running", "batch")]
    public string Statistics { get; init; } = "running";

    /// <summary>
    /// The size at which the network sees an image, as a share of the image's own; what it makes is resized back. 0.5 suits a network that
    /// was trained on images of 1024 pixels resized to 512 (data.load_size).
    /// </summary>
    [Range(0.05, 8.0)]
    public double Scale { get; init; } = 1;

    /// <summary>Micrometres per pixel of the training images, to which slides are resampled; null if it is unknown.</summary>
    [Range(0.01, 100.0)]
    public double? Mpp { get; init; }
}
