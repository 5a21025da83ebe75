using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Onnx;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Classification;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;
using Tinctor.Training.Segmentation;
using Tinctor.Training.Supervised;

namespace Tinctor.Cli.Tests;

/// <summary><c>tinctor evaluate</c> in a process that finds no libtorch.</summary>
public sealed class EvaluateWithoutLibtorchTests : IDisposable
{
    private static readonly TrainingRecord Record = new("id", 0, 0, 2, 1, 1, "score", null, "", 1, 0, [], [], [], "test");
    private static readonly string[] Names = ["a", "b", "c", "d", "e"];
    private readonly string root = Directory.CreateTempSubdirectory("evaluate-").FullName;
    private readonly string[] images;

    public EvaluateWithoutLibtorchTests()
    {
        foreach ((int i, string name) in Names.Index())
            foreach ((string folder, int seed) in new[] { ("real", i), ("stained", i + 100), ("source", i + 200) })
                WriteImage(folder, name, seed);
        images = ["evaluate", "--stained", At("stained"), "--real", At("real"), "--source", At("source")];
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Evaluate_metrics_without_networks_and_of_onnx_file()
    {
        var graph = new OnnxGraph();
        graph.Input("image", TensorProto.Types.DataType.Float, "N", 3, "H", "W");
        graph.Output("features", graph.Add("ReduceMean", ["image"], ("axes", new long[] { 2, 3 }), ("keepdims", 0L)), "N", 3);
        File.WriteAllBytes(At("means.onnx"), graph.Build("means", new Dictionary<string, string>()).ToByteArray());
        JsonNode section = EvaluateBoth(["--features", At("means.onnx"), "--features-size", "32", "--ihc"])
            .Single(item => (string?)item!["key"] == "distribution")!;
        Assert.True((double)section["tables"]![0]!["rows"]![0]![1]! > 0);
        Assert.Contains("FID", File.ReadAllText(Path.Combine(At("without"), "report.html")));
    }

    // .NET 10 deadlocks if the first calls of several threads find no library at the same time.
    [Fact]
    public void Evaluate_alignment_is_not_computed_and_does_not_hang()
    {
        Outcome outcome = CommandLine.RunWithoutLibtorch([.. images, "-o", At("out")]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Failures));
        Assert.Contains("Alignment: not computed, the displacement is measured with libtorch, which is not installed.", outcome.Messages);
    }

    [Fact]
    public void Evaluate_trained_networks()
    {
        WriteNetworks();
        File.WriteAllText(At("labels.csv"), "name,label,slide_id\n" + string.Concat(
            Names.Select((name, i) => $"{name},{"xy"[i % 2]},{name}\n")));
        JsonArray sections = EvaluateBoth(["--classifier", At("classifier"), "--labels", At("labels.csv"), "--label-library", "test",
            "--segmenter", At("segmenter"), "--encoder", At("encoders")]);
        foreach (string key in new[] { "labels", "segmentation", "encoder" })
            Assert.Null(sections.Single(section => (string?)section!["key"] == key)!["not_computed"]);
    }

    [Fact]
    public void Evaluate_weights_of_pytorch_once_with_libtorch_and_then_without()
    {
        torch.manual_seed(1);
        using (torch.NewDisposeScope())
        {
            using var inception = new InceptionV3();
            SafeTensors.Save(At("inception.safetensors"), inception.state_dict());
            using var trunk = new LpipsTrunk(LpipsNet.Squeeze);
            SafeTensors.Save(At("trunk.safetensors"), trunk.state_dict().ToDictionary(e => $"features.{e.Key}", e => e.Value));
            SafeTensors.Save(At("lin.safetensors"), LpipsTrunk.Channels(LpipsNet.Squeeze).Index()
                .ToDictionary(c => $"lin{c.Index}.model.1.weight", c => torch.rand([1, c.Item, 1, 1])));
        }
        string[] weights = ["--inception", At("inception.safetensors")];
        string[] lpips = ["--lpips", "squeeze", "--lpips-trunk", At("trunk.safetensors"), "--lpips-lin", At("lin.safetensors")];
        Refuse("inception.safetensors", weights);
        Refuse("trunk.safetensors", lpips);

        JsonArray sections = EvaluateBoth([.. weights, .. lpips]);
        Assert.True((double)sections.Single(item => (string?)item!["key"] == "distribution")!["tables"]![0]!["rows"]![0]![1]! > 0);
        Assert.True(JsonNode.DeepEquals(sections, Evaluate("exported", CommandLine.RunWithoutLibtorch,
            ["--inception", At("inception.safetensors.onnx"), "--lpips", "squeeze",
                "--lpips-trunk", At("trunk.safetensors.lpips-squeeze.onnx"), "--no-alignment"])
            ["sections"]));

        using (ZipArchive zip = ZipFile.Open(At("script.pt"), ZipArchiveMode.Create)) zip.CreateEntry("network/code/network.py");
        Refuse("script.pt", ["--inception", At("script.pt")], "a TorchScript program runs on libtorch, which is not installed");

        void Refuse(string file, string[] options, string problem = "there is no libtorch")
        {
            string error = CommandLine.RunWithoutLibtorch([.. images, .. options, "--no-alignment", "-o", At("none")]).OneError();
            Assert.Contains(At(file), error);
            Assert.Contains(problem, error);
        }
    }

    [Fact]
    public void Evaluate_device_that_only_libtorch_could_have_is_one_line()
    {
        string error = CommandLine.RunWithoutLibtorch(
            [.. images, "--features", At("any.onnx"), "--device", "cuda", "-o", At("none")]).OneError();
        Assert.Contains("the device is cuda, but there is no libtorch, and ONNX Runtime supports cpu", error);
        Assert.EndsWith("(--device).", error);
    }

    // Evaluates with and without libtorch, which must give equal results.
    private JsonArray EvaluateBoth(string[] options)
    {
        options = [.. options, "--no-alignment"];
        JsonNode with = Evaluate("with", CommandLine.Run, options), without = Evaluate("without", CommandLine.RunWithoutLibtorch, options);
        foreach (string part in new[] { "metrics", "sections", "images" }) RequireEqual(with[part], without[part], part);
        return without["sections"]!.AsArray();
    }

    private static void RequireEqual(JsonNode? expected, JsonNode? actual, string place)
    {
        switch (expected)
        {
            case JsonObject fields:
                Assert.Equal(fields.Select(field => field.Key), actual!.AsObject().Select(field => field.Key));
                foreach ((string key, JsonNode? value) in fields) RequireEqual(value, actual[key], $"{place}.{key}");
                break;
            case JsonArray items:
                Assert.Equal(items.Count, actual!.AsArray().Count);
                for (int i = 0; i < items.Count; i++) RequireEqual(items[i], actual[i], $"{place}[{i}]");
                break;
            case JsonValue number when number.GetValueKind() == JsonValueKind.Number:
                // Float32 sums of networks depend on how threads share them.
                Assert.Equal((double)number, (double)actual!, 1e-5 * Math.Max(1e-3, Math.Abs((double)number)));
                break;
            default:
                Assert.True(JsonNode.DeepEquals(expected, actual), $"{place}: {expected} and {actual}");
                break;
        }
    }

    private JsonNode Evaluate(string output, Func<string[], Outcome> run, string[] options)
    {
        Outcome outcome = run([.. images, .. options, "-o", At(output)]);
        Assert.Equal((0, ""), (outcome.Code, outcome.Failures));
        return JsonNode.Parse(File.ReadAllText(Path.Combine(At(output), "metrics.json")))!;
    }

    private void WriteNetworks()
    {
        torch.manual_seed(2);
        using DisposeScope scope = torch.NewDisposeScope();
        using ResNet resnet = ResNet.Create("resnet18", 2);
        resnet.eval();
        string[] classes = ["x", "y"];
        SupervisedModel.Write(At("classifier"), new ClassifierCard(Record, "resnet18", classes, "target", "evaluator", 0, 0,
            Classifier.Mean, Classifier.Std, null, null), resnet);
        Assert.Null(SupervisedModel.Export(At("classifier"), resnet,
            [Classifier.CreateOnnxFile(resnet, classes, "resnet18", Device.CPU)]));
        using var unet = new SegmentationUnet(3, Segmenter.Classes(SegmentationTarget.Nuclei), 4, 2);
        unet.eval();
        SupervisedModel.Write(At("segmenter"), new SegmenterCard(Segmenter.Kind, Record, "nuclei", 3, 4, 2, "", null, null, null), unet);
        Assert.Null(SupervisedModel.Export(At("segmenter"), unet,
            [new(OnnxExport.ModelName, Segmenter.CreateExport(unet, 3, Device.CPU), new Dictionary<string, string>())]));
        var config = new EncoderConfig { Ngf = 4, FeatureDim = 16 };
        using var task = (EncoderTask)(config with { Data = config.Data with { CropSize = 128 } }).Create(Device.CPU, null!);
        task.Network.eval();
        task.WriteModel(At("encoders"), Record, []);
        Assert.Null(SupervisedModel.Export(At("encoders"), task.Network, task.OnnxExports));
    }

    private void WriteImage(string folder, string name, int seed)
    {
        Directory.CreateDirectory(At(folder));
        var image = new Image(128, 128, 3);
        var random = new Random(seed);
        (int shade, double slope) = (random.Next(40, 160), random.NextDouble());
        for (int i = 0; i < image.Data.Length; i++) image.Data[i] = (byte)(shade + (int)(slope * (i / 384 % 64)) + random.Next(20));
        image.Write(Path.Combine(At(folder), name + ".png"));
    }

    private string At(string name) => Path.Combine(root, name);
}
