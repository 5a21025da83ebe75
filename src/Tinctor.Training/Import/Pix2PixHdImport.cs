using System.Globalization;
using System.Text.RegularExpressions;
using Tinctor.Torch;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Pix2PixHd;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Import;

/// <summary>Imports generators of NVIDIA/pix2pixHD.</summary>
internal static partial class Pix2PixHdImport
{
    // Layers of a convolution: convolution, normalisation, rectification.
    private const int LayersOfConvolution = 3;

    /// <summary>Imports a checkpoint such as latest_net_G.pth.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="statistics">"running" or "batch", see <see cref="InferenceConfig"/>.</param>
    /// <exception cref="TinctorException">The file contains no such generator.</exception>
    public static ImportedModel Read(string path, string statistics) => Read(path, ImportedModel.ReadWeights(path), statistics);

    /// <summary>Imports the weights of a checkpoint.</summary>
    internal static ImportedModel Read(string path, OrderedDictionary<string, Tensor> weights, string statistics)
    {
        List<string> notes = Pix2PixImport.DropInstanceStatistics(weights);
        int[] blocks = Blocks(weights, "model");
        if (blocks.Length == 0 || !weights.TryGetValue("model.1.weight", out Tensor? first))
        {
            throw new TinctorException(path, $"no generator of pix2pixHD; the first key is {weights.Keys.FirstOrDefault()}",
                "Name the generator's checkpoint, such as latest_net_G.pth");
        }
        int enhancers = weights.Keys.Select(key => EnhancerKey().Match(key)).Where(match => match.Success)
            .Select(Number).DefaultIfEmpty().Max();
        Tensor last = weights[weights.Keys.Last(key => key.EndsWith(".weight", StringComparison.Ordinal))];
        var defaults = new Pix2PixHdConfig();
        Pix2PixHdConfig config = defaults with
        {
            Generator = enhancers > 0 ? "local" : "global",
            Ngf = (int)first.size(0) >> enhancers,
            InputChannels = (int)first.size(1),
            OutputChannels = (int)last.size(0),
            // Padding and the first convolution precede the downsampling ones.
            NDownsampleGlobal = (blocks[0] - 1 - LayersOfConvolution) / LayersOfConvolution,
            NBlocksGlobal = blocks.Length,
            NLocalEnhancers = Math.Max(1, enhancers),
            NBlocksLocal = enhancers > 0 ? Blocks(weights, $"{LocalEnhancer.EnhancerKey(enhancers)}_2").Length : defaults.NBlocksLocal,
            Norm = weights.ContainsKey("model.2.running_mean") ? Norm.Batch : Norm.Instance,
            Inference = new InferenceConfig { Statistics = statistics },
        };
        string description = $"pix2pixHD, {config.Generator} generator, ngf {config.Ngf}, {config.NDownsampleGlobal} downsamplings, "
            + $"{config.NBlocksGlobal} blocks, {config.Norm.ToString().ToLowerInvariant()} norm, "
            + $"{config.InputChannels} to {config.OutputChannels} channels";
        return ImportedModel.Create(path, "pix2pixhd", config, weights, description, notes);
    }

    // Positions of the residual blocks in a part of the network, in ascending order.
    private static int[] Blocks(OrderedDictionary<string, Tensor> weights, string part) =>
        [.. weights.Keys.Where(key => key.StartsWith(part + ".", StringComparison.Ordinal)).Select(key => BlockKey().Match(key))
            .Where(match => match.Success).Select(Number).Distinct().Order()];

    private static int Number(Match match) => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^model\w*\.(\d+)\.conv_block\.")]
    private static partial Regex BlockKey();

    [GeneratedRegex(@"^model(\d+)_1\.")]
    private static partial Regex EnhancerKey();
}
