using Onnx;
using Tinctor.Staining.Graphs;

namespace Tinctor.Training.Export;

/// <summary>Folds batch normalisation into the convolution before it.</summary>
internal static class BatchNormFolding
{
    /// <summary>Folds every batch normalisation whose input is the result of a convolution that nothing else uses.</summary>
    public static void Fold(OnnxGraph graph)
    {
        var uses = new Dictionary<string, int>();
        foreach (string input in OnnxNode.WithBranches(graph.Nodes).SelectMany(node => node.Input))
            uses[input] = uses.GetValueOrDefault(input) + 1;
        var makers = graph.Nodes.SelectMany(node => node.Output.Select(output => (output, node)))
            .ToDictionary(pair => pair.output, pair => pair.node);
        var folded = new HashSet<(string Weight, string Norm)>();
        foreach (NodeProto norm in graph.Nodes.Where(node => node.OpType == "BatchNormalization").ToList())
        {
            if (!makers.TryGetValue(norm.Input[0], out NodeProto? convolution) || convolution.OpType is not ("Conv" or "ConvTranspose"))
                continue;
            if (uses[norm.Input[0]] != 1 || !convolution.Input.Skip(1).Concat(norm.Input.Skip(1)).All(graph.IsInitializer)) continue;
            folded.Add((convolution.Input[1], norm.Input[1]));
            Fold(graph, convolution, norm);
        }
        // A weight keeps its key, unless it is also used as it was.
        foreach ((string weight, string norm) in folded)
            if (!graph.IsUsed(weight) && folded.Count(pair => pair.Weight == weight) == 1) graph.Rename(Name(weight, norm), weight);
    }

    private static string Name(string weight, string norm) => $"{weight}.{norm}";

    private static void Fold(OnnxGraph graph, NodeProto convolution, NodeProto norm)
    {
        float[] gain = graph.Numbers(norm.Input[1]), shift = graph.Numbers(norm.Input[2]), mean = graph.Numbers(norm.Input[3]),
            variance = graph.Numbers(norm.Input[4]);
        double epsilon = norm.Attribute.Single(attribute => attribute.Name == "epsilon").F;
        double[] scale = [.. gain.Zip(variance, (g, v) => g / Math.Sqrt(v + epsilon))];
        string weight = convolution.Input[1];
        long[] shape = graph.ShapeOf(weight);
        float[] folded = [.. graph.Numbers(weight)], bias = convolution.Input.Count > 2 ? graph.Numbers(convolution.Input[2])
            : new float[scale.Length];
        long kernel = shape[2..].Aggregate(1L, (product, size) => product * size);
        for (int i = 0; i < folded.Length; i++) folded[i] = (float)(folded[i] * scale[OutputChannel(i)]);
        string name = Name(weight, norm.Input[1]);
        float[] shifted = [.. bias.Select((b, c) => (float)(((b - mean[c]) * scale[c]) + shift[c]))];
        convolution.Input[1] = graph.Floats(name, folded, shape);
        string biasName = graph.Floats($"{name}.bias", shifted, [shifted.Length]);
        if (convolution.Input.Count > 2) convolution.Input[2] = biasName;
        else convolution.Input.Add(biasName);
        convolution.Output[0] = norm.Output[0];
        graph.Nodes.Remove(norm);

        // Convolutions are [out, in / groups, ...], transposed ones [in, out / groups, ...].
        long OutputChannel(int index)
        {
            if (convolution.OpType == "Conv") return index / (kernel * shape[1]);
            long groups = convolution.Attribute.Single(attribute => attribute.Name == "group").I, input = index / (kernel * shape[1]);
            return (input / (shape[0] / groups) * shape[1]) + (index / kernel % shape[1]);
        }
    }
}
