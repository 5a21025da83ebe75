using System.ComponentModel.DataAnnotations;
using YamlDotNet.Serialization;

namespace Tinctor.Training.Networks;

/// <summary>
/// Which <see cref="DiffusionUnet"/>. The defaults, with as many condition channels as image channels, are the super-resolution paper's
/// network.
/// </summary>
public sealed record DiffusionUnetOptions
{
    /// <summary>Channels of the noisy image.</summary>
    [Range(1, 1024), YamlIgnore]
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the condition that is joined to it; 0 for none.</summary>
    [Range(0, 1024), YamlIgnore]
    public int ConditionChannels { get; init; }

    /// <summary>Channels of the prediction.</summary>
    [Range(1, 1024), YamlIgnore]
    public int OutChannels { get; init; } = 3;

    /// <summary>Channels at full size where its multiplier is 1; a multiple of 32, since norms have 32 groups.</summary>
    [Range(32, 4096)]
    public int ModelChannels { get; init; } = 128;

    /// <summary>How many times as many channels each level has; each has half the size of the one before.</summary>
    [MinLength(1)]
    public int[] ChannelMult { get; init; } = [1, 1, 2, 2, 4, 4];

    /// <summary>Residual blocks a level on the way down; one more on the way up.</summary>
    [Range(1, 64)]
    public int NumResBlocks { get; init; } = 2;

    /// <summary>How much smaller than the image features are that attend to themselves; those in the middle always do.</summary>
    public int[] AttentionResolutions { get; init; } = [16, 32];

    /// <summary>Attention heads, where <see cref="NumHeadChannels"/> leaves that open.</summary>
    [Range(1, 1024)]
    public int NumHeads { get; init; } = 4;

    /// <summary>Channels of each head, so that wider features have more heads; -1 for <see cref="NumHeads"/> everywhere.</summary>
    [Range(-1, 4096)]
    public int NumHeadChannels { get; init; } = -1;

    /// <summary>
    /// Whether queries, keys and values are first split from each other and then into heads, as in guided diffusion's new order.
    /// </summary>
    public bool UseNewAttentionOrder { get; init; }

    /// <summary>Whether the time scales and shifts normalised features; otherwise it is added to them.</summary>
    public bool UseScaleShiftNorm { get; init; } = true;

    /// <summary>Whether residual blocks change the size, in place of strided and up-convolutions.</summary>
    public bool ResblockUpdown { get; init; }

    /// <summary>Whether what changes the size otherwise is convolutions; false is averaging and repeating.</summary>
    public bool ConvResample { get; init; } = true;

    /// <summary>Dropout in the residual blocks.</summary>
    [Range(0.0, 0.99)]
    public double Dropout { get; init; }

    /// <summary>Whether training computes each block twice, to keep only what goes into it; not together with dropout.</summary>
    public bool UseCheckpoint { get; init; }

    /// <summary>Heights and widths are multiples of this.</summary>
    public int SizeMultiple => 1 << (ChannelMult.Length - 1);

    /// <summary>The original pixel-space BBDM's network (Li et al. 2023): 237,094,787 parameters. Only its middle attends.</summary>
    public static DiffusionUnetOptions Bbdm { get; } = new()
    {
        ConditionChannels = 3,
        ChannelMult = [1, 4, 8],
        AttentionResolutions = [32, 16, 8],
        NumHeads = 8,
        NumHeadChannels = 64,
        ResblockUpdown = true,
    };

    /// <summary>
    /// I2SB's network (Liu et al. 2023), guided diffusion's at 256 pixels: 552,807,171 parameters, 552,814,083 with x1 as a condition.
    /// </summary>
    public static DiffusionUnetOptions I2sb { get; } = new()
    {
        ModelChannels = 256,
        AttentionResolutions = [8, 16, 32],
        NumHeadChannels = 64,
        ResblockUpdown = true,
    };

    /// <summary>
    /// Improved diffusion's super-resolution network at 256 pixels (Nichol and Dhariwal 2021), on whose defaults the super-resolution
    /// paper's code builds: 124,056,707 parameters.
    /// </summary>
    public static DiffusionUnetOptions SuperResolution { get; } = new() { ConditionChannels = 3 };

    /// <summary>Into how many heads a feature of so many channels is split.</summary>
    /// <exception cref="TinctorException">It cannot be.</exception>
    internal int Heads(int channels)
    {
        (string setting, int value) = NumHeadChannels > 0 ? ("num_head_channels", NumHeadChannels) : ("num_heads", NumHeads);
        if (channels % value != 0)
            throw new TinctorException($"{setting} is {value}; it must divide the {channels} channels of a feature with attention");
        return NumHeadChannels > 0 ? channels / value : value;
    }

    /// <summary>Refuses what no network can be made of.</summary>
    /// <exception cref="TinctorException">The message names the setting.</exception>
    internal void Check()
    {
        if (ModelChannels % GroupNorm32.Groups != 0)
            throw new TinctorException($"model_channels is {ModelChannels}; it must be a multiple of {GroupNorm32.Groups}");
        if (ChannelMult.Any(multiple => multiple < 1))
            throw new TinctorException($"channel_mult is {string.Join(", ", ChannelMult)}; multiples are 1 or more");
        if (Dropout > 0 && UseCheckpoint)
            throw new TinctorException("dropout and use_checkpoint exclude each other: a block computed twice would differ");
    }
}
