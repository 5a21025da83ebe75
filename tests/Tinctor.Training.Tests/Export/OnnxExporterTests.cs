using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Tinctor.Torch;
using Tensor = Tinctor.Torch.Tensor;
using Tinctor.Torch.Nn;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Export;

public class OnnxExporterTests
{
    public static TheoryData<string> Networks =>
        new("unet", "attention-unet", "resnet", "resnet-instance", "resnet18", "segmenter", "superresolution", "matcher", "attention");

    [Theory]
    [MemberData(nameof(Networks))]
    public void Export_network_equals_libtorch(string name)
    {
        torch.set_num_threads(2);
        torch.manual_seed(1);
        (Module<Tensor, Tensor> network, int channels, int multiple) = Create(name);
        network.eval();
        var function = new ExportFunction(name, size => [torch.randn([size.Count, channels, size.Height, size.Width])], ["source"],
            inputs => [network.forward(inputs[0])], ["image"])
        { Size = new(1, Math.Max(64, multiple), Math.Max(64, multiple) + multiple), SizeMultiple = multiple };
        byte[] model = OnnxExporter.Export(network, function, new Dictionary<string, string>()).ToByteArray();
        using var session = new InferenceSession(model);
        foreach ((int n, int h, int w) in new[] { (1, 1, 1), (2, 1, 2), (1, 3, 2) })
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using Guard mode = torch.no_grad();
            int height = Math.Max(64, multiple) * h, width = Math.Max(64, multiple) * w;
            Tensor input = torch.randn([n, channels, height, width]);
            float[] expected = network.forward(input).contiguous().ToArray<float>();
            var feeds = new List<NamedOnnxValue> { NamedOnnxValue.CreateFromTensor("source",
                new DenseTensor<float>(input.ToArray<float>(), [n, channels, height, width])) };
            foreach ((string key, NodeMetadata value) in session.InputMetadata)
            {
                if (key == "moments") feeds.Add(NamedOnnxValue.CreateFromTensor(key, new DenseTensor<float>([n, value.Dimensions[1]])));
                if (key == "use_moments") feeds.Add(NamedOnnxValue.CreateFromTensor(key, new DenseTensor<bool>(new bool[1], [1])));
            }
            using var outputs = session.Run(feeds);
            float[] actual = outputs.First(output => output.Name == "image").AsTensor<float>().ToArray();
            Assert.Equal(expected.Length, actual.Length);
            float largest = expected.Max(Math.Abs), error = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
            Assert.True(error <= 1e-4 * largest, $"{n}x{height}x{width}: {error} of {largest}");
        }
    }

    private static (Module<Tensor, Tensor>, int Channels, int Multiple) Create(string name) => name switch
    {
        "unet" => (new UnetGenerator(3, 3, 7, 8), 3, 128),
        "attention-unet" => (new AttentionUnetGenerator(3, 3, 8), 3, 32),
        "resnet" => (new ResnetGenerator(3, 3, 8, n_blocks: 2), 3, 4),
        "resnet-instance" => (new ResnetGenerator(3, 3, 8, Norm.Instance, n_blocks: 2), 3, 4),
        "resnet18" => (ResNet.Create("resnet18", 5), 3, 32),
        "segmenter" => (new SegmentationUnet(3, 2, 8, 3), 3, 8),
        "superresolution" => (new SuperResolutionUnet(4, 2, 3, 8, 2), 2, 4),
        "matcher" => (new DimensionMatcher(5, 2, 3, 8), 2, 4),
        "attention" => (new SelfAttention(), 3, 1),
        _ => throw new ArgumentException(name),
    };

    // Of more places than one chunk has.
    private sealed class SelfAttention : Module<Tensor, Tensor>
    {
        public override Tensor forward(Tensor x)
        {
            Tensor places = x.flatten(2).transpose(1, 2);
            return F.scaled_dot_product_attention(places, places * 2, places).transpose(1, 2).reshape(x.shape);
        }
    }
}
