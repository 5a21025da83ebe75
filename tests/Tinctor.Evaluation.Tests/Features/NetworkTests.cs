using Google.Protobuf;
using Tinctor.Evaluation.Analyses.Distribution;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Features;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Staining.Execution;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Execution;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;

namespace Tinctor.Evaluation.Tests.Features;

/// <summary>The networks that metrics look through, against torchvision, Pillow and lpips.</summary>
public sealed class NetworkTests : IDisposable
{
    private const double Gain = 1.4142135623730951; // of a layer before a ReLU

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly Guard quiet = torch.inference_mode();
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("tinctor-features-");

    public void Dispose()
    {
        quiet.Dispose();
        scope.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public void InceptionV3_equals_torchvision_with_tensorflow_pooling()
    {
        using var network = new InceptionV3();
        Assert.Equal(23_850_960, network.parameters().Sum(p => p.numel()));
        network.load_state_dict(Formula.Weights(network, Gain));
        network.eval();
        Tensor features = network.forward(Formula.Input("in0", 2, 3, 299, 299));
        var expected = SafeTensors.Load(TestVectors.Path("features/inception.safetensors"));
        Vectors.Close(expected["features"], features, "features", 1e-5);
        Vectors.Close(expected["probabilities"], network.Probabilities(features), "probabilities", 1e-5);
    }

    [Fact]
    public void InceptionInput_resized_image_equals_pillow()
    {
        var expected = SafeTensors.Load(TestVectors.Path("features/resizing.safetensors"));
        byte[] pixels = Array.ConvertAll(expected["photo"].ToArray<float>(), v => (byte)v);
        var photo = new Image(51, 37, 3, SampleType.UInt8, pixels);
        Check("clean", Resize(photo, InceptionResizing.Clean));
        byte[] large = Array.ConvertAll(Formula.Input("in_large", 640, 512, 3).ToArray<float>(), u => (byte)Math.Round((u + 1) * 127.5f));
        Check("clean_large", Resize(new Image(512, 640, 3, SampleType.UInt8, large), InceptionResizing.Clean));
        foreach (Image image in new[] { photo, new Image(512, 640, 3, SampleType.UInt8, large) })
        {
            Tensor bilinear = F.interpolate((image.ToTensor() * 255).unsqueeze(0), 299, mode: "bilinear")[0];
            // libtorch rounds positions to float32.
            Vectors.Close(bilinear, Resize(image, InceptionResizing.Legacy), "legacy", 1e-4);
        }

        static Tensor Resize(Image image, InceptionResizing resizing) => InceptionFeatures.Resize(image, resizing).ToTensor()[0];

        void Check(string key, Tensor resized) =>
            Vectors.Close(expected[key], resized[TensorIndex.Slice(), TensorIndex.Slice(step: 13), TensorIndex.Slice(step: 13)], key, 3e-5);
    }

    [Theory]
    [InlineData("lpips_alex_formula", LpipsNet.Alex), InlineData("lpips_vgg_formula", LpipsNet.Vgg)]
    [InlineData("lpips_squeeze_randtrunk", LpipsNet.Squeeze)]
    public void Lpips_equals_official_code(string name, LpipsNet net)
    {
        Vectors vectors = Vectors.Read(name);
        using LpipsNetwork lpips = Load(vectors, net);
        lpips.eval();
        string path = Path.Combine(folder.FullName, "lpips.onnx");
        using (torch.no_grad())
            File.WriteAllBytes(path,
                OnnxExporter.Export(lpips, Lpips.CreateExport(net, lpips), new Dictionary<string, string>()).ToByteArray());
        using var onnx = new OnnxNetwork(path);
        string[] layerNames = [.. Enumerable.Range(0, LpipsTrunk.Channels(net).Count).Select(i => $"layer{i}")];
        Check(lpips.Layers);
        Check((a, b) => [.. onnx.Run([a.ToBatch(), b.ToBatch()], layerNames).Select(ToTensor)]);
        Check((a, b) => [ToTensor(onnx.Run([a.ToBatch(), b.ToBatch()], "distance")[0])]);

        void Check(Func<Tensor, Tensor, IReadOnlyList<Tensor>> layersOf)
        {
            Tensor Distance(Tensor first, Tensor second) => layersOf(first, second).Aggregate((sum, layer) => sum + layer);
            Tensor a = vectors["in0"], b = vectors["in1"];
            vectors.Check("lpips", Distance(a, b), 1e-5);
            IReadOnlyList<Tensor> layers = layersOf(a, b);
            if (layers.Count > 1) foreach ((int i, Tensor layer) in layers.Index()) vectors.Check($"layer{i}", layer, 1e-5);
            // normalize=True takes [0, 1]: there the images were (a + 1) / 2.
            vectors.Check("lpips_normalize_true", Distance(((a + 1) / 2 * 2) - 1, ((b + 1) / 2 * 2) - 1), 1e-5);
            Assert.Equal(0, Distance(a, a).abs().max().item());
            Vectors.Close(Distance(a, b), Distance(b, a), "symmetry", 1e-5);
        }

        static Tensor ToTensor(OnnxArray array) => torch.tensor<float>(array.Values, array.Shape);
    }

    private static LpipsNetwork Load(Vectors vectors, LpipsNet net)
    {
        var lin = vectors.Keys.Where(k => k.StartsWith("w.lin")).ToDictionary(k => k[2..], k => vectors[k]);
        var network = new LpipsNetwork(net);
        if (net == LpipsNet.Squeeze) network.Load(LpipsNetwork.TrunkWeights(vectors.Weights()), lin);
        else
        {
            using var trunk = new LpipsTrunk(net);
            // The formula goes by lpips's keys, which say the slice.
            network.Load(LpipsNetwork.TrunkWeights(trunk.state_dict()
                .ToDictionary(e => Key(net, e.Key), e => Formula.Weight(Key(net, e.Key), e.Value.shape, Gain))), lin);
        }
        return network;
    }

    private static string Key(LpipsNet net, string key)
    {
        int layer = int.Parse(key.Split('.')[0]);
        int[] ends = net == LpipsNet.Alex ? [1, 4, 7, 9, 11] : [3, 8, 15, 22, 29];
        return $"slice{ends.Count(end => end < layer) + 1}.{key}";
    }

    private static Tensor Unit(ScoredImage image) => image.Image.ToTensor().unsqueeze(0);

    [Fact]
    public void Lpips_reads_weight_files_and_recognises_published_ones()
    {
        Vectors vectors = Vectors.Read("lpips_alex_formula");
        using var trunk = new LpipsTrunk(LpipsNet.Alex);
        string trunkFile = Save("trunk.safetensors", Formula.Weights(trunk, Gain).ToDictionary(e => $"features.{e.Key}", e => e.Value));
        string linFile = Save("alex.safetensors",
            vectors.Keys.Where(k => k.StartsWith("w.lin")).ToDictionary(k => k[2..], k => vectors[k]));
        PairMetric metric = Lpips.FromFiles(LpipsNet.Alex, trunkFile, linFile);
        Assert.Contains("values are the published ones of version 0.1", metric.Definition);
        Assert.Contains("not among the published files", metric.Definition);
        var image = new ScoredImage(ExampleImages.Blobs(64, 1, [0.5, 0.7, 0.9]));
        Assert.Equal(0, metric.Compute(image, image));
        string exported = trunkFile + ".lpips-alex.onnx";
        PairMetric fromOnnx = Lpips.FromOnnx(LpipsNet.Alex, exported);
        var other = new ScoredImage(ExampleImages.Blobs(64, 2, [0.5, 0.7, 0.9]));
        Assert.Equal((metric.Definition, metric.Compute(image, other)), (fromOnnx.Definition, fromOnnx.Compute(image, other)));
        // As the code of super-resolved virtual staining passes images: half the range around another centre.
        PairMetric unit = Lpips.FromOnnx(LpipsNet.Alex, exported, ValueRange.ZeroToOne);
        Assert.Equal(("lpips_unit", "LPIPS (alex, [0, 1])"), (unit.Key, unit.Title));
        LpipsNetwork network = LpipsNetwork.FromFiles(LpipsNet.Alex, trunkFile, linFile);
        double expected = network.Layers(Unit(image), Unit(other)).Sum(layer => layer.item());
        Assert.Equal(expected, unit.Compute(image, other), 1e-4 * expected);
        Assert.Contains("with vgg", Assert.Throws<TinctorException>(() => Lpips.FromOnnx(LpipsNet.Vgg, exported)).Problem);
        Assert.True(metric.Compute(image, new ScoredImage(ExampleImages.Blobs(64, 2, [0.5, 0.7, 0.9]))) > 0);
        string message = Assert.Throws<TinctorException>(() => Lpips.FromFiles(LpipsNet.Vgg, trunkFile, linFile)).Message;
        Assert.Contains(trunkFile, message);
        Assert.Contains("vgg", message);
    }

    [Fact]
    public void WeightsFile_damaged_published_file_is_refused()
    {
        string file = Save("alexnet-owt-7be5be79.pth", []);
        Assert.Contains("7be5be79", Assert.Throws<TinctorException>(() => WeightsFile.Open(file)).Message);
        Assert.EndsWith("no such file. Check the path.", Assert.Throws<TinctorException>(() => WeightsFile.Open(file + "x")).Message);
    }

    [Fact]
    public void DistributionAnalysis_accepts_torchscript_networks()
    {
        using var set = new ExampleImages(images: 12, size: 40);
        ReportSection section = Analyse(() =>
            new TorchScriptFeatures(TestVectors.Path("features/vector.pt"), FeatureInput.ImageNet with { Size = 32 }, Device.CPU));
        double[] fid = [.. section.Tables[0].Rows.Take(2).Select(row => (double)row[1]!)];
        Assert.True(fid[0] < fid[1], "the model's images are nearer to the real ones than the source");
        Assert.Null(section.Tables[0].Rows[0][4]);
        Assert.DoesNotContain("singular", section.Warnings.Single());

        section = Analyse(() => InceptionFeatures.Open(TestVectors.Path("features/stylegan.pt"), InceptionResizing.Clean, Device.CPU));
        Assert.InRange((double)section.Tables[0].Rows[0][4]!, 1, 10);
        Assert.Contains(section.Provenance, p => p.Text.Contains("stylegan.pt, SHA-256 "));

        ReportSection Analyse(Func<FeatureExtractor> open)
        {
            var pairs = set.Names.Select(name => new ImagePair(name,
                new Dictionary<string, string> { ["model"] = Path.Combine(set.Stained, name + ".png") },
                Path.Combine(set.Real, name + ".png"), Path.Combine(set.Source, name + ".png"), null, null));
            return new DistributionAnalysis(open).Run(
                new([.. pairs], [new("model", "Stained", ""), new(ScoredMethod.Identity, "Identity", "")], [], 0), null,
                    CancellationToken.None);
        }
    }

    [Fact]
    public void DistributionAnalysis_without_weights_is_not_computed()
    {
        ReportSection section = new DistributionAnalysis(null).Run(new([], [], [], 0), null, CancellationToken.None);
        Assert.StartsWith("no Inception weights were given", section.NotComputed);
        Assert.Empty(section.Tables);
    }

    [Fact]
    public void InceptionFeatures_other_files_are_refused()
    {
        string script = TestVectors.Path("features/vector.pt");
        Assert.Contains("TorchScript feature network", Refusal(() => InceptionFeatures.Open(script, InceptionResizing.Clean, Device.CPU)));
        string tensors = Save("other.safetensors", new() { ["x"] = torch.zeros([2]) });
        Assert.Contains("pt_inception", Refusal(() => InceptionFeatures.Open(tensors, InceptionResizing.Clean, Device.CPU)));
        Assert.Contains("TorchScript", Refusal(() => new TorchScriptFeatures(tensors, FeatureInput.ImageNet, Device.CPU)));

        static string Refusal(Func<object> open) => Assert.Throws<TinctorException>(open).Message;
    }

    [Fact]
    public void InceptionFeatures_of_weights_run_on_onnx_and_equal_libtorch()
    {
        using var network = new InceptionV3();
        network.load_state_dict(Formula.Weights(network, Gain));
        network.eval();
        string file = Save("inception.pth.safetensors", network.state_dict().ToDictionary()), onnx = file + ".onnx";
        Image[] images = [ExampleImages.Blobs(90, 1, [0.5, 0.7, 0.9]), ExampleImages.Blobs(90, 2, [0.5, 0.7, 0.9])];
        foreach (InceptionResizing resizing in Enum.GetValues<InceptionResizing>())
        {
            Tensor input = torch.cat([.. images.Select(image => InceptionFeatures.Resize(image, resizing).ToTensor())], 0);
            Tensor expected = network.forward(resizing == InceptionResizing.Legacy ? (input / 127.5) - 1 : (input - 128) / 128);
            using InceptionFeatures weights = InceptionFeatures.Open(file, resizing, Device.CPU);
            FeatureBatch actual = weights.Extract(images);
            Close(expected, actual.Values);
            Close(network.Probabilities(expected), actual.Probabilities!);
            Assert.Contains(weights.Provenance, p => p.Text.Contains(Fingerprint.OfFile(file)));

            using InceptionFeatures exported = InceptionFeatures.Open(onnx, resizing, Device.CPU);
            Assert.Equal(actual.Values, exported.Extract(images).Values);
            Assert.Equal(weights.Provenance, exported.Provenance);
        }
        DateTime written = File.GetLastWriteTimeUtc(onnx);
        InceptionFeatures.Open(file, InceptionResizing.Clean, Device.CPU).Dispose();
        Assert.Equal(written, File.GetLastWriteTimeUtc(onnx));
        network.state_dict()["fc.bias"].add_(1);
        Save("inception.pth.safetensors", network.state_dict().ToDictionary());
        using (InceptionFeatures other = InceptionFeatures.Open(file, InceptionResizing.Clean, Device.CPU))
            Assert.Contains(other.Provenance, p => p.Text.Contains(Fingerprint.OfFile(file)));
        File.WriteAllText(onnx, "damaged");
        var error = Assert.Throws<TinctorException>(() => InceptionFeatures.Open(file, InceptionResizing.Clean, Device.CPU));
        Assert.StartsWith("Delete the file", error.Remedy);

        static void Close(Tensor expected, float[][] actual) => Vectors.Close(
            expected, torch.tensor<float>([.. actual.SelectMany(row => row)], actual.Length, actual[0].Length), "features", 1e-4);
    }

    private string Save(string name, Dictionary<string, Tensor> tensors)
    {
        string path = Path.Combine(folder.FullName, name);
        SafeTensors.Save(path, tensors);
        return path;
    }
}
