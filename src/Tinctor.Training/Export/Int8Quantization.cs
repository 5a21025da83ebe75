using Google.Protobuf;
using Onnx;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Graphs;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Training.Export;

/// <summary>
/// Static quantisation of a network's convolutions to 8-bit integers: activations unsigned with one scale a tensor, weights signed with one
/// scale an output channel. Transposed convolutions become convolutions first. The last convolution, whose result is the image, stays
/// in float32.
/// </summary>
internal sealed class Int8Quantization
{
    private const int FewChannels = 4, SamplesOfTensor = 20_000;
    private const double Tail = 1e-4;
    private readonly ModelProto model;
    private readonly Dictionary<string, TensorProto> weights;
    private readonly Dictionary<string, NodeProto> makers;
    private readonly ILookup<string, NodeProto> users;
    private readonly NodeProto[] convolutions;

    /// <summary>Prepares the quantisation of a network.</summary>
    /// <param name="model">The network in float32; not changed.</param>
    public Int8Quantization(ModelProto model)
    {
        this.model = model.Clone();
        GraphProto graph = this.model.Graph;
        SubpixelConvolution.Replace(graph);
        weights = graph.Initializer.ToDictionary(tensor => tensor.Name);
        makers = graph.Node.SelectMany(node => node.Output.Select(output => (output, node)))
            .ToDictionary(pair => pair.output, pair => pair.node);
        users = OnnxNode.WithBranches(graph.Node).SelectMany(node => node.Input.Distinct().Select(input => (input, node)))
            .ToLookup(pair => pair.input, pair => pair.node);
        convolutions = [.. graph.Node.Where(node => node.OpType == "Conv" && weights.TryGetValue(node.Input[1], out TensorProto? weight)
            && weight.Dims.Count == 4 && weight.Dims[0] > FewChannels)];
        Tensors = [.. convolutions.SelectMany(node => WithSources(node.Input[0]).Append(Result(node))).Distinct()];
    }

    /// <summary>Number of convolutions that are quantised.</summary>
    public int Convolutions => convolutions.Length;

    /// <summary>Names of the tensors that are quantised.</summary>
    public IReadOnlyList<string> Tensors { get; }

    /// <summary>Quantises the network.</summary>
    /// <param name="tiles">Sources in [-1,1], whose activations determine the scales; at least one.</param>
    /// <param name="cancel">Cancels between tiles.</param>
    public ModelProto Run(IReadOnlyList<ImageBatch> tiles, CancellationToken cancel = default)
    {
        Dictionary<string, (float Low, float High)> ranges = Calibrate(tiles, cancel);
        foreach (string tensor in convolutions.SelectMany(node => WithSources(node.Input[0])))
            if (Moved(tensor) is { } source && ranges.TryGetValue(source, out var range)) ranges[tensor] = range;
        foreach (NodeProto node in convolutions) QuantizeWeight(node, ranges);
        foreach (string tensor in Tensors) QuantizeTensor(tensor, ranges[tensor]);
        OnnxFile.RemoveUnused(model.Graph);
        return model;
    }

    // A tensor and those before it that operators only pad or rearrange: they keep the scale. The first one comes first.
    private IEnumerable<string> WithSources(string tensor) =>
        Moved(tensor) is { } source ? WithSources(source).Append(tensor) : [tensor];

    private string? Moved(string tensor) =>
        makers.TryGetValue(tensor, out NodeProto? maker) && maker.OpType is "Pad" or "DepthToSpace" ? maker.Input[0] : null;

    // The result of a convolution, behind an activation that nothing else comes before.
    private string Result(NodeProto convolution) =>
        users[convolution.Output[0]].ToArray() is [{ OpType: "Relu" } activation] ? activation.Output[0] : convolution.Output[0];

    private Dictionary<string, (float Low, float High)> Calibrate(IReadOnlyList<ImageBatch> tiles, CancellationToken cancel)
    {
        ModelProto observed = model.Clone();
        observed.Graph.Output.Add(Tensors.Except(observed.Graph.Output.Select(output => output.Name))
            .Select(tensor => new ValueInfoProto
            {
                Name = tensor,
                Type = new() { TensorType = new() { ElemType = (int)DataType.Float } }
            }));
        using var session = new OnnxSession(observed.ToByteArray());
        var samples = Tensors.ToDictionary(tensor => tensor, _ => new List<float>());
        foreach (ImageBatch tile in tiles)
        {
            cancel.ThrowIfCancellationRequested();
            session.Run(tile, Tensors, (tensor, values) =>
            {
                // A prime step, so that the samples do not lie in one column.
                int step = Math.Max(1, values.Length / SamplesOfTensor) | 1;
                for (int i = 0; i < values.Length; i += step) samples[tensor].Add(values[i]);
            });
        }
        return samples.ToDictionary(pair => pair.Key, pair => RangeOf(pair.Value));
    }

    // Rare extremes are clipped: they would make all other steps coarser. Zero, the value of padding, is represented exactly.
    private static (float Low, float High) RangeOf(List<float> values)
    {
        values.Sort();
        float At(double share) => values[(int)Math.Round(share * (values.Count - 1))];
        (float low, float high) = (Math.Min(0, At(Tail)), Math.Max(0, At(1 - Tail)));
        return high - low > 1e-6f ? (low, high) : (0, 1e-6f);
    }

    private void QuantizeTensor(string tensor, (float Low, float High) range)
    {
        float scale = (range.High - range.Low) / 255;
        byte zero = (byte)Math.Clamp(Math.Round(-range.Low / scale), 0, 255);
        string scaleName = Initializer($"{tensor}_scale", DataType.Float, new[] { scale }),
            zeroName = Initializer($"{tensor}_zero", DataType.Uint8, new[] { zero }), integers = $"{tensor}_uint8",
                numbers = $"{tensor}_quantized";
        foreach (NodeProto user in users[tensor])
            for (int i = 0; i < user.Input.Count; i++) if (user.Input[i] == tensor) user.Input[i] = numbers;
        int place = makers.TryGetValue(tensor, out NodeProto? maker) ? model.Graph.Node.IndexOf(maker) + 1 : 0;
        model.Graph.Node.Insert(place, OnnxNode.Create("QuantizeLinear", [tensor, scaleName, zeroName], [integers]));
        model.Graph.Node.Insert(place + 1, OnnxNode.Create("DequantizeLinear", [integers, scaleName, zeroName], [numbers]));
    }

    private void QuantizeWeight(NodeProto node, Dictionary<string, (float Low, float High)> ranges)
    {
        TensorProto weight = weights[node.Input[1]];
        int channels = (int)weight.Dims[0];
        float[] values = OnnxTensor.Floats(weight), scales = new float[channels];
        int length = values.Length / channels;
        sbyte[] integers = new sbyte[values.Length];
        for (int c = 0; c < channels; c++)
        {
            ReadOnlySpan<float> own = values.AsSpan(c * length, length);
            float largest = 0;
            foreach (float value in own) largest = Math.Max(largest, Math.Abs(value));
            scales[c] = Math.Max(largest, 1e-12f) / 127;
            for (int i = 0; i < length; i++) integers[(c * length) + i] = (sbyte)Math.Round(own[i] / scales[c]);
        }
        string name = $"{weight.Name}_int8", scaleName = Initializer($"{name}_scale", DataType.Float, scales, channels),
            zeroName = Initializer($"{name}_zero", DataType.Int8, new sbyte[channels], channels);
        Initializer(name, DataType.Int8, integers, [.. weight.Dims]);
        string numbers = $"{name}_quantized";
        model.Graph.Node.Insert(0, OnnxNode.Create("DequantizeLinear", [name, scaleName, zeroName], [numbers], ("axis", 0L)));
        node.Input[1] = numbers;
        if (node.Input.Count > 2) QuantizeBias(node, ranges[node.Input[0]], scales);
    }

    // The bias is added to sums of products: its scale is that of a product.
    private void QuantizeBias(NodeProto node, (float Low, float High) range, float[] weightScales)
    {
        float[] bias = OnnxTensor.Floats(weights[node.Input[2]]),
            scales = [.. weightScales.Select(scale => scale * (range.High - range.Low) / 255)];
        int[] integers = [.. bias.Zip(scales, (value, scale) => (int)Math.Clamp(Math.Round(value / scale), int.MinValue, int.MaxValue))];
        string name = $"{node.Input[1]}_bias", scaleName = Initializer($"{name}_scale", DataType.Float, scales, scales.Length),
            zeroName = Initializer($"{name}_zero", DataType.Int32, new int[integers.Length], scales.Length);
        Initializer(name, DataType.Int32, integers, scales.Length);
        model.Graph.Node.Insert(0, OnnxNode.Create("DequantizeLinear", [name, scaleName, zeroName], [$"{name}_quantized"],
            ("axis", 0L)));
        node.Input[2] = $"{name}_quantized";
    }

    private string Initializer<T>(string name, DataType type, T[] values, params long[] shape) where T : unmanaged
    {
        model.Graph.Initializer.Add(OnnxTensor.Create(name, type, values, shape));
        return name;
    }
}
