using Google.Protobuf;
using Onnx;
using Tinctor.Evaluation.Analyses.Distribution;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Features;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Classification;
using Tinctor.Training.Execution;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Evaluation.Tests.Features;

/// <summary>Feature networks in ONNX files.</summary>
public sealed class OnnxFeatureTests : IDisposable
{
    private static readonly FeatureInput Unit = new(null, [0, 0, 0], [1, 1, 1]);
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly Guard quiet = torch.inference_mode();
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("tinctor-onnx-");

    public void Dispose()
    {
        quiet.Dispose();
        scope.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public void DistributionAnalysis_onnx_network_equals_libtorch()
    {
        torch.manual_seed(3);
        using ResNet network = ResNet.Create("resnet18", 4);
        network.eval();
        string path = Save("encoder.onnx", OnnxExporter.Export(network, Classifier.CreateExport(network, Device.CPU),
            new Dictionary<string, string>()));
        using var set = new ExampleImages(images: 8, size: 64);
        var signed = new FeatureInput(0, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);
        ReportSection section = Analyse(set, () => FeatureFile.Open(path, signed, Device.CPU));
        ReportSection expected = Analyse(set, () => new LibtorchFeatures(network));
        foreach ((IReadOnlyList<object?> row, IReadOnlyList<object?> wanted) in section.Tables[0].Rows.Zip(expected.Tables[0].Rows).Take(2))
            Assert.Equal((double)wanted[1]!, (double)row[1]!, (double)wanted[1]! * 1e-4);
        Assert.True((double)section.Tables[0].Rows[1][1]! > (double)section.Tables[0].Rows[0][1]!);
        Assert.Contains(section.Provenance, entry => entry.Term == "Feature network" && entry.Text.Contains(Fingerprint.OfFile(path)));
        Assert.Contains(section.Provenance, entry => entry.Text.Contains("ONNX Runtime on cpu"));
    }

    [Theory]
    [InlineData(1), InlineData(3), InlineData(16)]
    public void Extract_fixed_batch_equals_any_batch(int size)
    {
        Tensor images = torch.rand([5, 3, 8, 8]);
        using var any = new OnnxFeatures(Save("any.onnx", Means("N", "H", "W")), Unit, Device.CPU);
        using var one = new OnnxFeatures(Save("fixed.onnx", Means(size, "H", "W")), Unit, Device.CPU);
        foreach (OnnxFeatures network in new[] { any, one })
        {
            float[] expected = images.mean([2, 3]).ToArray<float>(), actual = Flat(network, images);
            Assert.Equal(15, actual.Length);
            for (int i = 0; i < 15; i++) Assert.Equal(expected[i], actual[i], 1e-6);
        }
    }

    [Fact]
    public void FeatureCosine_of_pairs_equals_cosine_of_vectors()
    {
        string path = Save("means.onnx", Means("N", "H", "W"));
        using var set = new ExampleImages(images: 3);
        var network = new Lazy<FeatureExtractor>(() => FeatureFile.Open(path, Unit with { Size = 0 }, Device.CPU));
        PairMetric metric = FeatureCosine.Create(network, "means");
        EvaluationResult result = Evaluator.Run(set.Options with
        {
            Metrics = ["mae"],
            ExtraMetrics = [metric],
            Analyses = [new DistributionAnalysis(() => network.Value)],
        }, cancel: TestContext.Current.CancellationToken);
        foreach (ImageResult image in result.Images)
        {
            double[] a = MeanColour.MeanRgb(Image.Read(image.Pair.PathOf("model"))), b = MeanColour.MeanRgb(Image.Read(image.Pair.Real));
            double cosine = a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(x => x * x));
            Assert.Equal(cosine, image.Scores["model"][^1], 1e-6);
            Assert.True(image.Scores["identity"][^1] < cosine);
        }
        Assert.Contains("by means", metric.Definition);
    }

    [Fact]
    public void Prepare_fixed_size_overrides_default_and_other_size_is_refused()
    {
        string path = Save("fixed.onnx", Means("N", 32, 32));
        var image = ExampleImages.Blobs(50, 1, [0.5, 0.7, 0.9]);
        using (var network = new OnnxFeatures(path, Unit, Device.CPU)) Assert.Equal((32, 32), Size(network.Prepare(image)));
        using (var network = new OnnxFeatures(path, Unit with { Size = 32 }, Device.CPU))
            Assert.Equal((32, 32), Size(network.Prepare(image)));
        using (var network = new OnnxFeatures(Save("any.onnx", Means("N", "H", "W")), Unit, Device.CPU))
            Assert.Equal((224, 224), Size(network.Prepare(image)));
        var error = Assert.Throws<TinctorException>(() => new OnnxFeatures(path, Unit with { Size = 64 }, Device.CPU));
        Assert.Equal(("Size", path), (error.Option, error.File));
        Assert.Contains("32x32 pixels, but the input size is 64", error.Problem);
        using var keeping = new OnnxFeatures(path, Unit with { Size = 0 }, Device.CPU);
        error = Assert.Throws<TinctorException>(() => keeping.Extract(keeping.Prepare(image)));
        Assert.Contains("50x50 pixels", error.Problem);
        Assert.Null(error.Option);
    }

    [Fact]
    public void Extract_tokens_gives_class_token()
    {
        // [N,3,H,W] to H*W tokens of 3 numbers.
        var graph = new OnnxGraph();
        graph.Input("image", DataType.Float, "N", 3, "H", "W");
        string flat = graph.Add("Reshape", ["image", graph.Integers(0, 3, -1)]);
        graph.Output("tokens", graph.Add("Transpose", [flat], ("perm", new long[] { 0, 2, 1 })), "N", "T", 3);
        string path = Save("tokens.onnx", graph.Build("tokens", new Dictionary<string, string>()));
        using var network = new OnnxFeatures(path, Unit, Device.CPU);
        Tensor images = torch.rand([2, 3, 4, 6]);
        Assert.Equal(images[.., .., 0, 0].contiguous().ToArray<float>(), Flat(network, images));
        Assert.Contains(network.Provenance,
            entry => entry.Text.StartsWith("first token (class token) of the first output of the network, tokens"));
    }

    [Fact]
    public void Extract_pooled_map_gives_its_channels()
    {
        var graph = new OnnxGraph();
        graph.Input("image", DataType.Float, "N", 3, "H", "W");
        graph.Output("pooled", graph.Add("GlobalAveragePool", ["image"]), "N", 3, 1, 1);
        string path = Save("pooled.onnx", graph.Build("pooled", new Dictionary<string, string>()));
        using var network = new OnnxFeatures(path, Unit, Device.CPU);
        Assert.Equal([3, 3], network.Extract(torch.rand([2, 3, 4, 6]).ToBatch()).Values.Select(vector => vector.Length));
    }

    [Fact]
    public void Open_network_of_other_inputs_or_outputs_is_refused()
    {
        Refuse(Graph(g => g.Add("ReduceMean", ["image"], ("axes", new long[] { 2, 3 }), ("keepdims", 0L)), ["N", 1, "H", "W"], ["N", 1]),
            "the input image is float32 [N,1,H,W], expected float32 [N,3,H,W]");
        Refuse(Graph(g => g.Add("Relu", ["image"]), ["N", 3], ["N", 3]), "the input image is float32 [N,3], expected float32 [N,3,H,W]");
        Refuse(Graph(g => g.Add("Relu", ["image"]), ["N", 3, "H", "W"], ["N", 3, "H", 7]),
            "the output features is float32 [N,3,H,7], expected");
        Refuse(Means("N", 32, 48), "the network takes images of 48x32 pixels, expected a square");

        ModelProto two = Means("N", "H", "W");
        two.Graph.Input.Add(two.Graph.Input[0].Clone());
        two.Graph.Input[1].Name = "more";
        Refuse(two, "the network has 2 inputs (image, more), expected one image");

        ModelProto half = Means("N", "H", "W");
        foreach (ValueInfoProto port in half.Graph.Input.Concat(half.Graph.Output)) port.Type.TensorType.ElemType = (int)DataType.Float16;
        Refuse(half, "the input image is float16 [N,3,H,W], expected float32 [N,3,H,W]");
    }

    [Fact]
    public void Open_damaged_or_foreign_file_is_refused()
    {
        byte[] whole = Means("N", "H", "W").ToByteArray();
        for (int length = 1; length < whole.Length; length += 7)
        {
            string path = Path.Combine(folder.FullName, "cut.onnx");
            File.WriteAllBytes(path, whole[..length]);
            RefuseFile(path, "");
        }
        string other = Path.Combine(folder.FullName, "text.onnx");
        File.WriteAllText(other, "Not a network, but a text of some length.\n");
        RefuseFile(other, "the file is damaged, or not an ONNX file");
        File.WriteAllBytes(other, []);
        RefuseFile(other, "No graph was found");
        RefuseFile(Path.Combine(folder.FullName, "none.onnx"), "no such file");

        ModelProto future = Means("N", "H", "W");
        future.OpsetImport[0].Version = 99;
        Refuse(future, "ONNX Runtime cannot load it (ONNX Runtime only *guarantees* support for models stamped with");
        ModelProto foreign = Means("N", "H", "W");
        foreign.Graph.Node[0].OpType = "Nonsense";
        Refuse(foreign, "ONNX Runtime cannot load it (This is an invalid model.");
    }

    [Theory]
    [InlineData("../weights.bin"), InlineData("inner/../../weights.bin"), InlineData("/etc/hostname")]
    public void Open_weights_outside_of_folder_are_refused(string location)
    {
        Directory.CreateDirectory(Path.Combine(folder.FullName, "model"));
        File.WriteAllBytes(Path.Combine(folder.FullName, "weights.bin"), new byte[12]);
        Refuse(External(location), $"its weights are in {location}, outside of its folder", "model/network.onnx");
    }

    [Fact]
    public void Open_weights_in_nested_graph_outside_of_folder_are_refused()
    {
        ModelProto model = Means("N", "H", "W");
        var value = External("../weights.bin").Graph.Initializer.Single(tensor => tensor.ExternalData.Count > 0);
        var branch = new GraphProto { Name = "branch" };
        branch.Node.Add(new NodeProto { OpType = "Constant", Attribute = { new AttributeProto { Name = "value", T = value } } });
        model.Graph.Node[0].Attribute.Add(new AttributeProto { Name = "body", G = branch });
        Refuse(model, "its weights are in ../weights.bin, outside of its folder");
    }

    [Fact]
    public void Provenance_names_files_of_weights()
    {
        File.WriteAllBytes(Path.Combine(folder.FullName, "weights.bin"), [.. new[] { 1f, 2f, 3f }.SelectMany(BitConverter.GetBytes)]);
        using var network = new OnnxFeatures(Save("external.onnx", External("weights.bin")), Unit, Device.CPU);
        Assert.Equal([1, 2, 3], Flat(network, torch.ones([1, 3, 4, 4])));
        Definition weights = Assert.Single(network.Provenance, entry => entry.Term == "Weights of the feature network");
        Assert.StartsWith($"weights.bin, SHA-256 {Fingerprint.OfFile(Path.Combine(folder.FullName, "weights.bin"))}", weights.Text);
    }

    [Fact]
    public void Extract_features_that_are_not_finite_or_change_length_are_refused()
    {
        using var root = new OnnxFeatures(
            Save("root.onnx", Graph(g => g.Add("Sqrt", [g.Add("ReduceMean", ["image"], ("axes", new long[] { 2, 3 }), ("keepdims", 0L))]),
                ["N", 3, "H", "W"], ["N", 3])), Unit, Device.CPU);
        Assert.Equal([1, 1, 1], Flat(root, torch.ones([1, 3, 4, 4])));
        var error = Assert.Throws<TinctorException>(() => root.Extract((-torch.ones([1, 3, 4, 4])).ToBatch()));
        Assert.Equal("the network returns NaN or infinite features", error.Problem);
        Assert.EndsWith("root.onnx", error.File);

        using var flat = new OnnxFeatures(
            Save("flat.onnx", Graph(g => g.Add("Flatten", ["image"], ("axis", 1L)), ["N", 3, "H", "W"], ["N", "D"])), Unit, Device.CPU);
        Assert.Equal([48, 48], flat.Extract(torch.ones([2, 3, 4, 4]).ToBatch()).Values.Select(vector => vector.Length));
        error = Assert.Throws<TinctorException>(() => flat.Extract(torch.ones([2, 3, 4, 5]).ToBatch()));
        Assert.Equal("the output features is [2,60], but it had 48 features before", error.Problem);

        using var all = new OnnxFeatures(
            Save("all.onnx", Graph(g => g.Add("Reshape", ["image", g.Integers(1, -1)]), ["N", 3, "H", "W"], ["N", "D"])), Unit, Device.CPU);
        error = Assert.Throws<TinctorException>(() => all.Extract(torch.ones([2, 3, 4, 4]).ToBatch()));
        Assert.Equal("the output features is [1,96] for 2 images, expected [2,features]", error.Problem);
    }

    private static float[] Flat(FeatureExtractor network, Tensor images) =>
        [.. network.Extract(images.ToBatch()).Values.SelectMany(vector => vector)];

    private static (int Width, int Height) Size(ImageBatch images) => (images.Width, images.Height);

    // Means of the channels.
    private static ModelProto Means(object count, object height, object width) => Graph(
        g => g.Add("ReduceMean", ["image"], ("axes", new long[] { 2, 3 }), ("keepdims", 0L)), [count, 3, height, width], [count, 3]);

    private static ModelProto Graph(Func<OnnxGraph, string> compute, object[] input, object[] output)
    {
        var graph = new OnnxGraph();
        graph.Input("image", DataType.Float, input);
        graph.Output("features", compute(graph), output);
        return graph.Build("features", new Dictionary<string, string>());
    }

    // Means of the channels times three weights in a file.
    private static ModelProto External(string location)
    {
        ModelProto model = Graph(g => g.Add("Mul", [g.Add("ReduceMean", ["image"], ("axes", new long[] { 2, 3 }), ("keepdims", 0L)),
            g.Floats("weights", [1, 1, 1], [3])]), ["N", 3, "H", "W"], ["N", 3]);
        TensorProto weights = model.Graph.Initializer.Single();
        weights.RawData = ByteString.Empty;
        weights.DataLocation = TensorProto.Types.DataLocation.External;
        weights.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        return model;
    }

    private string Save(string name, ModelProto model)
    {
        string path = Path.Combine(folder.FullName, name);
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }

    private void Refuse(ModelProto model, string problem, string name = "network.onnx") => RefuseFile(Save(name, model), problem);

    private static void RefuseFile(string path, string problem)
    {
        var error = Assert.Throws<TinctorException>(() => FeatureFile.Open(path, Unit, Device.CPU));
        Assert.Equal(path, error.File);
        Assert.Contains(problem, error.Problem);
        Assert.DoesNotContain('\n', error.Message);
        Assert.NotNull(error.Remedy);
    }

    private static ReportSection Analyse(ExampleImages set, Func<FeatureExtractor> open)
    {
        var pairs = set.Names.Select(name => new ImagePair(name,
            new Dictionary<string, string> { ["model"] = Path.Combine(set.Stained, name + ".png") },
            Path.Combine(set.Real, name + ".png"), Path.Combine(set.Source, name + ".png"), null, null));
        return new DistributionAnalysis(open).Run(
            new([.. pairs], [new("model", "Stained", ""), new(ScoredMethod.Identity, "Identity", "")], [], 0), null,
            CancellationToken.None);
    }

    private sealed class LibtorchFeatures(ResNet network) : FeatureExtractor
    {
        public override string Name => "libtorch";

        internal override IReadOnlyList<Definition> Provenance => [];

        internal override FeatureBatch Extract(ImageBatch images) =>
            new(network.features(Classifier.Normalise(images.ToTensor())).ToVectors());

        public override void Dispose() { }
    }
}
