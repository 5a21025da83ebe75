using Onnx;
using Tinctor.Staining.Graphs;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Export;

/// <summary>A function of tensors to export, with the names of its inputs and outputs.</summary>
/// <param name="Name">Name of the graph.</param>
/// <param name="Inputs">Creates example inputs for a size, in the order of the names.</param>
/// <param name="InputNames">Names of the inputs.</param>
/// <param name="Forward">Computes the outputs.</param>
/// <param name="OutputNames">Names of the outputs.</param>
internal sealed record ExportFunction(string Name, Func<InputSize, Tensor[]> Inputs, string[] InputNames, Func<Tensor[], Tensor[]> Forward,
    string[] OutputNames)
{
    /// <summary>Input size of the first trace; height and width differ.</summary>
    public required InputSize Size { get; init; }

    /// <summary>Height and width of an input are multiples of this.</summary>
    public int SizeMultiple { get; init; } = 1;

    /// <summary>Index of the output that callers may replace by an input of the name "given_" and its own; -1 for none.</summary>
    public int ReplaceableOutput { get; init; } = -1;
}

/// <summary>
/// Exports networks to ONNX. A forward pass is traced at five input sizes; sizes of tensors that differ are expressed by number, height and
/// width of the input, so the graph takes any of them that the network takes.
/// </summary>
internal static class OnnxExporter
{
    /// <summary>
    /// Input with the moments that layers normalise by, [N, sum over layers of 2 x channels]: means and variances, layer by layer.
    /// </summary>
    public const string MomentsInput = "moments";

    /// <summary>Input, a flag [1]: whether layers normalise by the given moments instead of those of the image.</summary>
    public const string UseMomentsInput = "use_moments";

    /// <summary>Output with the moments that layers normalised by.</summary>
    public const string MomentsOutput = "used_moments";

    private const int LargeMultiple = 64;

    /// <summary>Exports a function of a network.</summary>
    /// <param name="network">The network, in inference mode.</param>
    /// <param name="function">The function.</param>
    /// <param name="metadata">Properties of the model.</param>
    /// <exception cref="TinctorException">An operator has no counterpart; the message names it.</exception>
    public static ModelProto Export(Module network, ExportFunction function, IReadOnlyDictionary<string, string> metadata)
    {
        InputSize[] sizes = Sizes(function.Size, function.SizeMultiple);
        Trace[] traces = Array.ConvertAll(sizes, each => Record(network, function, each));
        if (traces.Any(trace => !trace.Calls.Select(call => call.Operator).SequenceEqual(traces[0].Calls.Select(call => call.Operator))))
            throw new TinctorException("the network cannot be exported: its operators depend on the image size");
        return new Translation(network, function, sizes, traces).Run(metadata);
    }

    // One axis at a time, then all; large networks are not traced at more pixels than needed.
    private static InputSize[] Sizes(InputSize size, int multiple)
    {
        (int height, int width) = multiple < LargeMultiple ? (3, 5) : (1, 1);
        return
        [
            size, size with { Count = size.Count + 1 }, size with { Height = size.Height + multiple },
                size with { Width = size.Width + multiple },
            new(size.Count + (multiple < LargeMultiple ? 2 : 0), size.Height + (height * multiple), size.Width + (width * multiple)),
        ];
    }

    private static Trace Record(Module network, ExportFunction function, InputSize size)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard mode = torch.no_grad();
        Tensor[] inputs = function.Inputs(size);
        var trace = new ForwardTrace(new HashSet<Tensor>(network.state_dict().Values, ReferenceEqualityComparer.Instance));
        foreach (Tensor input in inputs) trace.Input(input);
        var moments = new List<(int Mean, int Variance)>();
        Tensor[] outputs = trace.Observe(() => MomentsContext.Run(own =>
        {
            moments.Add((trace.ValueOf(own.Mean).Id, trace.ValueOf(own.Variance).Id));
            return own;
        }, () => function.Forward(inputs)));
        return new(trace.Calls, trace.Shapes, [.. outputs.Select(output => trace.ValueOf(output).Id)], moments);
    }

    private sealed record Trace(IReadOnlyList<TracedCall> Calls, IReadOnlyList<long[]> Shapes, int[] Outputs,
        IReadOnlyList<(int Mean, int Variance)> Moments);

    /// <summary>Translation of traces to one graph.</summary>
    private sealed class Translation(Module network, ExportFunction function, InputSize[] sizes, Trace[] traces)
    {
        private readonly OnnxGraph graph = new();
        private readonly Dictionary<int, string> names = [];
        private readonly Dictionary<Tensor, string> weights = Keys(network);
        private readonly Dictionary<object, string> constants = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<int, string> dimensions = [];
        private readonly List<(NodeProto Choice, string Own)> choices = [];

        public ModelProto Run(IReadOnlyDictionary<string, string> metadata)
        {
            Trace trace = traces[0];
            for (int i = 0; i < function.InputNames.Length; i++)
                names[i] = graph.Input(function.InputNames[i], TensorProto.Types.DataType.Float, Symbols(i));
            int[] replaceable = Replaceable(trace);
            DeclareChoices(trace);
            for (int i = 0; i < trace.Calls.Count; i++)
            {
                TracedCall[] calls = Array.ConvertAll(traces, each => each.Calls[i]);
                OperatorMap.Translate(new(graph, sizes, calls, [.. traces.Select(each => each.Shapes)], names, ConstantName, Dimension));
                foreach (int result in calls[0].Results.Where(replaceable.Contains)) Replace(trace, result);
            }
            for (int i = 0; i < function.OutputNames.Length; i++)
                graph.Output(function.OutputNames[i], names[trace.Outputs[i]], OutputSymbols(trace.Shapes[trace.Outputs[i]].Length));
            if (trace.Moments.Count > 0) OutputMoments(trace);
            BatchNormFolding.Fold(graph);
            SinkBranches();
            var properties = new Dictionary<string, string>(metadata);
            if (trace.Moments.Count > 0) properties["moments"] = string.Join(',', trace.Moments.Select(pair => Length(trace, pair.Mean)));
            return graph.Build(function.Name, properties);
        }

        // Keys of the state dictionary by tensor; of a shared tensor the first.
        private static Dictionary<Tensor, string> Keys(Module network)
        {
            var keys = new Dictionary<Tensor, string>(ReferenceEqualityComparer.Instance);
            foreach ((string key, Tensor tensor) in network.state_dict()) keys.TryAdd(tensor, key);
            return keys;
        }

        private int[] Replaceable(Trace trace) =>
        [
            .. trace.Moments.SelectMany(pair => new[] { pair.Mean, pair.Variance }),
            .. function.ReplaceableOutput < 0 ? (int[])[] : [trace.Outputs[function.ReplaceableOutput]],
        ];

        private void DeclareChoices(Trace trace)
        {
            if (trace.Moments.Count > 0)
            {
                long total = trace.Moments.Sum(pair => 2 * Length(trace, pair.Mean));
                graph.Input(MomentsInput, TensorProto.Types.DataType.Float, "N", total);
                graph.Input(UseMomentsInput, TensorProto.Types.DataType.Bool, 1);
            }
            if (function.ReplaceableOutput < 0) return;
            string name = function.OutputNames[function.ReplaceableOutput];
            graph.Input($"given_{name}", TensorProto.Types.DataType.Float, "N", trace.Shapes[trace.Outputs[function.ReplaceableOutput]][1]);
            graph.Input($"use_{name}", TensorProto.Types.DataType.Bool, 1);
        }

        // Uses of the value after this see the given one where the flag says so.
        private void Replace(Trace trace, int value)
        {
            string own = names[value], result = graph.NewName("choice");
            var given = new GraphProto { Name = $"given_{own}" };
            string flag;
            if (function.ReplaceableOutput >= 0 && value == trace.Outputs[function.ReplaceableOutput])
            {
                string name = function.OutputNames[function.ReplaceableOutput];
                flag = $"use_{name}";
                Identity(given, $"given_{name}");
            }
            else
            {
                flag = UseMomentsInput;
                (long start, long length) = Place(trace, value);
                string slice = graph.NewName("Slice");
                given.Node.Add(OnnxNode.Create("Slice",
                    [MomentsInput, graph.Integers(start), graph.Integers(start + length), graph.Integers(1)], [slice]));
                string last = graph.NewName("given");
                given.Node.Add(OnnxNode.Create("Reshape", [slice, graph.Integers(0, -1, 1, 1)], [last]));
                given.Output.Add(new ValueInfoProto { Name = last, Type = FloatType() });
            }
            var measured = new GraphProto { Name = $"own_{own}" };
            Identity(measured, own);
            NodeProto choice = OnnxNode.Create("If", [flag], [result], ("then_branch", given), ("else_branch", measured));
            graph.Nodes.Add(choice);
            choices.Add((choice, own));
            names[value] = result;
        }

        private void Identity(GraphProto branch, string value)
        {
            string result = graph.NewName("branch");
            branch.Node.Add(OnnxNode.Create("Identity", [value], [result]));
            branch.Output.Add(new ValueInfoProto { Name = result, Type = FloatType() });
        }

        private static TypeProto FloatType() => new() { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float } };

        // Start and length of a layer's means or variances in the moments.
        private static (long Start, long Length) Place(Trace trace, int value)
        {
            long start = 0;
            foreach ((int mean, int variance) in trace.Moments)
            {
                long length = Length(trace, mean);
                if (value == mean) return (start, length);
                if (value == variance) return (start + length, length);
                start += 2 * length;
            }
            throw new InvalidOperationException($"value {value} is no moment");
        }

        private static long Length(Trace trace, int value) => trace.Shapes[value][1..].Aggregate(1L, (product, size) => product * size);

        private void OutputMoments(Trace trace)
        {
            string[] parts = [.. trace.Moments.SelectMany(pair => new[] { pair.Mean, pair.Variance })
                .Select(value => graph.Add("Reshape", [names[value], graph.Integers(0, -1)]))];
            graph.Output(MomentsOutput, graph.Add("Concat", parts, ("axis", 1L)), "N",
                trace.Moments.Sum(pair => 2 * Length(trace, pair.Mean)));
        }

        // Moves nodes that only the image's own moments need into the branch that computes them.
        private void SinkBranches()
        {
            foreach ((NodeProto choice, string own) in choices)
            {
                var uses = new Dictionary<string, int>();
                foreach (string input in OnnxNode.WithBranches(graph.Nodes).SelectMany(node => node.Input))
                    uses[input] = uses.GetValueOrDefault(input) + 1;
                GraphProto branch = choice.Attribute.Single(attribute => attribute.Name == "else_branch").G;
                var moved = new List<NodeProto>();
                var taken = new Dictionary<string, int> { [own] = 1 };
                for (int i = graph.Nodes.IndexOf(choice) - 1; i >= 0; i--)
                {
                    NodeProto node = graph.Nodes[i];
                    if (node.OpType == "If" || !node.Output.Any(taken.ContainsKey)) continue;
                    if (node.Output.Any(output => uses.GetValueOrDefault(output) != taken.GetValueOrDefault(output))) continue;
                    moved.Insert(0, node);
                    foreach (string input in node.Input) taken[input] = taken.GetValueOrDefault(input) + 1;
                }
                foreach (NodeProto node in moved) graph.Nodes.Remove(node);
                for (int i = 0; i < moved.Count; i++) branch.Node.Insert(i, moved[i]);
            }
        }

        private string ConstantName(object value)
        {
            if (value is Tensor weight) return graph.Floats(weights[weight], weight);
            var constant = (TracedConstant)value;
            if (!constants.TryGetValue(constant, out string? name)) constants[constant] = name = graph.NewName("constant");
            return graph.Floats(name, constant.Values, constant.Shape);
        }

        private string Dimension(int axis)
        {
            if (dimensions.TryGetValue(axis, out string? name)) return name;
            int dimension = axis == 0 ? 0 : axis + 1;
            // At the start of the graph: every later node may use it.
            string result = graph.NewName("Shape");
            graph.Nodes.Insert(0, OnnxNode.Create("Shape", [function.InputNames[0]], [result], ("start", (long)dimension),
                ("end", dimension + 1L)));
            return dimensions[axis] = result;
        }

        // Sizes that follow the input have its names, others that vary one of their own.
        private object[] Symbols(int input) =>
        [
            .. Enumerable.Range(0, traces[0].Shapes[input].Length).Select(i =>
                SizeExpression.Fit(sizes, [.. traces.Select(trace => trace.Shapes[input][i])]) switch
                {
                    { IsConstant: true } size => (object)size.Offset,
                    { Axes: [int axis], Numerator: 1, Denominator: 1, Offset: 0 } => "NHW"[axis].ToString(),
                    _ => $"{function.InputNames[input]}_{i}",
                }),
        ];

        private static object[] OutputSymbols(int dimensions) => ["N", .. Enumerable.Range(1, dimensions - 1).Select(i => $"out_{i}")];
    }
}
