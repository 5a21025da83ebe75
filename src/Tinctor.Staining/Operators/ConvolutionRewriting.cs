using Onnx;
using Tinctor.Staining.Graphs;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Replaces convolutions of a graph by <see cref="WinogradConvolution"/> and <see cref="DirectConvolution"/> where these are faster,
/// together with a padding before and a ReLU after them.
/// </summary>
/// <param name="graph">The graph; changed.</param>
internal sealed class ConvolutionRewriting(GraphProto graph)
{
    // Where there are more kernels, the image is small, and reading them takes the time.
    private const long MostKernels = 512 * 512, MostTransposedKernels = 512 * 128;

    // With fewer channels, Winograd's transforms cost more than they save.
    private const long FewestChannels = 32;

    // Channels of an image, where ONNX Runtime computes sixteen.
    private const long ImageChannels = 4;

    // Winograd's kernels are four times as large. Convolutions with the same weights share them.
    private const long MostTransformed = 512L << 20;

    private readonly Dictionary<string, TensorProto> constants = graph.Initializer.ToDictionary(tensor => tensor.Name);

    /// <summary>Replaces the convolutions.</summary>
    /// <returns>Number of convolutions replaced.</returns>
    public int Run()
    {
        (int count, long transformed) = (0, 0);
        HashSet<string> shared = [];
        foreach (NodeProto node in graph.Node.Where(IsPlain).OrderBy(Kernels).ToList())
        {
            if (node.OpType == "ConvTranspose")
            {
                if (!IsTransposed(node)) continue;
                ReplaceTransposed(node);
            }
            else if (IsWinograd(node) && (shared.Contains(node.Input[1]) || transformed + WinogradSize(node) <= MostTransformed))
            {
                if (shared.Add(node.Input[1])) transformed += WinogradSize(node);
                ReplaceWinograd(node);
            }
            else if (IsDirect(node)) ReplaceDirect(node);
            else continue;
            count++;
        }
        return count;
    }

    private long[] Shape(NodeProto node) => [.. constants[node.Input[1]].Dims];

    private long Kernels(NodeProto node) => Shape(node)[0] * Shape(node)[1];

    private long WinogradSize(NodeProto node) => Kernels(node) * WinogradTransforms.Products * sizeof(float);

    // Convolutions in two dimensions with constant weights, without dilation and groups.
    private bool IsPlain(NodeProto node) => node.OpType is "Conv" or "ConvTranspose" && node.Domain.Length == 0
        && IsConstant(node.Input[1]) && Shape(node).Length == 4 && (node.Input.Count < 3 || IsConstant(node.Input[2]))
        && IsAll(node, "dilations", 1) && (OnnxNode.Integer(node, "group") ?? 1) == 1
        && (OnnxNode.Text(node, "auto_pad") ?? "NOTSET") == "NOTSET" && OnnxNode.Integers(node, "output_shape") is null;

    private bool IsConstant(string name) => constants.TryGetValue(name, out TensorProto? tensor) && tensor.DataType == (int)DataType.Float
        && tensor.RawData.Length == tensor.Dims.Aggregate((long)sizeof(float), (product, size) => product * size);

    private static bool IsAll(NodeProto node, string name, long value) =>
        OnnxNode.Integers(node, name)?.All(number => number == value) ?? true;

    private bool IsWinograd(NodeProto node) => Shape(node) is [>= FewestChannels, >= FewestChannels, 3, 3] && Kernels(node) <= MostKernels
        && IsAll(node, "strides", 1) && (IsAll(node, "pads", 0) || IsAll(node, "pads", 1));

    private bool IsDirect(NodeProto node) => Shape(node) is [<= ImageChannels, >= FewestChannels, > 1, > 1]
        or [>= FewestChannels, <= ImageChannels, > 1, > 1] && IsAll(node, "strides", 1);

    private bool IsTransposed(NodeProto node)
    {
        long[] shape = Shape(node), strides = OnnxNode.Integers(node, "strides") ?? [1, 1];
        return shape[2] == shape[3] && strides[0] == strides[1] && strides[0] > 1 && shape[2] >= strides[0]
            && Kernels(node) <= MostTransposedKernels && IsAll(node, "pads", First(node, "pads"))
            && IsAll(node, "output_padding", First(node, "output_padding"));
    }

    private static long First(NodeProto node, string name) => OnnxNode.Integers(node, name) is [var first, ..] ? first : 0;

    private void ReplaceWinograd(NodeProto node)
    {
        Padding padding = TakePadding(node);
        // A border of another width stays an operator of its own.
        Replace(node, WinogradConvolution.Type, padding, ("border", padding.Top));
    }

    private void ReplaceDirect(NodeProto node)
    {
        Padding padding = TakePadding(node);
        Replace(node, DirectConvolution.Type, padding, ("top", padding.Top), ("left", padding.Left), ("bottom", padding.Bottom),
            ("right", padding.Right));
    }

    private void ReplaceTransposed(NodeProto node) =>
        Replace(node, DirectConvolution.TransposedType, new(node.Input[0], ConvolutionPadding.Zeros, 0, 0, 0, 0),
            ("stride", First(node, "strides")), ("border", First(node, "pads")), ("extra", First(node, "output_padding")));

    private void Replace(NodeProto node, OperatorType type, Padding padding, params (string Name, object Value)[] attributes)
    {
        string output = node.Output[0];
        NodeProto? relu = OnnxNode.ReluAfter(graph, output);
        long outputs = Shape(node)[node.OpType == "Conv" ? 0 : 1];
        string bias = node.Input.Count > 2 ? node.Input[2] : Zeros(outputs);
        graph.Node[graph.Node.IndexOf(node)] = type.CreateNode([padding.Input, node.Input[1], bias], relu?.Output[0] ?? output,
            [("padding", (long)padding.Kind), ("relu", relu is null ? 0L : 1L), .. attributes]);
        if (relu is not null) graph.Node.Remove(relu);
    }

    // Padding of a convolution, or of a node before it, which is removed.
    private Padding TakePadding(NodeProto node)
    {
        string input = node.Input[0];
        long[] pads = OnnxNode.Integers(node, "pads") ?? [0, 0, 0, 0];
        var own = new Padding(input, ConvolutionPadding.Zeros, pads[0], pads[1], pads[2], pads[3]);
        if (pads.Any(pad => pad != 0) || Users(input) is not [_]
            || graph.Node.FirstOrDefault(other => other.Output.Contains(input)) is not { } before || Read(before) is not { } padding
            || (IsWinograd(node) && padding is not { Top: 1, Left: 1, Bottom: 1, Right: 1 })) return own;
        graph.Node.Remove(before);
        return padding;
    }

    private Padding? Read(NodeProto node)
    {
        if (node.OpType != "Pad" || node.Input.Count != 2 || !constants.TryGetValue(node.Input[1], out TensorProto? sizes)
            || OnnxTensor.Integers(sizes) is not [0, 0, >= 0 and var top, >= 0 and var left, 0, 0, >= 0 and var bottom, >= 0 and var right])
            return null;
        return (OnnxNode.Text(node, "mode") ?? "constant") switch
        {
            "constant" => new(node.Input[0], ConvolutionPadding.Zeros, top, left, bottom, right),
            "reflect" => new(node.Input[0], ConvolutionPadding.Reflection, top, left, bottom, right),
            _ => null,
        };
    }

    private NodeProto[] Users(string value) => OnnxNode.Users(graph, value);

    private string Zeros(long count)
    {
        string name = $"zeros_{OperatorDomain.Name}_{count}";
        if (graph.Initializer.All(tensor => tensor.Name != name))
            graph.Initializer.Add(OnnxTensor.Create(name, new float[count], count));
        return name;
    }

    /// <summary>Padding of a value: kind, and numbers of pixels.</summary>
    private sealed record Padding(string Input, ConvolutionPadding Kind, long Top, long Left, long Bottom, long Right);
}
