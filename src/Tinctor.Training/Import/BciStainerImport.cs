using System.Text.RegularExpressions;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Methods.BciStainer;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Import;

/// <summary>Imports generators of the official BCIStainer repository (BCIStainerBasic with modulated blocks).</summary>
internal static partial class BciStainerImport
{
    /// <summary>Imports a checkpoint such as model_best_psnr.pth. Weights do not tell whether blocks end in SimAM, the default.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="averaged">Whether to import the running average of the weights if the file contains it.</param>
    /// <param name="settings">Settings that override the inferred ones, such as "model.attention=false".</param>
    /// <exception cref="TinctorException">The file contains no such generator.</exception>
    public static ImportedModel Read(string path, bool averaged = true, IEnumerable<string>? settings = null)
    {
        OrderedDictionary<string, Tensor> all = ImportedModel.ReadWeights(path);
        string prefix = new[] { averaged ? "ema_model." : "online_model.", "ema_model.", "online_model." }
            .FirstOrDefault(each => all.ContainsKey($"{each}inconv.conv.1.weight")) ?? "";
        var weights = all.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(pair => OwnName(pair.Key[prefix.Length..]), pair => pair.Value);
        if (!weights.TryGetValue("inconv.conv.1.weight", out Tensor? first)
            || !weights.TryGetValue("classify_head.1.weight", out Tensor? head))
            throw Refused($"no generator of BCIStainer; the first key is {all.Keys.FirstOrDefault()}");
        if (!weights.ContainsKey("decoder1.0.conv1.conv.weight"))
            throw Refused("the blocks are not modulated (style_type is not mod)");
        if (Count(weights, "encoder1") != BciStainerGenerator.Halvings || !weights.ContainsKey("lowres_outconv.1.weight"))
            throw Refused($"expected {BciStainerGenerator.Halvings} blocks in encoder1 and an output of low resolution");
        int levels = (int)head.size(0);
        var config = new BciStainerConfig
        {
            InputChannels = (int)first.size(1),
            OutputChannels = (int)weights["highres_outconv.1.weight"].size(0),
            Ngf = (int)first.size(0),
            NBlocks = Count(weights, "decoder1"),
            FullSize = 8 << (BciStainerGenerator.Halvings + Count(weights, "encoder2")),
        };
        if (levels != config.Levels.Count) config = config with { Levels = [.. Enumerable.Range(0, levels).Select(level => $"{level}")] };
        var model = (BciStainerConfig)ConfigFile.With(new() { Method = "bcistainer", Model = config }, settings ?? []).Model;
        return ImportedModel.Create(path, "bcistainer", model, weights,
            $"BCIStainer with ngf {model.Ngf}, {model.NBlocks} blocks {(model.Attention ? "with" : "without")} SimAM, for images of "
                + $"{model.FullSize} pixels",
            [$"the weights do not tell whether blocks end in SimAM; model.attention is {(model.Attention ? "true" : "false")}"]);

        TinctorException Refused(string problem) =>
            new(path, problem, "Name a checkpoint of stainer_basic_cmp/exp1 or exp3, such as model_best_psnr.pth");
    }

    /// <summary>Converts a key of the official state dictionary to that of <see cref="BciStainerGenerator"/>.</summary>
    internal static string OwnName(string official) => ModulatedWeight().Replace(official, ".$1.conv.weight");

    private static int Count(Dictionary<string, Tensor> weights, string part) => weights.Keys
        .Where(key => key.StartsWith(part + ".", StringComparison.Ordinal)).Select(key => key.Split('.')[1]).Distinct().Count();

    [GeneratedRegex(@"\.(conv[12])\.0\.weight\.data$")]
    private static partial Regex ModulatedWeight();
}
