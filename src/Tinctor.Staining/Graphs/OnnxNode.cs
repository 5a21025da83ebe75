using Google.Protobuf;
using Onnx;

namespace Tinctor.Staining.Graphs;

/// <summary>Creates and reads nodes of ONNX files.</summary>
internal static class OnnxNode
{
    /// <summary>Creates a node.</summary>
    public static NodeProto Create(string op, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new NodeProto { OpType = op, Name = outputs[0] };
        node.Input.Add(inputs);
        node.Output.Add(outputs);
        node.Attribute.Add(attributes.Select(attribute => CreateAttribute(attribute.Name, attribute.Value)));
        return node;
    }

    /// <summary>Gets the branches of nodes, without those within.</summary>
    public static IEnumerable<GraphProto> Branches(IEnumerable<NodeProto> nodes) =>
        nodes.SelectMany(node => node.Attribute).Where(attribute => attribute.G is not null).Select(attribute => attribute.G);

    /// <summary>Gets nodes with those of their branches.</summary>
    public static IEnumerable<NodeProto> WithBranches(IEnumerable<NodeProto> nodes) => nodes.SelectMany(node =>
        WithBranches(Branches([node]).SelectMany(branch => branch.Node)).Prepend(node));

    /// <summary>Gets the nodes of a graph and its branches that use a value; none for an output of the graph.</summary>
    public static NodeProto[] Users(GraphProto graph, string value) => graph.Output.Any(output => output.Name == value) ? []
        : [.. WithBranches(graph.Node).Where(node => node.Input.Contains(value))];

    /// <summary>Gets the ReLU that alone uses a value; null if something else does.</summary>
    public static NodeProto? ReluAfter(GraphProto graph, string value) =>
        Users(graph, value) is [{ OpType: "Relu" } user] && graph.Node.Contains(user) ? user : null;

    /// <summary>Creates the declaration of an input or output.</summary>
    /// <param name="name">Name.</param>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Sizes as numbers, or names of sizes that vary.</param>
    public static ValueInfoProto CreateInfo(string name, TensorProto.Types.DataType type, params object[] shape)
    {
        var sizes = new TensorShapeProto();
        sizes.Dim.Add(shape.Select(size => size is string symbol ? new TensorShapeProto.Types.Dimension { DimParam = symbol }
            : new TensorShapeProto.Types.Dimension { DimValue = Convert.ToInt64(size) }));
        return new()
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = sizes } },
        };
    }

    /// <summary>Gets an attribute of integers; null if the node does not state it.</summary>
    public static long[]? Integers(NodeProto node, string name) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == name)?.Ints is { } list ? [.. list] : null;

    /// <summary>Gets an attribute that is an integer; null if the node does not state it.</summary>
    public static long? Integer(NodeProto node, string name) => node.Attribute.FirstOrDefault(attribute => attribute.Name == name)?.I;

    /// <summary>Gets an attribute that is a text; null if the node does not state it.</summary>
    public static string? Text(NodeProto node, string name) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == name)?.S.ToStringUtf8();

    private static AttributeProto CreateAttribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case long or int:
                (attribute.Type, attribute.I) = (AttributeProto.Types.AttributeType.Int, Convert.ToInt64(value));
                break;
            case double number:
                (attribute.Type, attribute.F) = (AttributeProto.Types.AttributeType.Float, (float)number);
                break;
            case string text:
                (attribute.Type, attribute.S) = (AttributeProto.Types.AttributeType.String, ByteString.CopyFromUtf8(text));
                break;
            case long[] integers:
                attribute.Type = AttributeProto.Types.AttributeType.Ints;
                attribute.Ints.Add(integers);
                break;
            case GraphProto graph:
                (attribute.Type, attribute.G) = (AttributeProto.Types.AttributeType.Graph, graph);
                break;
            default:
                throw new ArgumentException($"no attribute of ONNX has the type {value.GetType().Name}", nameof(value));
        }
        return attribute;
    }
}
