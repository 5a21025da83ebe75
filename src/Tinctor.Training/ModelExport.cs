using System.Globalization;
using Google.Protobuf;
using Onnx;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Execution;
using Tinctor.Training.Export;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Networks;

namespace Tinctor.Training;

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
    /// <param name="tile">Side of the only source size, in pixels, which file names then end in; null for any size.</param>
    /// <returns>Path of the network's file.</returns>
    /// <exception cref="TinctorException">
    /// An operator has no counterpart in ONNX, which the message names, or the network does not take the source size.
    /// </exception>
    public static string Write(string folder, MethodConfig config, Module<Tensor, Tensor> network, ModelDescription description,
        string sha256, int? tile = null)
    {
        if (tile is { } side && (side < config.SmallestSize || side % config.SizeMultiple != 0))
            throw new OptionException("Tile",
                $"the tile size is {side}, expected a multiple of {config.SizeMultiple} of at least {config.SmallestSize}");
        TorchExecutor.SetInferenceMode(network, config.Inference.Statistics == "batch");
        Dictionary<string, string> metadata = Metadata(description, sha256);
        if (tile is not null) metadata["tile"] = $"{tile}";
        foreach ((string file, ExportFunction each) in Functions(config, network))
        {
            // The end of a bridge does not depend on the stain.
            ExportFunction function = file == ModelFolder.MatcherFile ? each : WithStain(each, config.Stains.Count);
            ModelProto model = OnnxExporter.Export(network, function, metadata);
            if (tile is { } pixels) FixSize(model, function, pixels * ((int)function.Size.Height / SourceSide(config)));
            AtomicFile.Write(Path.Combine(folder, FileName(file, tile)), stream => model.WriteTo(stream));
        }
        return Path.Combine(folder, FileName(ModelFolder.OnnxFile, tile));
    }

    private static string FileName(string file, int? tile) =>
        tile is null ? file : $"{Path.GetFileNameWithoutExtension(file)}-{tile}{Path.GetExtension(file)}";

    // Some runtimes take no sizes that vary. Moments and other vectors keep theirs.
    private static void FixSize(ModelProto model, ExportFunction function, int side)
    {
        foreach (ValueInfoProto input in model.Graph.Input.Where(input => function.InputNames.Contains(input.Name)))
        {
            var sizes = input.Type.TensorType.Shape.Dim;
            if (sizes.Count != 4) continue;
            for (int i = 2; i < 4; i++) sizes[i] = new() { DimValue = side };
        }
    }

    private static Dictionary<string, string> Metadata(ModelDescription model, string sha256) => new()
    {
        ["method"] = model.Method,
        ["mpp"] = model.Mpp?.ToString(CultureInfo.InvariantCulture) ?? "",
        ["upscaling"] = $"{model.Upscaling}",
        ["size_multiple"] = $"{model.SizeMultiple}",
        ["range"] = model.StandardizesSource ? "z-score over all pixels and channels of the image" : "-1,1",
        ["normalization"] = model.SourceStains is { } stains ? $"{stains.Method}" : "none",
        ["stains"] = string.Join(',', model.Stains),
        ["licence"] = "not stated; see README.md beside the weights",
        ["weights_sha256"] = sha256,
    };

    // Side of the sources of the first trace. The networks of bridges work at the size of the result, where attention is costly.
    private static int SourceSide(MethodConfig config)
    {
        int multiple = config.SizeMultiple, pixels = multiple * config.Upscaling;
        return Math.Max(config.SmallestSize, (SmallestTrace + pixels - 1) / pixels * multiple);
    }

    // Adds the stain, one-hot [N,stains], as the last input of a network of several stains.
    private static ExportFunction WithStain(ExportFunction function, int stains) => stains < 2 ? function : function with
    {
        Inputs = each => [.. function.Inputs(each), torch.zeros([each.Count, stains])],
        InputNames = [.. function.InputNames, "stain"],
        Forward = inputs =>
        {
            using var context = StainContext.Use(inputs[^1]);
            return function.Forward(inputs[..^1]);
        },
    };

    private static IEnumerable<(string File, ExportFunction Function)> Functions(MethodConfig config, Module<Tensor, Tensor> network)
    {
        int multiple = config.SizeMultiple, side = SourceSide(config);
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
