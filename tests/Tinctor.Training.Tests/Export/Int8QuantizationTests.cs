using Google.Protobuf;
using Onnx;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Export;

public class Int8QuantizationTests
{
    [Theory]
    [InlineData(3, 2, 1, 1)]
    [InlineData(4, 2, 1, 0)]
    [InlineData(2, 2, 0, 0)]
    [InlineData(5, 3, 1, 0)]
    public void Replace_transposed_convolution_keeps_pixels(int kernel, int stride, int padding, int outputPadding)
    {
        torch.manual_seed((ulong)kernel);
        var layer = new ConvTranspose2d(3, 5, kernel, stride: stride, padding: padding, output_padding: outputPadding);
        ModelProto model = Export(new Sequential(layer, new ReLU())), replaced = model.Clone();
        SubpixelConvolution.Replace(replaced.Graph);
        Assert.Contains("ConvTranspose", Operators(model));
        Assert.DoesNotContain("ConvTranspose", Operators(replaced));
        (float[] expected, float[] actual) = (Run(model, Noise(7, 9)), Run(replaced, Noise(7, 9)));
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void Run_quantises_all_convolutions_but_the_last()
    {
        torch.manual_seed(2);
        ModelProto model = Export(new ResnetGenerator(3, 3, 8, n_blocks: 2));
        var quantization = new Int8Quantization(model);
        Assert.Equal(9, quantization.Convolutions); // 3 down, 4 in blocks, 2 up
        ModelProto network = quantization.Run([Noise(32, 32), Noise(32, 48)]);
        Assert.Equal(quantization.Tensors.Count, Operators(network).Count(op => op == "QuantizeLinear"));
        Assert.DoesNotContain(network.Graph.Initializer, tensor => tensor.Name == "model.1.weight");
        float[] expected = Run(model, Noise(40, 32)), actual = Run(network, Noise(40, 32));
        double error = Math.Sqrt(expected.Zip(actual, (a, b) => Math.Pow(a - b, 2)).Average()), spread = expected.Max() - expected.Min();
        Assert.InRange(error / spread, 1e-6, 0.02);
    }

    private static ModelProto Export(Module<Tensor, Tensor> network)
    {
        network.eval();
        var function = new ExportFunction("test", size => [torch.randn([size.Count, 3, size.Height, size.Width])], ["source"],
            inputs => [network.forward(inputs[0])], ["image"])
        { Size = new(1, 16, 20), SizeMultiple = 4 };
        return OnnxExporter.Export(network, function, new Dictionary<string, string>());
    }

    private static IEnumerable<string> Operators(ModelProto model) => model.Graph.Node.Select(node => node.OpType);

    private static float[] Run(ModelProto model, ImageBatch source)
    {
        using var session = new OnnxSession(model.ToByteArray());
        float[] image = [];
        session.Run(source, ["image"], (_, values) => image = values.ToArray());
        return image;
    }

    private static ImageBatch Noise(int height, int width)
    {
        var random = new Random(height);
        return new(1, 3, height, width, [.. Enumerable.Range(0, 3 * height * width).Select(_ => (float)((random.NextDouble() * 2) - 1))]);
    }
}
