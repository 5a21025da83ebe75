using Tinctor.Staining.Bridges;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Import;

/// <summary>
/// Reads networks of the official repositories of BBDM, of super-resolved virtual staining, and of I2SB. What weights do not tell is as
/// those repositories have it by default: heads and order of attention, the objective, how images are sampled (at every step). Settings such as
/// "model.network.num_heads=8" say otherwise.
/// </summary>
public static class BridgeImport
{
    /// <summary>
    /// Reads a Brownian bridge. A checkpoint of BBDM holds its schedule and becomes <see cref="BrownianVariant.Bbdm"/>; one without is
    /// taken for the staining repository's, <see cref="BrownianVariant.Official"/>. That repository writes two files: beside NAME.pt, the
    /// U-Net, stands NAME_compress.pt, the network that brings sources to the size and channels of targets.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="compressor">The second file; null for the one that stands beside the first, if any.</param>
    /// <param name="averaged">Whether to take the running average of the weights, where the file has both.</param>
    /// <param name="settings">Settings that differ.</param>
    /// <exception cref="TinctorException">It is no such network.</exception>
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
            if (compressor is not null) throw new TinctorException($"{path}: is a BBDM, to which no compressor belongs");
            return Of(path, "bbdm", WithSchedule(config, growth, variance), Prefixed("denoise.", unet.Weights), settings);
        }
        if ((compressor ?? Beside(path)) is not string second)
            return Of(path, "bbdm", config, Prefixed("denoise.", unet.Weights), settings,
                "found no compressor: the model stains images of the target's size and channels");
        OrderedDictionary<string, Tensor> match = ImportedModel.ReadWeights(second);
        return Of(path, "bbdm", WithMatcher(config, match, second), [.. Prefixed("denoise.", unet.Weights), .. Prefixed("match.", match)],
            settings, $"compressor: {Path.GetFileName(second)}, {match["in_layers.0.weight"].size(1)} channels");
    }

    /// <summary>Reads a Schrödinger bridge of I2SB; one that sees more than the state has x1 as its condition.</summary>
    /// <param name="path">The file.</param>
    /// <param name="averaged">Whether to take the running average of the weights, where the file has both.</param>
    /// <param name="settings">Settings that differ.</param>
    /// <exception cref="TinctorException">It is no such network.</exception>
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
        return Of(path, "i2sb", config, Prefixed("denoise.", unet.Weights), settings);
    }

    private static ImportedModel Of(string path, string method, BridgeConfig config, IEnumerable<KeyValuePair<string, Tensor>> weights,
        IEnumerable<string>? settings, params string[] notes)
    {
        config = (BridgeConfig)ConfigFile.With(new ModelConfig { Method = method, Model = config }, settings ?? []).Model;
        DiffusionUnetOptions unet = config.Network;
        string heads = unet.NumHeadChannels > 0 ? $"of {unet.NumHeadChannels} channels" : $"{unet.NumHeads} each";
        string order = unet.UseNewAttentionOrder ? "new" : "old";
        return ImportedModel.Create(path, method, config, weights.ToDictionary(), Describe(config),
            [.. notes, $"not in the weights: heads of attention ({heads}), its order ({order}); the settings model.network.num_head_channels, "
                + "num_heads and use_new_attention_order change them"]);
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

    /// <summary>The schedule that gives m_t and variance_t.</summary>
    internal static BbdmConfig WithSchedule(BbdmConfig config, Tensor growth, Tensor variance)
    {
        double[] m = growth.to(ScalarType.Float64).ToArray<double>(), s2 = variance.to(ScalarType.Float64).ToArray<double>();
        int half = m.Length / 2;
        return config with
        {
            Variant = BrownianVariant.Bbdm,
            Steps = m.Length,
            // Half the way, a state has half of the source or hardly any.
            Growth = m[half] > 0.25 ? BridgeGrowth.Linear : BridgeGrowth.Exponential,
            // From float32.
            MaxVariance = Math.Round(s2[half] / (2 * m[half] * (1 - m[half])), 5),
        };
    }

    private static BbdmConfig WithMatcher(BbdmConfig config, OrderedDictionary<string, Tensor> match, string path)
    {
        if (!match.TryGetValue("in_layers.0.weight", out Tensor? first) || !match.TryGetValue("upsample.0.weight", out Tensor? widening))
            throw new TinctorException($"{path}: is no compressor of super-resolved virtual staining; its first key is "
                + $"{match.Keys.FirstOrDefault()}");
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
