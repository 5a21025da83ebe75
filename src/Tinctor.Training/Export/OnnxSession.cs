using Microsoft.ML.OnnxRuntime;
using Tinctor.Staining.Execution;

namespace Tinctor.Training.Export;

/// <summary>
/// Runs a network in memory on ONNX Runtime, to observe its tensors. Choices of the network, such as given moments, are not used.
/// </summary>
/// <param name="model">The ONNX model.</param>
internal sealed class OnnxSession(byte[] model) : IDisposable
{
    private readonly InferenceSession session = OnnxNetwork.OpenSession(model, OnnxDevice.Cpu);

    /// <summary>Runs the network on sources.</summary>
    /// <param name="source">The sources.</param>
    /// <param name="outputs">Names of the outputs.</param>
    /// <param name="receive">Receives each output.</param>
    public void Run(ImageBatch source, IReadOnlyList<string> outputs, Action<string, ReadOnlySpan<float>> receive)
    {
        var feeds = new Dictionary<string, OrtValue>();
        try
        {
            foreach ((string name, NodeMetadata input) in session.InputMetadata) feeds[name] = Feed(name, input, source);
            using var options = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> results = session.Run(options, feeds, outputs);
            for (int i = 0; i < outputs.Count; i++) receive(outputs[i], results[i].GetTensorDataAsSpan<float>());
        }
        finally
        {
            foreach (OrtValue value in feeds.Values) value.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();

    private static OrtValue Feed(string name, NodeMetadata input, ImageBatch source)
    {
        if (name == "source")
            return OrtValue.CreateTensorValueFromMemory(source.Values, [source.Count, source.Channels, source.Height, source.Width]);
        return input.ElementType == typeof(bool) ? OrtValue.CreateTensorValueFromMemory(new bool[1], [1])
            : OrtValue.CreateTensorValueFromMemory(new float[source.Count * input.Dimensions[1]], [source.Count, input.Dimensions[1]]);
    }
}
