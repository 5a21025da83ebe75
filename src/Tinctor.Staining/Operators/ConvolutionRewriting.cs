using Onnx;
using Tinctor.Staining.Graphs;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Replaces convolutions of a graph by <see cref="WinogradConvolution"/>, <see cref="HalvingConvolution"/>,
/// <see cref="DoublingConvolution"/> and <see cref="DirectConvolution"/> where these are faster, together with a padding before and a ReLU
/// after them.
/// </summary>
internal sealed class ConvolutionRewriting
{
    // Where there are more kernels, the image is small, and reading them takes the time.
    private const long MostKernels = 512 * 512, MostHalvingKernels = 512 * 256, MostDoublingKernels = 1024 * 256,
        MostTransposedKernels = 512 * 128;

    // With fewer channels, Winograd's transforms cost more than they save.
    private const long FewestChannels = 32;

    // Channels of an image, where ONNX Runtime computes sixteen.
    private const long ImageChannels = 4;

    // Transformed kernels are four times as large. Convolutions with the same weights share them.
    private const long MostTransformed = 512L << 20;

    private readonly GraphProto graph;
    private readonly bool isBranch;
    private readonly Dictionary<string, TensorProto> constants;
    private readonly HashSet<string> shared;
    private long transformed;

    /// <summary>Reads the constants of a graph.</summary>
    /// <param name="graph">The graph; changed.</param>
    public ConvolutionRewriting(GraphProto graph)
    {
        this.graph = graph;
        constants = graph.Initializer.ToDictionary(tensor => tensor.Name);
        shared = [];
    }

    // A branch has the constants of the graph around it too.
    private ConvolutionRewriting(ConvolutionRewriting outer, GraphProto branch)
    {
        (graph, isBranch, shared, transformed) = (branch, true, outer.shared, outer.transformed);
        constants = new(outer.constants);
        foreach (TensorProto tensor in branch.Initializer) constants[tensor.Name] = tensor;
    }

    /// <summary>Replaces the convolutions, those of branches last.</summary>
    /// <returns>Number of convolutions replaced.</returns>
    public int Run()
    {
        int count = 0;
        foreach (NodeProto node in graph.Node.Where(IsPlain).OrderBy(Kernels).ToList())
        {
            bool isTransformed = IsWinograd(node) || IsHalving(node) || IsDoubling(node);
            long size = shared.Contains(node.Input[1]) ? 0 : TransformedSize(node);
            if (isTransformed && transformed + size <= MostTransformed)
            {
                shared.Add(node.Input[1]);
                transformed += size;
                if (IsWinograd(node)) ReplaceWinograd(node);
                else if (IsHalving(node)) ReplaceWithMargins(node, HalvingConvolution.Type);
                else ReplaceTransposed(node, DoublingConvolution.Type);
            }
            else if (IsTransposed(node)) ReplaceTransposed(node, DirectConvolution.TransposedType);
            else if (IsDirect(node)) ReplaceWithMargins(node, DirectConvolution.Type);
            else continue;
            count++;
        }
        foreach (GraphProto branch in OnnxNode.Branches(graph.Node))
        {
            var inner = new ConvolutionRewriting(this, branch);
            count += inner.Run();
            transformed = inner.transformed;
        }
        return count;
    }

    private long[] Shape(NodeProto node) => [.. constants[node.Input[1]].Dims];

    private long Kernels(NodeProto node) => Shape(node)[0] * Shape(node)[1];

    // A kernel of 4x4 is four of 2x2.
    private long TransformedSize(NodeProto node) =>
        Kernels(node) * sizeof(float) * (IsWinograd(node) ? WinogradTransforms.Products : 4 * SmallWinogradTransforms.Products);

    // Convolutions in two dimensions with constant weights, without dilation and groups.
    private bool IsPlain(NodeProto node) => node.OpType is "Conv" or "ConvTranspose" && node.Domain.Length == 0
        && IsConstant(node.Input[1]) && Shape(node).Length == 4 && (node.Input.Count < 3 || IsConstant(node.Input[2]))
        && IsAll(node, "dilations", 1) && (OnnxNode.Integer(node, "group") ?? 1) == 1
        && (OnnxNode.Text(node, "auto_pad") ?? "NOTSET") == "NOTSET" && OnnxNode.Integers(node, "output_shape") is null;

    private bool IsConstant(string name) => constants.TryGetValue(name, out TensorProto? tensor) && tensor.DataType == (int)DataType.Float
        && tensor.RawData.Length == tensor.Dims.Aggregate((long)sizeof(float), (product, size) => product * size);

    private static bool IsAll(NodeProto node, string name, long value) =>
        OnnxNode.Integers(node, name)?.All(number => number == value) ?? true;

    private bool IsWinograd(NodeProto node) => node.OpType == "Conv" && Shape(node) is [>= FewestChannels, >= FewestChannels, 3, 3]
        && Kernels(node) <= MostKernels && IsAll(node, "strides", 1) && (IsAll(node, "pads", 0) || IsAll(node, "pads", 1));

    // Kernels of 3x3 with stride 2 leave Winograd's algorithm fewer multiplications to save, and its transforms take as long.
    private bool IsHalving(NodeProto node) => node.OpType == "Conv" && Shape(node) is [>= FewestChannels, >= FewestChannels, 4, 4]
        && Kernels(node) <= MostHalvingKernels && OnnxNode.Integers(node, "strides") is [2, 2];

    private bool IsDoubling(NodeProto node) => IsTransposed(node, MostDoublingKernels)
        && Shape(node) is [>= FewestChannels, >= FewestChannels, 4, 4] && First(node, "strides") == 2 && First(node, "output_padding") <= 1;

    private bool IsDirect(NodeProto node) => node.OpType == "Conv" && Shape(node) is [<= ImageChannels, >= FewestChannels, > 1, > 1]
        or [>= FewestChannels, <= ImageChannels, > 1, > 1] && IsAll(node, "strides", 1);

    private bool IsTransposed(NodeProto node, long mostKernels = MostTransposedKernels)
    {
        if (node.OpType != "ConvTranspose") return false;
        long[] shape = Shape(node), strides = OnnxNode.Integers(node, "strides") ?? [1, 1];
        return shape[2] == shape[3] && strides[0] == strides[1] && strides[0] > 1 && shape[2] >= strides[0]
            && Kernels(node) <= mostKernels && IsAll(node, "pads", First(node, "pads"))
            && IsAll(node, "output_padding", First(node, "output_padding"));
    }

    private static long First(NodeProto node, string name) => OnnxNode.Integers(node, name) is [var first, ..] ? first : 0;

    private void ReplaceWinograd(NodeProto node)
    {
        Padding padding = TakePadding(node);
        // A border of another width stays an operator of its own.
        Replace(node, WinogradConvolution.Type, padding, ("border", padding.Top));
    }

    private void ReplaceWithMargins(NodeProto node, OperatorType type)
    {
        Padding padding = TakePadding(node);
        Replace(node, type, padding, ("top", padding.Top), ("left", padding.Left), ("bottom", padding.Bottom),
            ("right", padding.Right));
    }

    private void ReplaceTransposed(NodeProto node, OperatorType type) =>
        Replace(node, type, new(node.Input[0], ConvolutionPadding.Zeros, 0, 0, 0, 0),
            ("stride", First(node, "strides")), ("border", First(node, "pads")), ("extra", First(node, "output_padding")));

    private void Replace(NodeProto node, OperatorType type, Padding padding, params (string Name, object Value)[] attributes)
    {
        string output = node.Output[0];
        NodeProto? relu = OnnxNode.ReluAfter(graph, output);
        long outputs = Shape(node)[node.OpType == "Conv" ? 0 : 1];
        string bias = node.Input.Count > 2 ? node.Input[2] : Zeros(outputs);
        graph.Node[graph.Node.IndexOf(node)] = type.CreateNode([padding.Input, Own(node.Input[1]), Own(bias)], relu?.Output[0] ?? output,
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
        if (constants.TryAdd(name, OnnxTensor.Create(name, new float[count], count)) && !isBranch) graph.Initializer.Add(constants[name]);
        return name;
    }

    // Operators of a branch do not see the constants of the graph around it.
    private string Own(string name)
    {
        if (!isBranch || graph.Initializer.Contains(constants[name])) return name;
        string own = $"{name}_{OperatorDomain.Name}";
        TensorProto copy = constants[name].Clone();
        copy.Name = own;
        if (constants.TryAdd(own, copy)) graph.Initializer.Add(copy);
        return own;
    }

    /// <summary>Padding of a value: kind, and numbers of pixels.</summary>
    private sealed record Padding(string Input, ConvolutionPadding Kind, long Top, long Left, long Bottom, long Right);
}
