using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Classification;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;
using Tinctor.Training.Segmentation;

namespace Tinctor.Training.Tests.Export;

/// <summary>Exported networks of evaluation against libtorch.</summary>
public class EvaluationNetworkTests
{
    [Theory]
    [InlineData("resnet18"), InlineData("resnet50")]
    public void Export_classifier_equals_libtorch(string architecture)
    {
        using ResNet network = Ready(ResNet.Create(architecture, 5));
        Compare(network, Classifier.CreateExport(network, Device.CPU), 3, (1, 64, 64), (2, 96, 128), (3, 77, 51));
    }

    [Theory]
    [InlineData(3, 2, 3), InlineData(1, 3, 4)]
    public void Export_segmenter_equals_libtorch(int channels, int classes, int depth)
    {
        using SegmentationUnet network = Ready(new SegmentationUnet(channels, classes, 8, depth));
        Compare(network, Segmenter.CreateExport(network, channels, Device.CPU), channels,
            (1, 64, 64), (2, 65, 47), (1, 90, 128), (1, 17, 200));
    }

    [Fact]
    public void Export_ceff_encoder_equals_libtorch()
    {
        using CeffEncoder network = Ready(new CeffEncoder(8, 32, 2));
        Compare(network, EncoderTask.CreateExport(network, Device.CPU), 3, (1, 128, 128), (2, 192, 256), (1, 200, 333));
    }

    [Fact]
    public void Export_inception_equals_libtorch()
    {
        using InceptionV3 network = Ready(new InceptionV3());
        var function = new ExportFunction("inception", size => [torch.zeros([size.Count, 3, size.Height, size.Width])], ["image"], inputs =>
        {
            Tensor features = network.forward(inputs[0]);
            return [features, network.Probabilities(features)];
        }, ["features", "probabilities"])
        { Size = new(1, 96, 128), SizeMultiple = 32 };
        Compare(network, function, 3, (1, 299, 299), (2, 128, 160));
    }

    [Theory]
    [InlineData(LpipsNet.Alex), InlineData(LpipsNet.Vgg), InlineData(LpipsNet.Squeeze)]
    public void Export_lpips_trunk_equals_libtorch(LpipsNet net)
    {
        using LpipsTrunk network = Ready(new LpipsTrunk(net));
        string[] layers = [.. LpipsTrunk.Channels(net).Select((_, i) => $"layer{i}")];
        var function = new ExportFunction("lpips", size => [torch.zeros([size.Count, 3, size.Height, size.Width])], ["image"],
            inputs => [.. network.forward(inputs[0])], layers)
        { Size = new(1, 64, 96), SizeMultiple = 32 };
        Compare(network, function, 3, (1, 64, 64), (2, 100, 75), (1, 129, 97));
    }

    private static T Ready<T>(T network) where T : Module
    {
        torch.manual_seed(1);
        foreach (BatchNorm2d norm in network.modules().OfType<BatchNorm2d>())
        {
            using Guard mode = torch.no_grad();
            norm.running_mean!.uniform_(-0.2, 0.2);
            norm.running_var!.uniform_(0.5, 1.5);
        }
        network.eval();
        return network;
    }

    private static void Compare(Module network, ExportFunction function, int channels, params (int Count, int Height, int Width)[] sizes)
    {
        using var session = new InferenceSession(OnnxExporter.Export(network, function, new Dictionary<string, string>()).ToByteArray());
        using var run = new RunOptions();
        foreach ((int count, int height, int width) in sizes)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using Guard mode = torch.no_grad();
            Tensor input = torch.rand([count, channels, height, width]) * 2 - 1;
            Tensor[] expected = function.Forward([input]);
            using OrtValue image = OrtValue.CreateTensorValueFromMemory(input.ToArray<float>(), input.shape);
            using var outputs = session.Run(run, ["image"], [image], function.OutputNames);
            Assert.Equal(expected.Length, outputs.Count);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.Equal(expected[i].shape, outputs[i].GetTensorTypeAndShape().Shape);
                float[] wanted = expected[i].contiguous().ToArray<float>(), actual = outputs[i].GetTensorDataAsSpan<float>().ToArray();
                float largest = wanted.Max(Math.Abs), error = wanted.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
                Assert.True(largest > 0 && error <= 1e-4 * largest,
                    $"{function.OutputNames[i]} {count}x{height}x{width}: {error} of {largest}");
            }
        }
    }
}
