using Onnx;
using Tinctor.Staining.Graphs;

namespace Tinctor.Staining.Operators;

/// <summary>Operator of a network that computes in float32 on the CPU, with one output.</summary>
internal abstract class Operator
{
    /// <summary>Computes the output.</summary>
    public abstract void Run(OperatorRun run);
}

/// <summary>Kind of operators.</summary>
/// <param name="Name">Name in graphs.</param>
/// <param name="Inputs">Number of inputs.</param>
/// <param name="Create">Creates the operator of a node.</param>
internal sealed record OperatorType(string Name, int Inputs, Func<OperatorNode, Operator> Create)
{
    /// <summary>Creates a node of a graph.</summary>
    public NodeProto CreateNode(string[] inputs, string output, params (string Name, object Value)[] attributes)
    {
        NodeProto node = OnnxNode.Create(Name, inputs, [output], attributes);
        node.Domain = OperatorDomain.Name;
        return node;
    }
}
