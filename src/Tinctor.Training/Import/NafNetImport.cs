using System.Text.RegularExpressions;
using Tinctor.Torch;
using Tinctor.Training.Methods.Regression;

namespace Tinctor.Training.Import;

/// <summary>Imports networks of the official NAFNet repository (NAFNet and NAFNetLocal).</summary>
internal static partial class NafNetImport
{
    /// <summary>Imports a checkpoint such as NAFNet-SIDD-width32.pth; width and blocks are inferred from the weights.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <exception cref="TinctorException">The file contains no such network.</exception>
    public static ImportedModel Read(string path)
    {
        OrderedDictionary<string, Tensor> weights = ImportedModel.ReadWeights(path);
        if (!weights.TryGetValue("intro.weight", out Tensor? first) || !weights.TryGetValue("ending.weight", out Tensor? last)
            || !weights.Keys.Any(key => key.StartsWith("middle_blks.", StringComparison.Ordinal)))
            throw new TinctorException(path, $"no network of NAFNet; the first key is {weights.Keys.FirstOrDefault()}",
                "Name a checkpoint such as NAFNet-SIDD-width32.pth");
        int levels = weights.Keys.Count(key => Down().IsMatch(key));
        var config = new NafNetConfig
        {
            InputChannels = (int)first.size(1),
            OutputChannels = (int)last.size(0),
            Width = (int)first.size(0),
            EncBlkNums = [.. Enumerable.Range(0, levels).Select(level => Blocks(weights, $"encoders.{level}."))],
            MiddleBlkNum = Blocks(weights, "middle_blks."),
            DecBlkNums = [.. Enumerable.Range(0, levels).Select(level => Blocks(weights, $"decoders.{level}."))],
        };
        return ImportedModel.Create(path, "nafnet", config, weights,
            $"NAFNet of width {config.Width}, blocks {string.Join(",", config.EncBlkNums)} / {config.MiddleBlkNum} / "
                + string.Join(",", config.DecBlkNums),
            ["channel attention averages over the whole image, as in NAFNet; NAFNetLocal averages over windows when it is tested"]);
    }

    private static int Blocks(OrderedDictionary<string, Tensor> weights, string prefix) => weights.Keys
        .Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Select(key => key[prefix.Length..].Split('.')[0])
        .Distinct().Count();

    [GeneratedRegex(@"^downs\.\d+\.weight$")]
    private static partial Regex Down();
}
