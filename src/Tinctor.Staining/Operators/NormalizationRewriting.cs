using Google.Protobuf.Collections;
using Onnx;
using Tinctor.Staining.Graphs;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Replaces the steps of a normalisation by image, as the exporter of this project writes them, by <see cref="ChannelVariance"/> and
/// <see cref="ChannelNormalization"/>, which read the image once.
/// </summary>
/// <param name="graph">The graph; changed.</param>
internal sealed class NormalizationRewriting(GraphProto graph)
{
    /// <summary>Replaces the steps.</summary>
    /// <returns>Number of replacements.</returns>
    public int Run()
    {
        int count = graph.Node.SelectMany(node => node.Attribute).Where(attribute => attribute.G is not null)
            .Sum(attribute => ReplaceVariances(attribute.G.Node)) + ReplaceVariances(graph.Node);
        foreach (NodeProto node in graph.Node.Where(node => node.OpType == "Mul").ToList())
            if (ReplaceNormalization(node)) count++;
        return count;
    }

    // mean((x - mean(x))²)
    private int ReplaceVariances(RepeatedField<NodeProto> nodes)
    {
        int count = 0;
        foreach (NodeProto outer in nodes.Where(IsMeanOfPixels).ToList())
        {
            if (Maker(nodes, outer.Input[0], "Mul") is not { } square || square.Input[0] != square.Input[1]
                || Maker(nodes, square.Input[0], "Sub") is not { } difference
                || Maker(nodes, difference.Input[1], "ReduceMean") is not { } inner || !IsMeanOfPixels(inner)
                || inner.Input[0] != difference.Input[0]) continue;
            NodeProto[] steps = [inner, difference, square];
            if (steps.Any(step => Users(step.Output[0]).Any(user => user != outer && !steps.Contains(user)))) continue;
            nodes[nodes.IndexOf(outer)] = ChannelVariance.Type.CreateNode([inner.Input[0]], outer.Output[0]);
            foreach (NodeProto step in steps) nodes.Remove(step);
            count++;
        }
        return count;
    }

    // (x - mean) / sqrt(variance + eps), and a ReLU.
    private bool ReplaceNormalization(NodeProto product)
    {
        if (Maker(graph.Node, product.Input[0], "Sub") is not { } difference || Users(difference.Output[0]) is not [_]
            || Maker(graph.Node, product.Input[1], "Reciprocal") is not { } factor
            || !IsMoment(difference.Input[1]) || Maker(graph.Node, factor.Input[0], "Sqrt") is not { } root
            || Maker(graph.Node, root.Input[0], "Add") is not { } sum || !IsMoment(sum.Input[0])) return false;
        NodeProto? relu = OnnxNode.ReluAfter(graph, product.Output[0]);
        graph.Node[graph.Node.IndexOf(product)] = ChannelNormalization.Type.CreateNode(
            [difference.Input[0], difference.Input[1], factor.Output[0]], (relu ?? product).Output[0], ("relu", relu is null ? 0L : 1L));
        graph.Node.Remove(difference);
        if (relu is not null) graph.Node.Remove(relu);
        return true;
    }

    private static bool IsMeanOfPixels(NodeProto node) => node.OpType == "ReduceMean"
        && OnnxNode.Integers(node, "axes") is [2, 3] && (OnnxNode.Integer(node, "keepdims") ?? 1) == 1;

    // Moments that are given or measured come from a choice between the two.
    private bool IsMoment(string value) => Maker(graph.Node, value, "If") is not null;

    private static NodeProto? Maker(RepeatedField<NodeProto> nodes, string value, string operation) =>
        nodes.FirstOrDefault(node => node.OpType == operation && node.Output.Contains(value));

    private NodeProto[] Users(string value) => OnnxNode.Users(graph, value);
}
