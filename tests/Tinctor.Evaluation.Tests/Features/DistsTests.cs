using Tinctor.Evaluation.Metrics;
using Tinctor.Staining.Execution;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Execution;
using Tinctor.Training.Networks;

namespace Tinctor.Evaluation.Tests.Features;

/// <summary>DISTS against the authors' code, on libtorch and as an ONNX file.</summary>
public sealed class DistsTests(DistsTests.Weights files) : IClassFixture<DistsTests.Weights>
{

    [Fact]
    public void Dists_equals_official_code_and_exported_file()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        var expected = SafeTensors.Load(TestVectors.Path("dists/io.safetensors"));
        Assert.Contains("values are NOT the published ones", files.Metric.Definition);
        using DistsNetwork network = DistsNetwork.FromFiles(files.Trunk, files.Channels);
        using var onnx = new OnnxNetwork(files.Trunk + ".dists.onnx");
        foreach ((string name, long[] size) in new[] { ("even", new long[] { 2, 3, 64, 80 }), ("odd", [1, 3, 45, 51]) })
        {
            Tensor image = F.avg_pool2d(Unit($"in_{name}0"), 5, 1, padding: 2), other = Unit($"in_{name}1");
            Check(name, image, (image * 0.8) + (other * 0.2));
            Check(name + "_far", image, other);

            Tensor Unit(string input) => (Formula.Input(input, size) / 2) + 0.5;
        }

        void Check(string key, Tensor image, Tensor other)
        {
            Vectors.Close(expected[key], network.Distance(image, other).reshape(-1), key, 1e-5);
            OnnxArray distance = onnx.Run([image.ToBatch(), other.ToBatch()], "distance")[0];
            Vectors.Close(expected[key], torch.tensor<float>(distance.Values, distance.Values.Length), $"{key}, ONNX", 1e-5);
            Assert.Equal(0, network.Distance(image, image).abs().max().item(), 1e-5);
        }
    }

    [Fact]
    public void Metric_reads_exported_file_and_refuses_other_weights()
    {
        PairMetric metric = files.Metric, fromOnnx = Dists.FromOnnx(files.Trunk + ".dists.onnx");
        ScoredImage image = new(ExampleImages.Blobs(64, 1, [0.5, 0.7, 0.9])), other = new(ExampleImages.Blobs(64, 2, [0.5, 0.7, 0.9]));
        Assert.Equal((metric.Definition, metric.Compute(image, other)), (fromOnnx.Definition, fromOnnx.Compute(image, other)));
        Assert.Equal(0, metric.Compute(image, image), 1e-5);
        Assert.True(metric.Compute(image, other) > 0.01);
        string message = Assert.Throws<TinctorException>(() => Dists.FromFiles(files.Trunk, files.Trunk)).Message;
        Assert.Contains("alpha of the shape [1,1475,1,1] is missing", message);
        Assert.Contains("Use torchvision's weights of VGG-16", message);
    }

    /// <summary>Weights by formula in files, and the metric with them, which exports the network.</summary>
    public sealed class Weights : IDisposable
    {
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("tinctor-dists-");

        public Weights()
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using var trunk = new LpipsTrunk(LpipsNet.Vgg);
            SafeTensors.Save(Trunk, trunk.state_dict().ToDictionary(entry => $"features.{entry.Key}",
                entry => Formula.Weight($"features.{entry.Key}", entry.Value.shape, Math.Sqrt(2))));
            SafeTensors.Save(Channels, new[] { "alpha", "beta" }.ToDictionary(name => name,
                name => (Formula.Input($"in_{name}", 1, 1475, 1, 1) * 0.05) + 0.1));
            Metric = Dists.FromFiles(Trunk, Channels);
        }

        public string Trunk => Path.Combine(folder.FullName, "vgg.safetensors");

        public string Channels => Path.Combine(folder.FullName, "dists.safetensors");

        public PairMetric Metric { get; }

        public void Dispose() => folder.Delete(recursive: true);
    }
}
