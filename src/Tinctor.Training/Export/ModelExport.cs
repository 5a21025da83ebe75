using System.Globalization;
using Google.Protobuf;
using Onnx;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Execution;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Export;

/// <summary>Exports staining networks to ONNX files of a model folder.</summary>
internal static class ModelExport
{
    private const int SmallestTrace = 32;

    /// <summary>
    /// Writes the ONNX files of a network: model.onnx and, for a bridge that changes the source's size or channels, matcher.onnx.
    /// </summary>
    /// <param name="folder">Model folder.</param>
    /// <param name="config">Settings of the method.</param>
    /// <param name="network">The network with its weights, on the CPU; put into inference mode.</param>
    /// <param name="description">Description of the model.</param>
    /// <param name="sha256">SHA-256 of the weights' file.</param>
    /// <exception cref="TinctorException">An operator has no counterpart in ONNX; the message names it.</exception>
    public static void Write(string folder, MethodConfig config, Module<Tensor, Tensor> network, ModelDescription description,
        string sha256)
    {
        TorchExecutor.SetInferenceMode(network, config.Inference.Statistics == "batch");
        foreach ((string file, ExportFunction function) in Functions(config, network))
        {
            ModelProto model = OnnxExporter.Export(network, function, Metadata(description, sha256));
            AtomicFile.Write(Path.Combine(folder, file), stream => model.WriteTo(stream));
        }
    }

    private static Dictionary<string, string> Metadata(ModelDescription model, string sha256) => new()
    {
        ["method"] = model.Method,
        ["mpp"] = model.Mpp?.ToString(CultureInfo.InvariantCulture) ?? "",
        ["upscaling"] = $"{model.Upscaling}",
        ["size_multiple"] = $"{model.SizeMultiple}",
        ["weights_sha256"] = sha256,
    };

    private static IEnumerable<(string File, ExportFunction Function)> Functions(MethodConfig config, Module<Tensor, Tensor> network)
    {
        int multiple = config.SizeMultiple, side = Math.Max(config.SmallestSize, (SmallestTrace + multiple - 1) / multiple * multiple);
        InputSize size = new(1, side, side);
        Tensor[] Source(InputSize each) => [torch.zeros([each.Count, config.InputChannels, each.Height, each.Width])];
        switch (network)
        {
            case IBridgeNetwork bridge:
                foreach (var function in OfBridge(bridge, (BridgeConfig)config, size, Source)) yield return function;
                break;
            case ILevelPredictor predictor:
                yield return (ModelFolder.OnnxFile, new(config.GetType().Name, Source, ["source"], inputs =>
                {
                    (Tensor stained, Tensor logits) = predictor.Stain(inputs[0]);
                    return [stained, logits];
                }, ["image", "ihc_logits"])
                { Size = size, SizeMultiple = multiple, ReplaceableOutput = 1 });
                break;
            default:
                yield return (ModelFolder.OnnxFile,
                    new(config.GetType().Name, Source, ["source"], inputs => [network.forward(inputs[0])], ["image"])
                    { Size = size, SizeMultiple = multiple });
                break;
        }
    }

    private static IEnumerable<(string, ExportFunction)> OfBridge(IBridgeNetwork bridge, BridgeConfig config, InputSize size,
        Func<InputSize, Tensor[]> source)
    {
        int factor = config.Upscaling, multiple = config.SizeMultiple * factor;
        InputSize large = size with { Height = size.Height * factor, Width = size.Width * factor };
        bool conditioned = config.Conditioned;
        yield return (ModelFolder.OnnxFile,
            new("bridge", each => [Image(each), torch.zeros([1]), .. conditioned ? [Image(each)] : (Tensor[])[]],
            ["state", "time", .. conditioned ? ["end"] : (string[])[]],
            inputs => [bridge.Predict(inputs[0], inputs[1], conditioned ? inputs[2] : inputs[0])], ["prediction"])
            { Size = large, SizeMultiple = multiple });
        if (config.HasMatcher)
            yield return (ModelFolder.MatcherFile, new("matcher", source, ["source"], inputs => [bridge.End(inputs[0])], ["end"])
            { Size = size, SizeMultiple = config.SizeMultiple });

        Tensor Image(InputSize each) => torch.zeros([each.Count, config.OutputChannels, each.Height, each.Width]);
    }
}
