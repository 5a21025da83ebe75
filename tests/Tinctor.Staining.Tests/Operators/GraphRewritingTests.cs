using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;
using Tinctor.Staining.Graphs;
using Tinctor.Staining.Operators;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Staining.Tests.Operators;

public sealed class GraphRewritingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;
    private readonly Random random = new(5);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("WinogradConvolution", 32, 32, 3, 1, "zeros")]
    [InlineData("WinogradConvolution", 40, 70, 3, 0, "zeros")]
    [InlineData("WinogradConvolution", 33, 136, 3, 0, "reflect")]
    [InlineData("WinogradConvolution", 33, 36, 3, 0, "constant")]
    [InlineData("DirectConvolution", 3, 36, 7, 0, "reflect")]
    [InlineData("DirectConvolution", 1, 32, 5, 2, "zeros")]
    [InlineData("DirectConvolution", 32, 3, 7, 0, "reflect")]
    [InlineData("DirectConvolution", 34, 1, 4, 1, "zeros")]
    [InlineData("DirectConvolution", 34, 2, 3, 0, "constant")]
    [InlineData("DirectConvolution", 32, 4, 3, 1, "zeros")]
    public void Convolution_equals_that_of_onnx_runtime(string operation, int inputs, int outputs, int kernel, int pads, string padding)
    {
        foreach (bool withRelu in (bool[])[false, true])
        {
            var graph = new TestGraph(random, inputs);
            if (padding != "zeros") graph.Pad(kernel / 2, padding);
            graph.Convolution(inputs, outputs, kernel, pads, withBias: withRelu);
            if (withRelu) graph.Relu();
            Compare(graph.Model(), operation, inputs, [(1, 12, 16), (2, 9, 5), (1, 31, 130), (3, 8, 7), (1, 70, 290)]);
        }
    }

    [Theory]
    [InlineData(32, 32, 1, "zeros"), InlineData(40, 70, 0, "zeros"), InlineData(33, 136, 0, "reflect"), InlineData(34, 36, 0, "constant")]
    [InlineData(32, 33, 2, "zeros"), InlineData(32, 33, 3, "zeros")]
    public void Halving_convolution_equals_that_of_onnx_runtime(int inputs, int outputs, int pads, string padding)
    {
        foreach (bool withRelu in (bool[])[false, true])
        {
            var graph = new TestGraph(random, inputs);
            if (padding != "zeros") graph.Pad(1, padding);
            graph.Convolution(inputs, outputs, 4, pads, withBias: withRelu, stride: 2);
            if (withRelu) graph.Relu();
            Compare(graph.Model(), "HalvingConvolution", inputs, [(1, 12, 16), (2, 9, 5), (1, 31, 130), (3, 8, 7), (1, 70, 290)]);
        }
    }

    [Theory]
    [InlineData("DirectTransposedConvolution", 16, 24, 3, 2, 1, 1)]
    [InlineData("DirectTransposedConvolution", 8, 3, 4, 2, 1, 0)]
    [InlineData("DirectTransposedConvolution", 5, 9, 2, 2, 0, 0)]
    [InlineData("DirectTransposedConvolution", 7, 8, 5, 3, 1, 1)]
    [InlineData("DoublingConvolution", 32, 32, 4, 2, 1, 0)]
    [InlineData("DoublingConvolution", 33, 35, 4, 2, 0, 1)]
    [InlineData("DoublingConvolution", 40, 136, 4, 2, 1, 1)]
    public void Transposed_convolution_equals_that_of_onnx_runtime(
        string operation, int inputs, int outputs, int kernel, int stride, int padding, int extra)
    {
        foreach (bool withRelu in (bool[])[false, true])
        {
            var graph = new TestGraph(random, inputs);
            graph.Transposed(inputs, outputs, kernel, stride, padding, extra);
            if (withRelu) graph.Relu();
            Compare(graph.Model(), operation, inputs, [(1, 12, 16), (2, 9, 5), (1, 1, 1), (1, 33, 150)]);
        }
    }

    [Fact]
    public void Normalization_equals_that_of_onnx_runtime()
    {
        var graph = new TestGraph(random, 6);
        graph.InstanceNorm(6);
        graph.Relu();
        Compare(graph.Model(), "ChannelNormalization", 6, [(1, 12, 16), (3, 9, 5), (1, 90, 110)]);
    }

    [Fact]
    public void Several_convolutions_in_a_row_share_no_memory()
    {
        var graph = new TestGraph(random, 3);
        graph.Convolution(3, 32, 7, 3, withBias: true);
        for (int i = 0; i < 3; i++)
        {
            graph.Pad(1, "reflect");
            graph.Convolution(32, 32, 3, 0, withBias: false);
            graph.Relu();
        }
        graph.Transposed(32, 32, 3, 2, 1, 1);
        graph.Convolution(32, 3, 7, 3, withBias: true);
        Compare(graph.Model(), "WinogradConvolution", 3, [(1, 40, 52), (2, 17, 23)]);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void Convolution_of_a_branch_equals_that_of_onnx_runtime(bool withBias)
    {
        var graph = new TestGraph(random, 32);
        graph.Convolution(32, 32, 3, 1, withBias: true);
        graph.Branch(32, 33, withBias);
        Compare(graph.Model(), "HalvingConvolution", 32, [(1, 12, 16), (2, 9, 5)]);
    }

    [Fact]
    public void Padding_that_another_node_reads_stays()
    {
        var graph = new TestGraph(random, 32);
        graph.Pad(1, "reflect");
        string padded = graph.Last;
        graph.Convolution(32, 32, 3, 1, withBias: true);
        graph.Add(padded);
        Compare(graph.Model(), "WinogradConvolution", 32, [(1, 12, 16)]);
    }

    [Theory]
    [InlineData(32, 32, 3, 2, 1, 1)]
    [InlineData(32, 32, 3, 1, 2, 1)]
    [InlineData(32, 32, 3, 1, 1, 2)]
    [InlineData(32, 32, 5, 1, 1, 1)]
    [InlineData(16, 16, 3, 1, 1, 1)]
    public void Other_convolutions_stay(int inputs, int outputs, int kernel, int stride, int dilation, int groups)
    {
        var graph = new TestGraph(random, inputs);
        graph.Convolution(inputs, outputs, kernel, 0, withBias: true, stride, dilation, groups);
        Assert.Null(GraphRewriting.Read(Save(graph.Model())));
    }

    [Fact]
    public void Kernels_of_equal_weights_are_transformed_once()
    {
        float[] weights = [.. Enumerable.Range(0, 18).Select(_ => random.NextSingle())];
        float[] kernels = SharedKernels.Get(weights, "2", _ => [1]);
        Assert.Same(kernels, SharedKernels.Get([.. weights], "2", _ => [2]));
        Assert.Equal([3], SharedKernels.Get(weights, "1", _ => [3]));
        GC.KeepAlive(kernels);
    }

    [Fact]
    public void Image_with_other_channels_is_refused()
    {
        var graph = new TestGraph(random, 0);
        graph.Convolution(32, 32, 3, 1, withBias: true);
        using InferenceSession session = OpenRewritten(graph.Model(), "WinogradConvolution");
        var error = Assert.Throws<OnnxRuntimeException>(() => Run(session, (1, 12, 16), 31));
        Assert.Contains("expected 32 channels", error.Message);
    }

    [Fact]
    public void Damaged_file_is_left_to_onnx_runtime()
    {
        string path = Path.Combine(folder, "damaged.onnx");
        File.WriteAllText(path, "no network");
        Assert.Null(GraphRewriting.Read(path));
    }

    private void Compare(ModelProto model, string operation, int channels, (int Count, int Height, int Width)[] sizes)
    {
        using InferenceSession plain = new(model.ToByteArray()), rewritten = OpenRewritten(model, operation);
        foreach ((int Count, int Height, int Width) size in sizes)
        {
            (float[] expected, long[] shape) = Run(plain, size, channels);
            (float[] actual, long[] found) = Run(rewritten, size, channels);
            Assert.Equal(shape, found);
            float largest = expected.Max(Math.Abs);
            Assert.All(expected.Zip(actual), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 2e-5f * largest));
        }
    }

    private InferenceSession OpenRewritten(ModelProto model, string operation)
    {
        byte[] rewritten = GraphRewriting.Read(Save(model))!;
        Assert.Contains(OnnxNode.WithBranches(ModelProto.Parser.ParseFrom(rewritten).Graph.Node), node => node.OpType == operation);
        using var options = new SessionOptions();
        OperatorDomain.AddTo(options);
        return new(rewritten, options);
    }

    private string Save(ModelProto model)
    {
        string path = Path.Combine(folder, $"{Guid.NewGuid()}.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }

    private static (float[] Values, long[] Shape) Run(InferenceSession session, (int Count, int Height, int Width) size, int channels)
    {
        float[] values = new float[size.Count * channels * size.Height * size.Width];
        var random = new Random(3);
        for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() * 2) - 1;
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(values, [size.Count, channels, size.Height, size.Width]);
        using OrtValue isGiven = OrtValue.CreateTensorValueFromMemory([false], [1]);
        using var options = new RunOptions();
        var feeds = new Dictionary<string, OrtValue> { ["source"] = input };
        if (session.InputNames.Contains("use_moments")) feeds["use_moments"] = isGiven;
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(options, feeds, ["image"]);
        return (outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
    }

    /// <summary>Network of a few nodes with random weights.</summary>
    private sealed class TestGraph(Random random, int channels)
    {
        private readonly GraphProto graph = new() { Name = "test" };
        private bool choosesMoments;

        public string Last { get; private set; } = "source";

        public ModelProto Model()
        {
            graph.Input.Add(OnnxNode.CreateInfo("source", DataType.Float, "N", channels > 0 ? channels : "C", "H", "W"));
            if (choosesMoments) graph.Input.Add(OnnxNode.CreateInfo("use_moments", DataType.Bool, 1L));
            graph.Output.Add(OnnxNode.CreateInfo("image", DataType.Float, "N", "K", "h", "w"));
            Append("Identity", [Last], "image");
            var model = new ModelProto { IrVersion = 8, Graph = graph };
            model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
            return model;
        }

        public void Pad(int border, string mode)
        {
            long[] pads = [0, 0, border, border, 0, 0, border, border];
            graph.Initializer.Add(OnnxTensor.Create($"pads{graph.Node.Count}", DataType.Int64, pads, 8));
            Append("Pad", [Last, $"pads{graph.Node.Count}"], null, ("mode", mode));
        }

        public void Convolution(int inputs, int outputs, int kernel, int pads, bool withBias, int stride = 1, int dilation = 1,
            int groups = 1)
        {
            string weight = Weight(outputs, inputs / groups, kernel, kernel);
            string[] bias = withBias ? [Weight(outputs)] : [];
            Append("Conv", [Last, weight, .. bias], null, ("kernel_shape", new long[] { kernel, kernel }),
                ("pads", new long[] { pads, pads, pads, pads }), ("strides", new long[] { stride, stride }),
                ("dilations", new long[] { dilation, dilation }), ("group", (long)groups));
        }

        public void Transposed(int inputs, int outputs, int kernel, int stride, int padding, int extra) =>
            Append("ConvTranspose", [Last, Weight(inputs, outputs, kernel, kernel), Weight(outputs)], null,
                ("kernel_shape", new long[] { kernel, kernel }), ("pads", new long[] { padding, padding, padding, padding }),
                ("strides", new long[] { stride, stride }), ("output_padding", new long[] { extra, extra }));

        public void Relu() => Append("Relu", [Last], null);

        public void Add(string other) => Append("Add", [Last, other], null);

        // Moments that are given or those of the image, as the exporter writes the choice.
        public void InstanceNorm(int inputs)
        {
            string image = Last;
            choosesMoments = true;
            (string Name, object Value) axes = ("axes", new long[] { 2, 3 });
            Choose("mean", inputs, OnnxNode.Create("ReduceMean", [image], ["mean_of_image"], axes));
            Choose("variance", inputs, OnnxNode.Create("ReduceMean", [image], ["inner_mean"], axes),
                OnnxNode.Create("Sub", [image, "inner_mean"], ["inner_difference"]),
                OnnxNode.Create("Mul", ["inner_difference", "inner_difference"], ["square"]),
                OnnxNode.Create("ReduceMean", ["square"], ["variance_of_image"], axes));
            graph.Initializer.Add(OnnxTensor.Create("eps", [1e-5f]));
            Append("Sub", [image, "mean"], "difference");
            Append("Add", ["variance", "eps"], "sum");
            Append("Sqrt", ["sum"], "root");
            Append("Reciprocal", ["root"], "factor");
            Append("Mul", ["difference", "factor"], null);
        }

        // Two convolutions of 4x4, of which a flag chooses one.
        public void Branch(int inputs, int outputs, bool withBias)
        {
            choosesMoments = true;
            string image = Last;
            GraphProto[] branches = [.. new[] { "then", "else" }.Select(name =>
            {
                string[] bias = withBias ? [Weight(outputs)] : [];
                var branch = new GraphProto { Name = name };
                branch.Node.Add(OnnxNode.Create("Conv", [image, Weight(outputs, inputs, 4, 4), .. bias], [$"result_{name}"],
                    ("kernel_shape", new long[] { 4, 4 }), ("pads", new long[] { 1, 1, 1, 1 }), ("strides", new long[] { 2, 2 })));
                branch.Output.Add(OnnxNode.CreateInfo($"result_{name}", DataType.Float, "N", outputs, "H", "W"));
                return branch;
            })];
            Append("If", ["use_moments"], null, ("then_branch", branches[0]), ("else_branch", branches[1]));
        }

        private void Choose(string name, int inputs, params NodeProto[] computed)
        {
            GraphProto given = new() { Name = $"given_{name}" }, made = new() { Name = $"computed_{name}" };
            given.Node.Add(OnnxNode.Create("Identity", [Weight(1, inputs, 1, 1)], [$"given_{name}"]));
            given.Output.Add(OnnxNode.CreateInfo($"given_{name}", DataType.Float, 1L, (long)inputs, 1L, 1L));
            made.Node.Add(computed);
            made.Output.Add(OnnxNode.CreateInfo(computed[^1].Output[0], DataType.Float, "N", (long)inputs, 1L, 1L));
            Append("If", ["use_moments"], name, ("then_branch", given), ("else_branch", made));
        }

        private string Weight(params long[] shape)
        {
            string name = $"weight{graph.Initializer.Count}";
            float[] values = new float[shape.Aggregate(1L, (product, size) => product * size)];
            for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() - 0.5f) / 4;
            graph.Initializer.Add(OnnxTensor.Create(name, values, shape));
            return name;
        }

        private void Append(string operation, string[] inputs, string? output, params (string Name, object Value)[] attributes)
        {
            Last = output ?? $"value{graph.Node.Count}";
            graph.Node.Add(OnnxNode.Create(operation, inputs, [Last], attributes));
        }
    }
}
