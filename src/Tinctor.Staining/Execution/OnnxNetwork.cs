using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Tinctor.Staining.Operators;

namespace Tinctor.Staining.Execution;

/// <summary>Tensor of a network's output.</summary>
/// <param name="Values">Elements in the order of the dimensions.</param>
/// <param name="Shape">Sizes.</param>
internal readonly record struct OnnxArray(float[] Values, long[] Shape);

/// <summary>Declared input or output of an ONNX file.</summary>
/// <param name="Name">Name.</param>
/// <param name="IsFloat">Whether it is a tensor of float32.</param>
/// <param name="Shape">Sizes; -1 where one varies. Empty if the file does not state them.</param>
/// <param name="Description">Type and sizes for messages, such as "float32 [N,3,224,224]".</param>
internal sealed record OnnxPort(string Name, bool IsFloat, IReadOnlyList<int> Shape, string Description);

/// <summary>Network in an ONNX file that takes batches of images. Thread-safe.</summary>
internal sealed partial class OnnxNetwork : IDisposable
{
    private readonly InferenceSession session;

    /// <summary>Opens a file.</summary>
    /// <param name="path">ONNX file.</param>
    /// <param name="device">The device; null for the CPU.</param>
    /// <param name="threads">Number of threads of one operator on the CPU; 0 for all cores.</param>
    /// <exception cref="TinctorException">The file is missing, damaged, or nothing that ONNX Runtime can run.</exception>
    public OnnxNetwork(string path, OnnxDevice? device = null, int threads = 0)
        : this(path, device, OpenSession(path, device ?? OnnxDevice.Cpu, threads)) { }

    /// <summary>Opens a file in memory.</summary>
    /// <param name="path">Path of the file for messages.</param>
    /// <param name="content">Content of the file.</param>
    /// <param name="device">The device; null for the CPU.</param>
    public OnnxNetwork(string path, byte[] content, OnnxDevice? device = null)
        : this(path, device, OpenSession(content, device ?? OnnxDevice.Cpu)) { }

    private OnnxNetwork(string path, OnnxDevice? device, InferenceSession session)
    {
        (Path, Device, this.session) = (path, device ?? OnnxDevice.Cpu, session);
        (Inputs, Outputs) = (Ports(session.InputNames, session.InputMetadata), Ports(session.OutputNames, session.OutputMetadata));
    }

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>Device of the computation.</summary>
    public OnnxDevice Device { get; }

    /// <summary>Inputs in the order of the file.</summary>
    public IReadOnlyList<OnnxPort> Inputs { get; }

    /// <summary>Outputs in the order of the file.</summary>
    public IReadOnlyList<OnnxPort> Outputs { get; }

    /// <summary>Opens the file of an exported model if it is there and belongs to the weights; null otherwise.</summary>
    /// <param name="path">ONNX file that the exporter of this project wrote.</param>
    /// <param name="weightsSha256">SHA-256 of the weights' file.</param>
    /// <param name="outputs">Outputs that the file must have.</param>
    /// <param name="device">The device; null for the CPU.</param>
    /// <param name="inputs">Number of images that the network takes.</param>
    /// <exception cref="TinctorException">The file is damaged, or has other inputs or outputs.</exception>
    public static OnnxNetwork? OpenExported(string path, string weightsSha256, IReadOnlyList<string> outputs, OnnxDevice? device = null,
        int inputs = 1)
    {
        if (!File.Exists(path)) return null;
        var network = new OnnxNetwork(path, device);
        bool isCurrent = network.Metadata("weights_sha256") == weightsSha256;
        if (isCurrent && network.Takes(inputs, outputs)) return network;
        network.Dispose();
        return !isCurrent ? null
            : throw new TinctorException(path, $"has other inputs or outputs than an image and {string.Join(", ", outputs)}");
    }

    /// <summary>Whether the network has a number of images as inputs, and outputs of these names.</summary>
    public bool Takes(int inputs, IReadOnlyList<string> outputs) => Inputs.Count == inputs
        && Inputs.All(input => input is { IsFloat: true, Shape.Count: 4 })
        && outputs.All(name => Outputs.Any(output => output.Name == name && output.IsFloat));

    /// <summary>Gets a property of the file; null if it does not state it.</summary>
    public string? Metadata(string key) => Metadata(session, key);

    /// <summary>Gets a property of a session's file; null if it does not state it.</summary>
    internal static string? Metadata(InferenceSession session, string key) =>
        session.ModelMetadata.CustomMetadataMap.TryGetValue(key, out string? value) ? value : null;

    /// <summary>Runs the network on its only input.</summary>
    /// <param name="images">Input.</param>
    /// <param name="outputs">Names of the outputs to compute.</param>
    /// <returns>The outputs in the order of the names.</returns>
    /// <exception cref="TinctorException">The network does not take such images.</exception>
    public OnnxArray[] Run(ImageBatch images, params string[] outputs) => Run([images], outputs);

    /// <summary>Runs the network on several inputs of one size.</summary>
    /// <param name="inputs">Inputs in the order of the file.</param>
    /// <param name="outputs">Names of the outputs to compute.</param>
    /// <returns>The outputs in the order of the names.</returns>
    /// <exception cref="TinctorException">The network does not take such images.</exception>
    public OnnxArray[] Run(IReadOnlyList<ImageBatch> inputs, params string[] outputs)
    {
        ImageBatch images = inputs[0];
        OrtValue[] values = [.. inputs.Select(input => OrtValue.CreateTensorValueFromMemory(input.Values,
            [input.Count, input.Channels, input.Height, input.Width]))];
        using var options = new RunOptions();
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> results =
                session.Run(options, [.. Inputs.Select(input => input.Name)], values, outputs);
            return [.. results.Select(result => new OnnxArray(result.GetTensorDataAsSpan<float>().ToArray(),
                result.GetTensorTypeAndShape().Shape))];
        }
        catch (OnnxRuntimeException e)
        {
            throw new TinctorException(Path,
                $"the network does not run on {images.Count} images of {images.Width}x{images.Height} pixels ({Reason(e)})", null, e);
        }
        finally
        {
            foreach (OrtValue value in values) value.Dispose();
        }
    }

    /// <summary>Runs the network on its only input; the outputs are [N,D].</summary>
    /// <param name="images">Input.</param>
    /// <param name="outputs">Names of the outputs to compute.</param>
    /// <returns>For each output, a vector of each image.</returns>
    /// <exception cref="TinctorException">The network does not take such images, or its outputs have other dimensions.</exception>
    public float[][][] RunForVectors(ImageBatch images, params string[] outputs) => [.. Run(images, outputs).Zip(outputs, (output, name) =>
        output.Shape is [var count, > 0] && count == images.Count ? (float[][])[.. output.Values.Chunk((int)output.Shape[1])]
            : throw new TinctorException(Path, $"the output {name} is [{string.Join(',', output.Shape)}] for {images.Count} images, "
                + $"expected [{images.Count},features]", "Delete the file; the network then runs from the weights"))];

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();

    /// <summary>Opens a session on a file.</summary>
    /// <param name="path">ONNX file.</param>
    /// <param name="device">The device.</param>
    /// <param name="threads">Number of threads of one operator on the CPU; 0 for all cores.</param>
    /// <param name="optimization">Optimisation of the graph.</param>
    /// <exception cref="TinctorException">The file is missing, damaged, or nothing that ONNX Runtime can run.</exception>
    internal static InferenceSession OpenSession(string path, OnnxDevice device, int threads,
        GraphOptimizationLevel optimization = GraphOptimizationLevel.ORT_ENABLE_ALL)
    {
        if (!File.Exists(path)) throw new TinctorException(path, "there is no such file", "Export the model to ONNX");
        try
        {
            using SessionOptions options = Options(device, threads, optimization);
            bool isFast = device.Name == "cpu" && optimization == GraphOptimizationLevel.ORT_ENABLE_ALL;
            if (!isFast || GraphRewriting.Read(path) is not { } model) return new(path, options);
            OperatorDomain.AddTo(options);
            return new(model, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new TinctorException(path, $"ONNX Runtime cannot load it ({Reason(e)})", "Export the model again", e);
        }
    }

    /// <summary>Opens a session on a file in memory.</summary>
    /// <param name="content">Content of an ONNX file.</param>
    /// <param name="device">The device.</param>
    /// <param name="threads">Number of threads of one operator on the CPU; 0 for all cores.</param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime cannot run the network on the device.</exception>
    internal static InferenceSession OpenSession(byte[] content, OnnxDevice device, int threads = 0)
    {
        using SessionOptions options = Options(device, threads, GraphOptimizationLevel.ORT_ENABLE_ALL);
        return new(content, options);
    }

    private static SessionOptions Options(OnnxDevice device, int threads, GraphOptimizationLevel optimization)
    {
        var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            GraphOptimizationLevel = optimization,
            // Errors are exceptions; the log would print them too.
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        device.AddTo(options);
        return options;
    }

    /// <summary>Gets the reason of an error, without its code, the file's path and the place in the sources of ONNX Runtime.</summary>
    internal static string Reason(OnnxRuntimeException e)
    {
        string text = Preamble().Replace(e.Message.Split('\n')[0], "");
        return SourcePlace().Replace(text, "").TrimEnd('.');
    }

    [GeneratedRegex(@"^\[ErrorCode:\w+\] (?:Load model from .+? failed:)?")]
    private static partial Regex Preamble();

    [GeneratedRegex(@"^/\S+:\d+ .*?\) (?=[A-Z])")]
    private static partial Regex SourcePlace();

    private static OnnxPort[] Ports(IReadOnlyList<string> names, IReadOnlyDictionary<string, NodeMetadata> metadata) =>
        [.. names.Select(name => Port(name, metadata[name]))];

    private static OnnxPort Port(string name, NodeMetadata metadata)
    {
        if (!metadata.IsTensor) return new(name, false, [], metadata.OnnxValueType.ToString());
        int[] shape = metadata.Dimensions;
        string type = metadata.ElementDataType switch
        {
            TensorElementType.Float => "float32",
            var other => other.ToString().ToLowerInvariant(),
        };
        string sizes = string.Join(',', shape.Zip(metadata.SymbolicDimensions,
            (size, symbol) => size >= 0 ? $"{size}" : symbol.Length > 0 ? symbol : "?"));
        return new(name, type == "float32", shape, $"{type} [{sizes}]");
    }
}
