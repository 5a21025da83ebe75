using System.ComponentModel.DataAnnotations;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Bridges;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Bridges;

/// <summary>Settings common to all methods that stain by a diffusion bridge.</summary>
public abstract record BridgeConfig : MethodConfig
{
    /// <summary>The U-Net; its channels follow from the images.</summary>
    public DiffusionUnetOptions Network { get; init; } = new();

    /// <summary>How images are sampled when staining.</summary>
    public BridgeSampling Sampling { get; init; } = BridgeSampling.Quick;

    /// <summary>Steps between source and image.</summary>
    [Range(2, 100_000)]
    public int Steps { get; init; } = 1000;

    /// <summary>l2 or l1: how far the network's answer is from the right one.</summary>
    [AllowedValues("l1", "l2")]
    public string Loss { get; init; } = "l2";

    /// <summary>AdamW's learning rate.</summary>
    [Range(0.0, 1.0)]
    public double Lr { get; init; } = 1e-4;

    /// <summary>AdamW's weight decay.</summary>
    [Range(0.0, 1.0)]
    public double WeightDecay { get; init; }

    /// <summary>Channels inside of the network that brings sources to the targets' size and channels, where they differ.</summary>
    [Range(1, 1024)]
    public int MatcherWidth { get; init; } = 64;

    /// <summary>Whether the network sees the source beside each state.</summary>
    public abstract bool Conditioned { get; }

    /// <summary>Whether training adds noise to the states.</summary>
    public virtual bool Noisy => true;

    /// <summary>Whether sources are brought to the targets' size and channels by a network of their own.</summary>
    public bool Matches => Upscaling > 1 || InputChannels != OutputChannels;

    /// <inheritdoc/>
    public override int SizeMultiple =>
        // The U-Net halves targets so often; of that, upscaling gives the twos that it has.
        Math.Max(1, (1 << (Network.ChannelMult.Length - 1)) / (Upscaling & -Upscaling));

    /// <summary>Describes the bridge: schedule, prediction of the network and default sampling.</summary>
    /// <exception cref="TinctorException">There is no such bridge.</exception>
    public abstract BridgeDescription DescribeBridge();

    /// <summary>Creates the bridge for training.</summary>
    /// <exception cref="TinctorException">There is no such bridge.</exception>
    public Bridge CreateBridge()
    {
        BridgeDescription description = DescribeBridge();
        return new(description.CreateSchedule(), description.Objective);
    }

    /// <inheritdoc/>
    public override ModelDescription Describe(string method) => base.Describe(method) with { Bridge = DescribeBridge() };

    /// <inheritdoc/>
    public override MethodConfig Completed()
    {
        // What cannot be sampled is not worth training.
        Sampling.CreatePlan(DescribeBridge().CreateSchedule());
        return this;
    }

    /// <inheritdoc/>
    public override Method Create(Device device) => new BridgeMethod(this, device);

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => CreateNetwork();

    /// <summary>The staining network.</summary>
    public BridgeGenerator CreateNetwork() => new(this);

    /// <summary>The U-Net with the channels of the images.</summary>
    public DiffusionUnet CreateUnet() => new(Network with
    {
        InChannels = OutputChannels,
        OutChannels = OutputChannels,
        ConditionChannels = Conditioned ? OutputChannels : 0,
    });
}
