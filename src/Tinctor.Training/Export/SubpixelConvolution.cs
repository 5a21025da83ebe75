using Onnx;
using Tinctor.Staining.Graphs;

namespace Tinctor.Training.Export;

/// <summary>
/// Replaces transposed convolutions by convolutions at the size of their input, which compute the pixels of each s x s block as channels,
/// and a rearrangement. ONNX Runtime quantises convolutions, but no transposed ones.
/// </summary>
internal static class SubpixelConvolution
{
    /// <summary>Replaces every transposed convolution that enlarges its input by its stride exactly.</summary>
    public static void Replace(GraphProto graph)
    {
        var weights = graph.Initializer.ToDictionary(tensor => tensor.Name);
        foreach (NodeProto node in graph.Node.Where(node => node.OpType == "ConvTranspose").ToList())
        {
            if (weights.TryGetValue(node.Input[1], out TensorProto? weight) && Geometry.Of(node, weight) is { } geometry)
                Replace(graph, node, weight, geometry, node.Input.Count > 2 ? weights[node.Input[2]] : null);
        }
        OnnxFile.RemoveUnused(graph);
    }

    private static void Replace(GraphProto graph, NodeProto node, TensorProto weight, Geometry geometry, TensorProto? bias)
    {
        string kernel = $"{weight.Name}_subpixel", blocks = $"{node.Output[0]}_blocks";
        graph.Initializer.Add(OnnxTensor.Create(kernel, geometry.Rearranged(OnnxTensor.Floats(weight)), geometry.Shape));
        List<string> inputs = [node.Input[0], kernel];
        if (bias is not null)
        {
            long area = geometry.Stride * geometry.Stride;
            inputs.Add($"{kernel}_bias");
            graph.Initializer.Add(OnnxTensor.Create(inputs[^1],
                [.. OnnxTensor.Floats(bias).SelectMany(value => Enumerable.Repeat(value, (int)area))],
                area * geometry.Outputs));
        }
        NodeProto convolution = OnnxNode.Create("Conv", [.. inputs], [blocks],
            ("kernel_shape", new[] { geometry.Taps, geometry.Taps }),
            ("pads", new[] { geometry.Before, geometry.Before, geometry.After, geometry.After }));
        // An activation acts on each value, so it can come first, where it is part of the convolution.
        NodeProto[] users = [.. OnnxNode.WithBranches(graph.Node).Where(user => user.Input.Contains(node.Output[0]))];
        string result = node.Output[0];
        var nodes = new List<NodeProto> { convolution };
        if (users is [{ OpType: "Relu" } activation])
        {
            nodes.Add(OnnxNode.Create("Relu", [blocks], [$"{blocks}_relu"]));
            (blocks, result) = ($"{blocks}_relu", activation.Output[0]);
            graph.Node.Remove(activation);
        }
        nodes.Add(OnnxNode.Create("DepthToSpace", [blocks], [result], ("blocksize", geometry.Stride), ("mode", "CRD")));
        int place = graph.Node.IndexOf(node);
        graph.Node.RemoveAt(place);
        for (int i = 0; i < nodes.Count; i++) graph.Node.Insert(place + i, nodes[i]);
    }

    /// <summary>Sizes of a transposed convolution with a square kernel, and of the convolution that replaces it.</summary>
    private sealed record Geometry(long Inputs, long Outputs, long Kernel, long Stride, long Padding)
    {
        /// <summary>
        /// Input pixels that a block depends on, to each side. Output pixel s q + r takes the input pixel q - d with the tap s d + r + p.
        /// </summary>
        public long Before => Enumerable.Range(0, (int)Stride).Max(phase => (Kernel - 1 - phase - Padding) / Stride);

        public long After => (Stride - 1 + Padding) / Stride;

        public long Taps => Before + After + 1;

        public long[] Shape => [Outputs * Stride * Stride, Inputs, Taps, Taps];

        public static Geometry? Of(NodeProto node, TensorProto weight)
        {
            long[] List(string name, long otherwise) => OnnxNode.Integers(node, name) ?? [otherwise, otherwise];
            (long[] strides, long[] pads, long[] more) = (List("strides", 1), List("pads", 0), List("output_padding", 0));
            bool isSquare = weight.Dims.Count == 4 && weight.Dims[2] == weight.Dims[3] && strides[0] == strides[1] && more[0] == more[1]
                && pads.All(pad => pad == pads[0]) && List("dilations", 1).All(step => step == 1)
                && (OnnxNode.Integer(node, "group") ?? 1) == 1;
            // (n - 1) s - 2 p + k + more is s n.
            return isSquare && weight.Dims[2] - (2 * pads[0]) + more[0] == strides[0]
                ? new(weight.Dims[0], weight.Dims[1], weight.Dims[2], strides[0], pads[0]) : null;
        }

        /// <summary>Rearranges the weights [in, out, k, k] to those of the convolution.</summary>
        public float[] Rearranged(float[] weights)
        {
            float[] result = new float[Shape.Aggregate(1L, (product, size) => product * size)];
            for (long output = 0; output < Outputs; output++)
                for (long input = 0; input < Inputs; input++)
                    for (long y = 0; y < Stride * Taps; y++)
                        for (long x = 0; x < Stride * Taps; x++)
                        {
                            (long row, long phaseY) = Math.DivRem(y, Stride);
                            (long column, long phaseX) = Math.DivRem(x, Stride);
                            long tapY = (Stride * (Before - row)) + phaseY + Padding,
                                tapX = (Stride * (Before - column)) + phaseX + Padding;
                            if (tapY < 0 || tapX < 0 || tapY >= Kernel || tapX >= Kernel) continue;
                            long channel = (((output * Stride) + phaseY) * Stride) + phaseX;
                            result[(((((channel * Inputs) + input) * Taps) + row) * Taps) + column] =
                                weights[(((((input * Outputs) + output) * Kernel) + tapY) * Kernel) + tapX];
                        }
            return result;
        }
    }
}
