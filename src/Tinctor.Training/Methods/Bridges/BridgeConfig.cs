using System.ComponentModel.DataAnnotations;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Bridges;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Bridges;

/// <summary>Settings common to diffusion bridges.</summary>
public abstract record BridgeConfig : MethodConfig
{
    /// <summary>U-Net; the numbers of input and output channels follow from the images.</summary>
    public DiffusionUnetOptions Network { get; init; } = new();

    /// <summary>Default sampling for staining.</summary>
    public BridgeSampling Sampling { get; init; } = BridgeSampling.Quick;

    /// <summary>Number of steps of the bridge.</summary>
    [Range(2, 100_000)]
    public int Steps { get; init; } = 1000;

    /// <summary>Loss of the prediction: l2 or l1.</summary>
    [AllowedValues("l1", "l2")]
    public string Loss { get; init; } = "l2";

    /// <summary>Learning rate of AdamW.</summary>
    [Range(0.0, 1.0)]
    public double Lr { get; init; } = 1e-4;

    /// <summary>Weight decay of AdamW.</summary>
    [Range(0.0, 1.0)]
    public double WeightDecay { get; init; }

    /// <summary>Inner channels of the network that matches sources to the size and channels of targets, if they differ.</summary>
    [Range(1, 1024)]
    public int MatcherWidth { get; init; } = 64;

    /// <summary>
    /// Region of the z-score of sources that are matched to targets: image (the whole image or slide, in training and staining) or crop (as
    /// the official code).
    /// </summary>
    public ZScoreRegion ZScore { get; init; } = ZScoreRegion.Crop;

    /// <inheritdoc/>
    public override bool StandardizesSource => HasMatcher && ZScore == ZScoreRegion.Image;

    /// <inheritdoc/>
    internal override bool TakesStains => true;

    /// <summary>Whether the source is an additional input of the network.</summary>
    public abstract bool Conditioned { get; }

    /// <summary>Whether training adds noise to the states.</summary>
    public virtual bool Noisy => true;

    /// <summary>Whether a separate network matches sources to the size and channels of targets.</summary>
    public bool HasMatcher => Upscaling > 1 || InputChannels != OutputChannels;

    /// <inheritdoc/>
    public override int SizeMultiple =>
        // The U-Net downsamples targets; upscaling provides some of the factors of two.
        Math.Max(1, (1 << (Network.ChannelMult.Length - 1)) / (Upscaling & -Upscaling));

    /// <summary>Describes the bridge: schedule, prediction of the network and default sampling.</summary>
    /// <exception cref="TinctorException">The settings are incompatible.</exception>
    public abstract BridgeDescription DescribeBridge();

    /// <summary>Creates the bridge for training.</summary>
    /// <exception cref="TinctorException">The settings are incompatible.</exception>
    internal Bridge CreateBridge()
    {
        BridgeDescription description = DescribeBridge();
        return new(description.CreateSchedule(), description.Objective);
    }

    /// <inheritdoc/>
    public override ModelDescription Describe(string method) => base.Describe(method) with { Bridge = DescribeBridge() };

    /// <inheritdoc/>
    public override MethodConfig Completed()
    {
        // Invalid sampling settings should fail before the training.
        Sampling.CreatePlan(DescribeBridge().CreateSchedule());
        return this;
    }

    /// <inheritdoc/>
    public override Method Create(Device device) => new BridgeMethod(this, device);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => CreateNetwork();

    /// <summary>Creates the staining network.</summary>
    internal BridgeGenerator CreateNetwork() => new(this);

    /// <summary>Creates the U-Net with the channels of the images.</summary>
    internal DiffusionUnet CreateUnet() => WithStainInput(new DiffusionUnet(Network with
    {
        InChannels = OutputChannels,
        OutChannels = OutputChannels,
        ConditionChannels = Conditioned ? OutputChannels : 0,
    }));
}
