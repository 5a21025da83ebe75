using System.ComponentModel.DataAnnotations;
using YamlDotNet.Serialization;

namespace Tinctor.Training.Networks;

/// <summary>
/// Architecture of a <see cref="DiffusionUnet"/>. The defaults, with as many condition channels as image channels, are those of the
/// super-resolution paper.
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

    /// <summary>Base number of channels; a multiple of 32, the number of groups of norms.</summary>
    [Range(32, 4096)]
    public int ModelChannels { get; init; } = 128;

    /// <summary>Channel multipliers of the levels; each level has half the resolution of the previous one.</summary>
    [MinLength(1)]
    public int[] ChannelMult { get; init; } = [1, 1, 2, 2, 4, 4];

    /// <summary>Residual blocks per level of the downward path; one more in the upward path.</summary>
    [Range(1, 64)]
    public int NumResBlocks { get; init; } = 2;

    /// <summary>Downsampling factors of levels with self-attention; the middle always has it.</summary>
    public int[] AttentionResolutions { get; init; } = [16, 32];

    /// <summary>Number of attention heads, if <see cref="NumHeadChannels"/> is -1.</summary>
    [Range(1, 1024)]
    public int NumHeads { get; init; } = 4;

    /// <summary>Channels per attention head; -1 for a fixed number of heads, <see cref="NumHeads"/>.</summary>
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

    /// <summary>Whether resampling uses convolutions; otherwise averaging and repetition.</summary>
    public bool ConvResample { get; init; } = true;

    /// <summary>Dropout in the residual blocks.</summary>
    [Range(0.0, 0.99)]
    public double Dropout { get; init; }

    /// <summary>Gradient checkpointing: training computes each block twice to save memory; not together with dropout.</summary>
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

    /// <summary>Computes the number of attention heads of a feature.</summary>
    /// <exception cref="TinctorException">The channels cannot be split; the message names the setting.</exception>
    internal int Heads(int channels)
    {
        (string setting, int value) = NumHeadChannels > 0 ? ("num_head_channels", NumHeadChannels) : ("num_heads", NumHeads);
        if (channels % value != 0)
        {
            throw new TinctorException(null,
                $"{setting} is {value}, expected a divisor of the {channels} channels of a level with attention",
                $"Use model.network.{setting}={Enumerable.Range(1, value).Last(divisor => channels % divisor == 0)}");
        }
        return NumHeadChannels > 0 ? channels / value : value;
    }

    /// <summary>Checks the options.</summary>
    /// <exception cref="TinctorException">The message names the setting.</exception>
    internal void Check()
    {
        if (ModelChannels % GroupNorm32.Groups != 0)
        {
            throw new TinctorException(null, $"model_channels is {ModelChannels}, expected a multiple of {GroupNorm32.Groups}",
                $"Use model.network.model_channels={(ModelChannels / GroupNorm32.Groups + 1) * GroupNorm32.Groups}");
        }
        if (ChannelMult.Any(multiple => multiple < 1))
        {
            throw new TinctorException(null, $"channel_mult is {string.Join(", ", ChannelMult)}, expected multipliers of 1 or more",
                "Correct model.network.channel_mult");
        }
        if (Dropout > 0 && UseCheckpoint)
        {
            throw new TinctorException(null, $"dropout is {Dropout}, but use_checkpoint computes blocks twice, with different dropout",
                "Use model.network.dropout=0, or model.network.use_checkpoint=false");
        }
    }
}
