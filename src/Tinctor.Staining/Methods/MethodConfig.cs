using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Staining.Methods;

/// <summary>The settings of a method, under "model" in config.yaml. Defaults are the paper's values.</summary>
public abstract record MethodConfig
{
    /// <summary>Channels of the source images.</summary>
    [Range(1, 64)]
    public int InputChannels { get; init; } = 3;

    /// <summary>Channels of the target images.</summary>
    [Range(1, 64)]
    public int OutputChannels { get; init; } = 3;

    /// <summary>How the trained network is run when it stains.</summary>
    public InferenceConfig Inference { get; init; } = new();

    /// <summary>Builds the method with freshly initialised networks, for training.</summary>
    public abstract Method Create(Device device);

    /// <summary>Builds the staining network alone, without initial values of meaning.</summary>
    public abstract Module<Tensor, Tensor> CreateGenerator();

    /// <summary>Height and width that the staining network takes are multiples of this.</summary>
    public abstract int SizeMultiple { get; }

    /// <summary>The smallest height and width that the staining network takes.</summary>
    public virtual int SmallestSize => SizeMultiple;

    /// <summary>The smallest crop that can be trained on.</summary>
    public virtual int SmallestCrop => SmallestSize;
}

/// <summary>One stated way in which a trained network is run.</summary>
public sealed record InferenceConfig
{
    /// <summary>
    /// Which statistics normalisation layers use: "running" (those of training; the output does not depend on what else is in the
    /// image) or "batch" (those of the image itself, as the official pix2pix test script without --eval).
    /// </summary>
    [AllowedValues("running", "batch")]
    public string Statistics { get; init; } = "running";
}
