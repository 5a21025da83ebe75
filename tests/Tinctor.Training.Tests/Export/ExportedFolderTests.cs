using Google.Protobuf;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Classification;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Execution;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;
using Tinctor.Training.Segmentation;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Tests.Export;

/// <summary>Folders of classifiers, segmenters and encoders with ONNX files, against the same folders on libtorch.</summary>
public sealed class ExportedFolderTests : IDisposable
{
    private static readonly TrainingRecord Record = new("id", 0, 0, 2, 1, 1, "score", null, "", 1, 0, [], [], [], "test");
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-exported-").FullName;

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Classifier_on_onnx_equals_libtorch()
    {
        WriteClassifier(seed: 1);
        foreach (int channels in new[] { 3, 1 })
        {
            Tensor images = torch.rand([3, channels, 70, 90]) * 2 - 1;
            (Tensor features, Tensor logits) = Run(differentiable: false, images);
            (Tensor expectedFeatures, Tensor expectedLogits) = Run(differentiable: true, images);
            Close(expectedFeatures, features);
            Close(expectedLogits, logits);
        }
        using var onnx = new OnnxNetwork(Path.Combine(folder, "model.onnx"));
        Assert.Equal(("classifier", SupervisedModel.Sha256(folder)), (onnx.Metadata("task"), onnx.Metadata("weights_sha256")));
        Assert.Equal("""["a","b, c"]""", onnx.Metadata("classes"));
    }

    [Fact]
    public void Classifier_with_onnx_of_other_weights_runs_on_libtorch()
    {
        WriteClassifier(seed: 1);
        byte[] old = File.ReadAllBytes(Path.Combine(folder, "model.onnx"));
        using (Classifier current = Classifier.Load(folder, Device.CPU))
            Assert.Throws<InvalidOperationException>(() => current.Features(torch.zeros([1, 3, 64, 64])));
        WriteClassifier(seed: 2);
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), old);
        using (Classifier other = Classifier.Load(folder, Device.CPU))
            Assert.Equal([1, 512], other.Features(torch.zeros([1, 3, 64, 64])).shape);
        File.Delete(Path.Combine(folder, "model.onnx"));
        using (Classifier earlier = Classifier.Load(folder, Device.CPU))
            Assert.Equal([1, 512], earlier.Features(torch.zeros([1, 3, 64, 64])).shape);
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), old[..(old.Length / 2)]);
        var error = Assert.Throws<TinctorException>(() => Classifier.Load(folder, Device.CPU));
        Assert.Equal(Path.Combine(folder, "model.onnx"), error.File);
        Assert.StartsWith("Delete the file", error.Remedy);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Classifier_with_onnx_of_another_network_is_refused()
    {
        WriteClassifier(seed: 1);
        string path = Path.Combine(folder, "model.onnx");
        Refuse(graph => graph.Output("features", graph.Add("Relu", ["image"]), "N", 3, "H", "W"),
            "has other inputs or outputs than an image");
        Refuse(graph =>
        {
            graph.Output("features", graph.Add("Relu", ["image"]), "N", 3, "H", "W");
            graph.Output("logits", graph.Add("Flatten", ["image"]), "N", "D");
        }, "the output features is [2,3,64,64] for 2 images, expected [2,features]");
        Refuse(graph =>
        {
            graph.Output("features", graph.Add("Flatten", ["image"]), "N", "D");
            graph.Output("logits", graph.Add("ReduceMean", ["image"], ("axes", new long[] { 2, 3 }), ("keepdims", 0L)), "N", 3);
        }, "has 3 classes, expected 2");

        void Refuse(Action<OnnxGraph> fill, string problem)
        {
            var graph = new OnnxGraph();
            graph.Input("image", Onnx.TensorProto.Types.DataType.Float, "N", 3, "H", "W");
            fill(graph);
            var metadata = new Dictionary<string, string> { ["weights_sha256"] = SupervisedModel.Sha256(folder) };
            File.WriteAllBytes(path, graph.Build("other", metadata).ToByteArray());
            var error = Assert.Throws<TinctorException>(() => Run(differentiable: false, torch.zeros([2, 3, 64, 64])));
            Assert.Equal(path, error.File);
            Assert.Contains(problem, error.Problem);
            Assert.StartsWith("Delete the file", error.Remedy);
        }
    }

    [Theory]
    [InlineData("nuclei"), InlineData("tissue")]
    public void Segmenter_on_onnx_equals_libtorch(string target)
    {
        torch.manual_seed(3);
        int classes = Segmenter.Classes(Enum.Parse<SegmentationTarget>(target, ignoreCase: true));
        using var network = new SegmentationUnet(3, classes, 8, 2);
        network.eval();
        // Equal logits on average, so that all classes occur.
        using (torch.no_grad())
            network.state_dict()["head.bias"].sub_(network.forward(torch.rand([1, 3, 64, 64]) * 2 - 1).mean([0, 2, 3]));
        SupervisedModel.Write(folder, new SegmenterCard(Segmenter.Kind, Record, target, 3, 8, 2, "", null, null, null), network);
        Assert.Null(SupervisedModel.Export(folder, network,
            [new(OnnxExport.ModelName, Segmenter.CreateExport(network, 3, Device.CPU), new Dictionary<string, string>())]));
        var image = new Image(1057, 75, 3, SampleType.UInt8);
        new Random(1).NextBytes(image.Data);
        byte[] onnx = Classify(image);
        File.Delete(Path.Combine(folder, "model.onnx"));
        byte[] expected = Classify(image);
        Assert.Equal(classes, expected.Distinct().Count());
        // Classes differ where two are equally likely.
        Assert.InRange(onnx.Zip(expected).Count(pair => pair.First != pair.Second), 0, onnx.Length / 1000);
    }

    [Fact]
    public void CeffEncoders_on_onnx_equal_libtorch()
    {
        torch.manual_seed(4);
        var task = (EncoderTask)new EncoderConfig { Ngf = 4, FeatureDim = 16 }.Create(Device.CPU, null!);
        using (task)
        {
            var encoders = (CeffEncoders)task.Network;
            encoders.eval();
            task.WriteModel(folder, Record, []);
            Assert.Null(SupervisedModel.Export(folder, encoders, task.OnnxExports));
            Tensor images = torch.rand([2, 3, 100, 128]) * 2 - 1;
            foreach ((string file, CeffEncoder encoder) in new[] { ("source.onnx", encoders.Source), ("target.onnx", encoders.Target) })
            {
                using OnnxNetwork onnx = SupervisedModel.OpenOnnx(folder, file, Device.CPU)!;
                using Guard mode = torch.no_grad();
                Close(encoder.forward(images), ToTensor(onnx.RunForVectors(images.ToBatch(), "features")[0]));
            }
        }
    }

    private void WriteClassifier(ulong seed)
    {
        torch.manual_seed(seed);
        using ResNet network = ResNet.Create("resnet18", 2);
        network.eval();
        string[] classes = ["a", "b, c"];
        SupervisedModel.Write(folder, new ClassifierCard(Record, "resnet18", classes, "target", "", 64, 0, Classifier.Mean, Classifier.Std,
            null, null), network);
        Assert.Null(SupervisedModel.Export(folder, network, [Classifier.CreateOnnxFile(network, classes, "resnet18", Device.CPU)]));
    }

    private (Tensor Features, Tensor Logits) Run(bool differentiable, Tensor images)
    {
        using Classifier classifier = Classifier.Load(folder, Device.CPU, differentiable);
        (float[][] features, float[][] logits) = classifier.Run(images.ToBatch());
        return (ToTensor(features), ToTensor(logits));
    }

    private static Tensor ToTensor(float[][] rows) =>
        torch.tensor<float>([.. rows.SelectMany(row => row)], rows.Length, rows[0].Length);

    private byte[] Classify(Image image)
    {
        using Segmenter segmenter = Segmenter.Load(folder, Device.CPU);
        return segmenter.Classify(image);
    }

    private static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        double largest = expected.abs().max().item(), error = (expected - actual).abs().max().item();
        Assert.True(error <= 1e-4 * largest, $"{error} of {largest}");
    }
}
