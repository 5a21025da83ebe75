using Tinctor.Staining.Bridges;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Import;

/// <summary>
/// Imports networks of the official repositories of BBDM, super-resolved virtual staining and I2SB. Options that the weights do not
/// determine (attention heads and their order, objective, sampling) have the defaults of these repositories; settings such as
/// "model.network.num_heads=8" override them.
/// </summary>
internal static class BridgeImport
{
    /// <summary>
    /// Imports a Brownian bridge. A checkpoint with a schedule is imported as <see cref="BrownianVariant.Bbdm"/>, others as
    /// <see cref="BrownianVariant.Official"/>, the staining repository. That repository writes two files: NAME.pt, the U-Net, and
    /// NAME_compress.pt, the network that matches sources to the size and channels of targets.
    /// </summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="compressor">Second file; null for NAME_compress.pt if it exists.</param>
    /// <param name="averaged">Whether to import the running average of the weights if the file contains it.</param>
    /// <param name="settings">Settings that override the defaults.</param>
    /// <exception cref="TinctorException">The file contains no such network.</exception>
    public static ImportedModel Bbdm(string path, string? compressor = null, bool averaged = true, IEnumerable<string>? settings = null)
    {
        OfficialUnet unet = OfficialUnet.Read(path, averaged);
        var config = new BbdmConfig
        {
            Network = unet.Options,
            Sampling = new(),
            Variant = BrownianVariant.Official,
            InputChannels = unet.Options.OutChannels,
            OutputChannels = unet.Options.OutChannels,
        };
        if (unet.Others.TryGetValue("m_t", out Tensor? growth) && unet.Others.TryGetValue("variance_t", out Tensor? variance))
        {
            if (compressor is not null) throw new TinctorException(path, "a BBDM has no compressor", "Import it without one");
            return Create(path, "bbdm", WithSchedule(config, growth, variance), Prefixed("denoise.", unet.Weights), settings);
        }
        if ((compressor ?? Beside(path)) is not string second)
            return Create(path, "bbdm", config, Prefixed("denoise.", unet.Weights), settings,
                "no compressor found; the model stains images with the size and channels of targets");
        OrderedDictionary<string, Tensor> match = ImportedModel.ReadWeights(second);
        return Create(path, "bbdm", WithMatcher(config, match, second),
            [.. Prefixed("denoise.", unet.Weights), .. Prefixed("match.", match)],
            settings, $"compressor: {Path.GetFileName(second)}, {match["in_layers.0.weight"].size(1)} channels");
    }

    /// <summary>Imports a Schrödinger bridge of I2SB. A network with more input channels than the state is conditioned on x1.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="averaged">Whether to import the running average of the weights if the file contains it.</param>
    /// <param name="settings">Settings that override the defaults.</param>
    /// <exception cref="TinctorException">The file contains no such network.</exception>
    public static ImportedModel I2sb(string path, bool averaged = true, IEnumerable<string>? settings = null)
    {
        OfficialUnet unet = OfficialUnet.Read(path, averaged);
        var config = new I2sbConfig
        {
            Network = unet.Options,
            Sampling = new(),
            CondX1 = unet.Options.ConditionChannels > 0,
            InputChannels = unet.Options.OutChannels,
            OutputChannels = unet.Options.OutChannels,
        };
        return Create(path, "i2sb", config, Prefixed("denoise.", unet.Weights), settings);
    }

    private static ImportedModel Create(string path, string method, BridgeConfig config, IEnumerable<KeyValuePair<string, Tensor>> weights,
        IEnumerable<string>? settings, params string[] notes)
    {
        config = (BridgeConfig)ConfigFile.With(new ModelConfig { Method = method, Model = config }, settings ?? []).Model;
        DiffusionUnetOptions unet = config.Network;
        string heads = unet.NumHeadChannels > 0 ? $"of {unet.NumHeadChannels} channels" : $"{unet.NumHeads} each";
        string order = unet.UseNewAttentionOrder ? "new" : "old";
        return ImportedModel.Create(path, method, config, weights.ToDictionary(), Describe(config),
            [.. notes, $"assumed, as weights do not determine them: attention heads ({heads}) and their order ({order}). Change them with "
                + "model.network.num_head_channels, num_heads and use_new_attention_order"]);
    }

    private static string Describe(BridgeConfig config)
    {
        string bridge = config switch
        {
            BbdmConfig { Variant: BrownianVariant.Bbdm } => "BBDM",
            BbdmConfig { Upscaling: > 1 } staining => $"super-resolved virtual staining, {staining.Factor} times as large",
            BbdmConfig => "super-resolved virtual staining",
            _ => config.Conditioned ? "I2SB, conditioned on x1" : "I2SB",
        };
        return $"{bridge}, {config.Steps} steps, U-Net of {config.Network.ModelChannels} channels times "
            + $"{string.Join(", ", config.Network.ChannelMult)}";
    }

    /// <summary>Finds the settings of the schedule with the given m_t and variance_t.</summary>
    internal static BbdmConfig WithSchedule(BbdmConfig config, Tensor growth, Tensor variance)
    {
        double[] m = growth.to(ScalarType.Float64).ToArray<double>(), s2 = variance.to(ScalarType.Float64).ToArray<double>();
        int half = m.Length / 2;
        return config with
        {
            Variant = BrownianVariant.Bbdm,
            Steps = m.Length,
            // Midway, the weight of the source is one half (linear) or nearly zero (exponential).
            Growth = m[half] > 0.25 ? BridgeGrowth.Linear : BridgeGrowth.Exponential,
            // Rounding removes the error of float32.
            MaxVariance = Math.Round(s2[half] / (2 * m[half] * (1 - m[half])), 5),
        };
    }

    private static BbdmConfig WithMatcher(BbdmConfig config, OrderedDictionary<string, Tensor> match, string path)
    {
        if (!match.TryGetValue("in_layers.0.weight", out Tensor? first) || !match.TryGetValue("upsample.0.weight", out Tensor? widening))
        {
            throw new TinctorException(path,
                $"no compressor of super-resolved virtual staining; the first key is {match.Keys.FirstOrDefault()}",
                "Name the file ending in _compress.pt");
        }
        int width = (int)first.size(0);
        return config with { InputChannels = (int)first.size(1), MatcherWidth = width, Factor = (int)widening.size(0) / width };
    }

    private static string? Beside(string path)
    {
        string second = Path.ChangeExtension(path, null) + "_compress" + Path.GetExtension(path);
        return File.Exists(second) ? second : null;
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Prefixed(string prefix, IEnumerable<KeyValuePair<string, Tensor>> weights) =>
        weights.Select(pair => KeyValuePair.Create(prefix + pair.Key, pair.Value));
}
