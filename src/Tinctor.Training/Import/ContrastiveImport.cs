using System.Text.RegularExpressions;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Contrastive;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Import;

/// <summary>Imports generators of the official repositories of CUT, ASP, SIM-GAN and PSPStain.</summary>
internal static partial class ContrastiveImport
{
    /// <summary>Imports a checkpoint such as latest_net_G.pth.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="method">Method of this project: cut, fastcut, asp, sim-gan or psp-stain.</param>
    /// <param name="statistics">"running" or "batch", see <see cref="InferenceConfig"/>.</param>
    /// <exception cref="TinctorException">The file contains no such generator.</exception>
    public static ImportedModel Read(string path, string method, string statistics)
    {
        OrderedDictionary<string, Tensor> weights = ImportedModel.ReadWeights(path);
        RequireGenerator(path, weights);
        int first = weights.Keys.Select(Block).Where(block => block >= 0).Min();
        int blocks = weights.Keys.Select(Block).Where(block => block >= 0).Distinct().Count();
        if (blocks is not (4 or 6 or 9)) throw new TinctorException(path, $"{blocks} residual blocks, but only 4, 6 or 9 are supported");
        bool spectral = weights.ContainsKey("model.1.weight_orig");
        string weight = spectral ? "weight_orig" : "weight";
        int[] filters = [.. weights.Where(pair => pair.Key.EndsWith(".filt", StringComparison.Ordinal))
            .Select(pair => (int)pair.Value.size(2))];
        Tensor convolution = weights[$"model.1.{weight}"];
        string last = weights.Keys.Last(key => key.EndsWith($".{weight}", StringComparison.Ordinal));
        var config = (ContrastiveConfig)RunConfig.Methods[method].Model with
        {
            Generator = $"resnet_{blocks}blocks",
            Ngf = (int)convolution.size(0),
            InputChannels = (int)convolution.size(1),
            OutputChannels = (int)weights[last].size(0),
            NormG = weights.ContainsKey("model.2.weight") ? Norm.Batch : weights.ContainsKey("model.1.bias") ? Norm.Instance : Norm.None,
            SpectralNorm = spectral,
            Antialias = filters.Contains(3),
            AntialiasUp = filters.Contains(4),
            NDownsampling = (first - 4) / (filters.Contains(3) ? 4 : 3),
            // Dropout shifts the second convolution of a block by one position.
            Dropout = weights.ContainsKey($"model.{first}.conv_block.6.{weight}"),
            Inference = new InferenceConfig { Statistics = statistics },
        };
        return ImportedModel.Create(path, method, config, weights, Describe(config), Companions(path));
    }

    private static void RequireGenerator(string path, OrderedDictionary<string, Tensor> weights)
    {
        if (Has("model.1.weight") && weights.Keys.Any(key => Block(key) >= 0)) return;
        string problem = Has("mlp_0.0.weight") ? "the weights are those of the perceptrons of PatchNCE (netF)"
            : Has("enc.") || weights.ContainsKey("model.0.weight") ? "the weights are those of a discriminator (netD)"
            : $"no ResNet generator of CUT; the first key is {weights.Keys.FirstOrDefault()}";
        throw new TinctorException(path, problem, "Name the generator's checkpoint, such as latest_net_G.pth");

        bool Has(string start) => weights.Keys.Any(key => key.StartsWith(start, StringComparison.Ordinal));
    }

    private static string Describe(ContrastiveConfig config) => $"{config.Generator}, ngf {config.Ngf}, "
        + $"{config.NormG.ToString().ToLowerInvariant()} norm, {(config.Antialias ? "" : "not ")}anti-aliased"
        + $"{(config.SpectralNorm ? ", spectral norm" : "")}, {config.InputChannels} to {config.OutputChannels} channels";

    // Staining needs the generator alone.
    private static string[] Companions(string path)
    {
        string[] others = [.. StartWeights.Companions(path).Select(pair => Path.GetFileName(pair.Path))];
        return others.Length == 0 ? []
            : [$"not imported, as only training uses them: {string.Join(", ", others)}; training.start_from={Path.GetFileName(path)} takes "
                + "them too"];
    }

    private static int Block(string key) => BlockKey().Match(key) is { Success: true } match ? int.Parse(match.Groups[1].Value) : -1;

    [GeneratedRegex(@"^model\.(\d+)\.conv_block\.")]
    private static partial Regex BlockKey();
}
