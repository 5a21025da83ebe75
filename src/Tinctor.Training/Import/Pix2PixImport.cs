using System.Text.RegularExpressions;
using Tinctor.Torch;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Import;

/// <summary>Imports generators of the official pix2pix/CycleGAN repository.</summary>
internal static partial class Pix2PixImport
{
    /// <summary>Imports a checkpoint such as latest_net_G.pth.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="statistics">"running" or "batch", see <see cref="InferenceConfig"/>.</param>
    /// <exception cref="TinctorException">The file contains no such generator.</exception>
    public static ImportedModel Read(string path, string statistics)
    {
        OrderedDictionary<string, Tensor> weights = ImportedModel.ReadWeights(path);
        List<string> notes = DropInstanceStatistics(weights);
        bool unet = weights.ContainsKey("model.model.0.weight") && weights.ContainsKey("model.model.3.weight");
        Pix2PixConfig config = unet ? Unet(weights, path)
            : weights.Keys.Any(key => ResnetBlockKey().IsMatch(key)) && weights.ContainsKey("model.1.weight") ? Resnet(weights, path)
            : throw new TinctorException(path, $"no generator of pix2pix or CycleGAN; the first key is {weights.Keys.FirstOrDefault()}",
                "Name the generator's checkpoint, such as latest_net_G.pth");
        config = config with { Inference = new InferenceConfig { Statistics = statistics } };
        string description = $"{config.Generator}, ngf {config.Ngf}, {config.Norm.ToString().ToLowerInvariant()} norm, "
            + $"{config.InputChannels} to {config.OutputChannels} channels";
        return ImportedModel.Create(path, "pix2pix", config, weights, description, notes);
    }

    private static Pix2PixConfig Resnet(OrderedDictionary<string, Tensor> weights, string path)
    {
        Tensor first = weights["model.1.weight"], last = weights[weights.Keys.Last(key => key.EndsWith(".weight"))];
        int blocks = weights.Keys.Select(key => ResnetBlockKey().Match(key)).Where(match => match.Success)
            .Select(match => match.Groups[1].Value).Distinct().Count();
        if (blocks is not (6 or 9)) throw new TinctorException(path, $"{blocks} residual blocks, but only 6 or 9 are supported");
        return new()
        {
            Generator = $"resnet_{blocks}blocks",
            Ngf = (int)first.size(0),
            InputChannels = (int)first.size(1),
            OutputChannels = (int)last.size(0),
            Norm = NormOf(weights, batch: "model.2.running_mean", bias: "model.1.bias"),
            // Dropout shifts the second convolution of a block by one position.
            Dropout = weights.ContainsKey("model.10.conv_block.6.weight") && weights["model.10.conv_block.6.weight"].ndim == 4,
        };
    }

    private static Pix2PixConfig Unet(OrderedDictionary<string, Tensor> weights, string path)
    {
        Tensor first = weights["model.model.0.weight"];
        // Each level adds "model.N" to the keys, so the deepest key has one per downsampling.
        int downs = weights.Keys.Max(key => UnetLevel().Count(key));
        if (downs is not (7 or 8 or 9)) throw new TinctorException(path, $"a U-Net of {downs} levels, but only 7, 8 or 9 are supported");
        return new()
        {
            Generator = $"unet_{1 << downs}",
            Ngf = (int)first.size(0),
            InputChannels = (int)first.size(1),
            OutputChannels = (int)weights["model.model.3.weight"].size(1),
            Norm = NormOf(weights, batch: "model.model.1.model.2.running_mean", bias: "model.model.0.bias"),
            // Dropout has no weights and does not affect staining.
            Dropout = false,
        };
    }

    private static Norm NormOf(OrderedDictionary<string, Tensor> weights, string batch, string bias) =>
        weights.ContainsKey(batch) ? Norm.Batch : weights.ContainsKey(bias) ? Norm.Instance : Norm.None;

    // Checkpoints of PyTorch before 0.4 contain unused running statistics of instance norms, which have no weight.
    private static List<string> DropInstanceStatistics(OrderedDictionary<string, Tensor> weights)
    {
        string[] stale = [.. weights.Keys.Where(key => IsStatistic(key) && !weights.ContainsKey(key[..key.LastIndexOf('.')] + ".weight"))];
        foreach (string key in stale) weights.Remove(key);
        return stale.Length == 0
            ? []
            : [$"{stale.Length} unused running statistics of instance norms (from PyTorch before 0.4) were not imported"];
    }

    private static bool IsStatistic(string key) =>
        key.EndsWith(".running_mean") || key.EndsWith(".running_var") || key.EndsWith(".num_batches_tracked");

    [GeneratedRegex(@"^model\.(\d+)\.conv_block\.")]
    private static partial Regex ResnetBlockKey();

    [GeneratedRegex(@"model\.\d+")]
    private static partial Regex UnetLevel();
}
