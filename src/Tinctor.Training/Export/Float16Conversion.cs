using Onnx;
using Tinctor.Staining.Graphs;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Training.Export;

/// <summary>Converts a network to float16: weights and all values inside; inputs and outputs stay in float32.</summary>
internal static class Float16Conversion
{
    /// <summary>Converts a network.</summary>
    /// <param name="network">The network in float32; not changed.</param>
    public static ModelProto Run(ModelProto network)
    {
        ModelProto model = network.Clone();
        GraphProto graph = model.Graph;
        foreach (TensorProto tensor in graph.Initializer.Where(IsFloat)) Convert(tensor);
        foreach (NodeProto node in OnnxNode.WithBranches(graph.Node)) Convert(node);
        foreach (ValueInfoProto input in graph.Input.Where(input => input.Type.TensorType.ElemType == (int)DataType.Float))
            ConvertInput(graph, input);
        foreach (ValueInfoProto output in graph.Output.Where(output => output.Type.TensorType.ElemType == (int)DataType.Float))
            ConvertOutput(graph, output);
        return model;
    }

    private static bool IsFloat(TensorProto tensor) => tensor.DataType == (int)DataType.Float;

    private static void Convert(TensorProto tensor)
    {
        // Weights beyond the range of float16 become its largest value instead of infinity.
        Half[] values = Array.ConvertAll(OnnxTensor.Floats(tensor),
            value => (Half)Math.Clamp(value, (float)Half.MinValue, (float)Half.MaxValue));
        (tensor.DataType, tensor.RawData) = ((int)DataType.Float16, OnnxTensor.Raw(values));
    }

    private static void Convert(NodeProto node)
    {
        foreach (AttributeProto attribute in node.Attribute)
        {
            if (node.OpType == "Cast" && attribute.Name == "to" && attribute.I == (long)DataType.Float)
                attribute.I = (long)DataType.Float16;
            foreach (ValueInfoProto value in (attribute.G?.Input ?? []).Concat(attribute.G?.Output ?? []))
                if (value.Type.TensorType.ElemType == (int)DataType.Float) value.Type.TensorType.ElemType = (int)DataType.Float16;
        }
        // Without a value it gives zeros in float32.
        if (node.OpType != "ConstantOfShape" || node.Attribute.Any(attribute => attribute.Name == "value")) return;
        TensorProto zero = OnnxTensor.Create<Half>("", DataType.Float16, [default], 1);
        node.Attribute.Add(new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = zero });
    }

    private static void ConvertInput(GraphProto graph, ValueInfoProto input)
    {
        string inner = $"{input.Name}_float16", name = input.Name;
        ValueInfoProto declared = input.Clone();
        OnnxFile.Rename(graph, name, inner);
        input.Name = declared.Name;
        graph.Node.Insert(0, OnnxNode.Create("Cast", [name], [inner], ("to", (long)DataType.Float16)));
    }

    private static void ConvertOutput(GraphProto graph, ValueInfoProto output)
    {
        string inner = $"{output.Name}_float16", name = output.Name;
        OnnxFile.Rename(graph, name, inner);
        output.Name = name;
        NodeProto cast = OnnxNode.Create("Cast", [inner], [name], ("to", (long)DataType.Float));
        cast.Name = $"{inner}_to_float32"; // the node that made the output has the output's name
        graph.Node.Add(cast);
    }
}
