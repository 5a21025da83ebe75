using Onnx;
using Tinctor.Staining.Graphs;
using Tinctor.Torch;

namespace Tinctor.Training.Export;

/// <summary>Builder of an ONNX graph in float32: nodes, initializers and values, each with a unique name.</summary>
internal sealed class OnnxGraph
{
    /// <summary>Version of the operator set; checkers of 2022 know it.</summary>
    public const int Opset = 17;

    private const int IrVersion = 8;
    private readonly Dictionary<string, TensorProto> initializers = [];
    private readonly Dictionary<string, string> constants = [];
    private readonly List<ValueInfoProto> inputs = [], outputs = [];
    private int names;

    /// <summary>Nodes in the order of computation.</summary>
    public List<NodeProto> Nodes { get; } = [];

    /// <summary>Adds a node with one output; an empty input name leaves out an optional input.</summary>
    /// <returns>Name of the output.</returns>
    public string Add(string op, string[] inputs, params (string Name, object Value)[] attributes)
    {
        string result = NewName(op);
        Nodes.Add(OnnxNode.Create(op, inputs, [result], attributes));
        return result;
    }

    /// <summary>Creates a name that no other value has.</summary>
    public string NewName(string stem) => $"{stem}_{names++}";

    /// <summary>Declares an input.</summary>
    /// <param name="name">Name.</param>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Sizes as numbers, or names of sizes that vary.</param>
    public string Input(string name, TensorProto.Types.DataType type, params object[] shape)
    {
        inputs.Add(OnnxNode.CreateInfo(name, type, shape));
        return name;
    }

    /// <summary>Declares an output: a value under a name of its own.</summary>
    public void Output(string name, string value, params object[] shape)
    {
        Nodes.Add(OnnxNode.Create("Identity", [value], [name]));
        outputs.Add(OnnxNode.CreateInfo(name, TensorProto.Types.DataType.Float, shape));
    }

    /// <summary>Whether a value is an initializer.</summary>
    public bool IsInitializer(string name) => initializers.ContainsKey(name);

    /// <summary>Gets the numbers of an initializer in float32.</summary>
    public float[] Numbers(string name) => OnnxTensor.Floats(initializers[name]);

    /// <summary>Gets the shape of an initializer.</summary>
    public long[] ShapeOf(string name) => [.. initializers[name].Dims];

    /// <summary>Adds an initializer in float32; the same name gives the first one.</summary>
    public string Floats(string name, float[] values, long[] shape) => Initializer(name, TensorProto.Types.DataType.Float, values, shape);

    /// <summary>Adds a tensor as an initializer in float32.</summary>
    public string Floats(string name, Tensor tensor) =>
        initializers.ContainsKey(name) ? name
            : Floats(name, tensor.detach().cpu().to(ScalarType.Float32).contiguous().ToArray<float>(), tensor.shape);

    /// <summary>Renames an initializer and its uses.</summary>
    public void Rename(string name, string newName)
    {
        TensorProto tensor = initializers[name];
        initializers.Remove(name);
        tensor.Name = newName;
        initializers[newName] = tensor;
        foreach (NodeProto node in OnnxNode.WithBranches(Nodes))
            for (int i = 0; i < node.Input.Count; i++)
                if (node.Input[i] == name) node.Input[i] = newName;
    }

    /// <summary>Whether a node uses a value.</summary>
    public bool IsUsed(string name) => OnnxNode.WithBranches(Nodes).Any(node => node.Input.Contains(name));

    /// <summary>Gets a constant of one number, without dimensions.</summary>
    public string Number(double value) => Constant($"number {value:R}", name => Floats(name, [(float)value], []));

    /// <summary>Gets a constant list of integers.</summary>
    public string Integers(params long[] values) => Constant($"integers {string.Join(' ', values)}",
        name => Initializer(name, TensorProto.Types.DataType.Int64, values, [values.Length]));

    /// <summary>Completes the model. Initializers that no node uses are left out.</summary>
    public ModelProto Build(string name, IReadOnlyDictionary<string, string> metadata)
    {
        var used = new HashSet<string>(OnnxNode.WithBranches(Nodes).SelectMany(node => node.Input));
        var graph = new GraphProto { Name = name };
        graph.Input.Add(inputs);
        graph.Output.Add(outputs);
        graph.Node.Add(Nodes);
        graph.Initializer.Add(initializers.Values.Where(tensor => used.Contains(tensor.Name)));
        var model = new ModelProto { IrVersion = IrVersion, ProducerName = "Tinctor", Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = Opset });
        model.MetadataProps.Add(metadata.Select(pair => new StringStringEntryProto { Key = pair.Key, Value = pair.Value }));
        return model;
    }

    private string Constant(string key, Func<string, string> create) =>
        constants.TryGetValue(key, out string? name) ? name : constants[key] = create(NewName("constant"));

    private string Initializer<T>(string name, TensorProto.Types.DataType type, T[] values, long[] shape) where T : unmanaged
    {
        if (!initializers.ContainsKey(name)) initializers[name] = OnnxTensor.Create(name, type, values, shape);
        return name;
    }
}
