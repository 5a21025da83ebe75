using System.Text.RegularExpressions;
using Tinctor.Torch;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.CycleGan;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Methods.PyramidPix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Import;

/// <summary>Imports generators of the official repositories of pix2pix, CycleGAN and PyramidPix2pix.</summary>
internal static partial class Pix2PixImport
{
    /// <summary>Imports a checkpoint of pix2pix, such as latest_net_G.pth.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="statistics">"running" or "batch", see <see cref="InferenceConfig"/>.</param>
    /// <param name="stains">Stains of the input's last channels, which are constant planes; empty for a model of one stain.</param>
    /// <exception cref="TinctorException">The file contains no such generator.</exception>
    public static ImportedModel Read(string path, string statistics, params IReadOnlyList<string> stains) =>
        Read(path, "pix2pix", found => Configure(new Pix2PixConfig(), found, statistics, stains));

    /// <summary>Imports a checkpoint of PyramidPix2pix, such as latest_net_G.pth.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="statistics">"running" or "batch", see <see cref="InferenceConfig"/>.</param>
    /// <param name="stains">Stains of the input's last channels, which are constant planes; empty for a model of one stain.</param>
    /// <exception cref="TinctorException">The file contains no such generator.</exception>
    public static ImportedModel ReadPyramid(string path, string statistics, params IReadOnlyList<string> stains) =>
        Read(path, "pyramid-pix2pix", found => Configure(new PyramidPix2PixConfig(), found, statistics, stains));

    /// <summary>Imports a generator of CycleGAN, such as latest_net_G_A.pth, or latest_net_G.pth of a published model.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="statistics">"running" or "batch", see <see cref="InferenceConfig"/>.</param>
    /// <param name="direction">AtoB for G_A, BtoA for G_B.</param>
    /// <exception cref="TinctorException">The file contains no such generator.</exception>
    public static ImportedModel ReadCycleGan(string path, string statistics, string direction)
    {
        ImportedModel model = Read(path, "cyclegan", found => new CycleGanConfig
        {
            Generator = found.Generator,
            Ngf = found.Ngf,
            InputChannels = found.InputChannels,
            OutputChannels = found.OutputChannels,
            Norm = found.Norm,
            Dropout = found.Dropout,
            Inference = new InferenceConfig { Statistics = statistics },
        });
        return model with { Config = model.Config with { Direction = direction } };
    }

    private static MethodConfig Configure(
        Pix2PixConfig defaults, Architecture found, string statistics, IReadOnlyList<string> stains)
    {
        if (stains.Count == 1 || stains.Distinct().Count() < stains.Count)
        {
            throw new OptionException(nameof(MethodConfig.Stains),
                $"the stains are {string.Join(", ", stains)}, expected several different ones",
                "Name one stain for each plane, or none for a network without planes");
        }
        if (stains.Count >= found.InputChannels)
        {
            throw new OptionException(nameof(MethodConfig.Stains), $"{stains.Count} stains are named, but the network has "
                + $"{found.InputChannels} input channels with the planes of the stains",
                "Name the stains that the network was trained with");
        }
        var config = defaults with
        {
            Generator = found.Generator,
            Ngf = found.Ngf,
            InputChannels = found.InputChannels - stains.Count,
            OutputChannels = found.OutputChannels,
            Norm = found.Norm,
            Dropout = found.Dropout,
            Stains = [.. stains],
            StainCondition = StainInput.Planes,
            Inference = new InferenceConfig { Statistics = statistics },
        };
        return stains.Count == 0 ? config with { StainCondition = defaults.StainCondition } : config;
    }

    private static ImportedModel Read(string path, string method, Func<Architecture, MethodConfig> configure)
    {
        OrderedDictionary<string, Tensor> weights = ImportedModel.ReadWeights(path);
        List<string> notes = [.. DropInstanceStatistics(weights), .. DropGatingAliases(weights)];
        bool unet = weights.ContainsKey("model.model.0.weight") && weights.ContainsKey("model.model.3.weight");
        Architecture found = unet ? Unet(weights, path)
            : weights.Keys.Any(key => ResnetBlockKey().IsMatch(key)) && weights.ContainsKey("model.1.weight") ? Resnet(weights, path)
            : throw new TinctorException(path, $"no generator of pix2pix or CycleGAN; the first key is {weights.Keys.FirstOrDefault()}",
                "Name the generator's checkpoint, such as latest_net_G.pth");
        string description = $"{found.Generator}, ngf {found.Ngf}, {found.Norm.ToString().ToLowerInvariant()} norm, "
            + $"{found.InputChannels} to {found.OutputChannels} channels";
        return ImportedModel.Create(path, method, configure(found), weights, description, notes);
    }

    private static Architecture Resnet(OrderedDictionary<string, Tensor> weights, string path)
    {
        Tensor first = weights["model.1.weight"], last = weights[weights.Keys.Last(key => key.EndsWith(".weight"))];
        int blocks = weights.Keys.Select(key => ResnetBlockKey().Match(key)).Where(match => match.Success)
            .Select(match => match.Groups[1].Value).Distinct().Count();
        if (blocks is not (6 or 9)) throw new TinctorException(path, $"{blocks} residual blocks, but only 6 or 9 are supported");
        return new($"resnet_{blocks}blocks", (int)first.size(0), (int)first.size(1), (int)last.size(0),
            NormOf(weights, batch: "model.2.running_mean", bias: "model.1.bias"),
            // Dropout shifts the second convolution of a block by one position.
            Dropout: weights.TryGetValue("model.10.conv_block.6.weight", out Tensor? second) && second.ndim == 4);
    }

    private static Architecture Unet(OrderedDictionary<string, Tensor> weights, string path)
    {
        Tensor first = weights["model.model.0.weight"];
        // Each level adds "model.N" to the keys, so the deepest key has one per downsampling.
        int downs = weights.Keys.Max(key => UnetLevel().Count(key));
        bool hasAttention = weights.ContainsKey("model.model.1.theta.weight");
        if (hasAttention ? downs != 5 : downs is not (7 or 8 or 9))
            throw new TinctorException(path, $"a U-Net of {downs} levels, but only 7, 8 or 9 are supported, and 5 with attention gates");
        // Dropout has no weights and does not affect staining.
        string generator = hasAttention ? NamedGenerator.AttentionUnet : $"unet_{1 << downs}";
        return new(generator, (int)first.size(0), (int)first.size(1), (int)weights["model.model.3.weight"].size(1),
            NormOf(weights, batch: "model.model.1.model.2.running_mean", bias: "model.model.0.bias"), Dropout: false);
    }

    private static Norm NormOf(OrderedDictionary<string, Tensor> weights, string batch, string bias) =>
        weights.ContainsKey(batch) ? Norm.Batch : weights.ContainsKey(bias) ? Norm.Instance : Norm.None;

    // Checkpoints of PyTorch before 0.4 contain unused running statistics of instance norms, which have no weight.
    internal static List<string> DropInstanceStatistics(OrderedDictionary<string, Tensor> weights)
    {
        string[] stale = [.. weights.Keys.Where(key => IsStatistic(key) && !weights.ContainsKey(key[..key.LastIndexOf('.')] + ".weight"))];
        foreach (string key in stale) weights.Remove(key);
        return stale.Length == 0
            ? []
            : [$"{stale.Length} unused running statistics of instance norms (from PyTorch before 0.4) were not imported"];
    }

    // The official attention blocks register their lower levels twice, as parts of "model" and of "gating".
    private static List<string> DropGatingAliases(OrderedDictionary<string, Tensor> weights)
    {
        string[] aliases = [.. weights.Keys.Where(key => key.Contains(".gating."))];
        foreach (string key in aliases) weights.Remove(key);
        return aliases.Length == 0 ? [] : [$"{aliases.Length} second names of the same weights (gating) were not imported"];
    }

    private static bool IsStatistic(string key) =>
        key.EndsWith(".running_mean") || key.EndsWith(".running_var") || key.EndsWith(".num_batches_tracked");

    // Architecture inferred from the weights.
    private sealed record Architecture(string Generator, int Ngf, int InputChannels, int OutputChannels, Norm Norm, bool Dropout);

    [GeneratedRegex(@"^model\.(\d+)\.conv_block\.")]
    private static partial Regex ResnetBlockKey();

    [GeneratedRegex(@"model\.\d+")]
    private static partial Regex UnetLevel();
}
