using Google.Protobuf;
using Onnx;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Graphs;
using Tinctor.Staining.Models;
using Tinctor.Training.Configuration;
using Tinctor.Training.Export;
using Tinctor.Training.Import;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Training.Tests.Import;

public sealed class OnnxImportTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-onnx-import-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Run_inverting_network_of_another_layout_and_range_inverts_images()
    {
        // 255 - x on [1, 32, 32, 3], with names that collide with those of a model.
        string path = Write("invert.onnx", Network("Sub", swapped: true, 255, [1, 32, 32, 3]));
        var config = new OnnxImportConfig
        {
            Layout = ImageLayout.Nhwc,
            InputRange = [0, 255],
            OutputRange = [0, 255],
            Mpp = 0.5,
            Licence = "CC0",
        };
        ModelDescription model = OnnxImport.Run(path, config, At("model"));
        Assert.Equal((3, 3, 1, 32, 32, 0.5),
            (model.InputChannels, model.OutputChannels, model.Upscaling, model.TileSize, model.SizeMultiple, model.Mpp));
        using Stainer stainer = OnnxModel.LoadStainer(At("model"));
        Image source = Noise(20, 31);
        Assert.Equal(source.Data.Select(sample => (byte)(255 - sample)), stainer.Stain(source).Image.Data);
        Assert.Contains("32 x 32", Assert.Throws<TinctorException>(() => stainer.Stain(Noise(40, 20))).Problem);
    }

    [Fact]
    public void Run_applies_mean_and_deviation_of_channels()
    {
        // x * 1 in, so the output shows the network's input: (light - mean) / std, of the range -2 to 2.
        string path = Write("same.onnx", Network("Mul", swapped: false, 1, ["n", 3, "h", "w"]));
        var config = new OnnxImportConfig
        {
            InputRange = [0, 1],
            InputMean = [0.5, 0.25, 0.75],
            InputStd = [0.5, 0.25, 0.5],
            OutputRange = [-2, 2],
        };
        OnnxImport.Run(path, config, At("model"));
        using Stainer stainer = OnnxModel.LoadStainer(At("model"));
        Image source = Noise(9, 7), made = stainer.Stain(source).Image;
        for (int i = 0; i < source.Data.Length; i++)
        {
            double value = ((source.Data[i] / 255.0) - config.InputMean[i % 3]) / config.InputStd[i % 3];
            Assert.Equal(Math.Clamp((value + 2) / 4 * 255, 0, 255), made.Data[i], 0.51);
        }
    }

    [Fact]
    public void Run_with_damaged_or_unsuitable_network_names_file_and_leaves_nothing()
    {
        ModelProto good = Network("Sub", swapped: true, 1, ["n", 3, "h", "w"]);
        Refused("truncated", good.ToByteArray()[..^40], "truncated");
        Refused("text", "This is no network."u8.ToArray(), "is no ONNX file");
        Refused("opset", Changed(good, model => model.OpsetImport[0].Version = 999).ToByteArray(), "opset", "999");
        Refused("nan", Changed(good, model => model.Graph.Initializer[0].RawData = ByteString.CopyFrom(BitConverter.GetBytes(float.NaN)))
            .ToByteArray(),
            "not finite");
        Refused("operator", Changed(good, model => model.Graph.Node[0].OpType = "Unheard").ToByteArray(), "Unheard");
        Refused("outside", Changed(good, model =>
        {
            TensorProto tensor = model.Graph.Initializer[0];
            (tensor.RawData, tensor.DataLocation) = (ByteString.Empty, TensorProto.Types.DataLocation.External);
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "../../etc/passwd" });
        }).ToByteArray(), "outside of its folder");
        Refused("two inputs", Changed(good, model => model.Graph.Input.Add(OnnxNode.CreateInfo("more", DataType.Float, 1))).ToByteArray(),
            "image, more");
        Refused("vector", Network("Sub", swapped: true, 1, [3, 5]).ToByteArray(), "has 2 dimensions");
        Assert.Contains("no such file", Assert.Throws<TinctorException>(() => OnnxImport.Run(At("none.onnx"), new(), At("model"))).Problem);

        void Refused(string name, byte[] content, params string[] words)
        {
            string path = At($"{name}.onnx");
            File.WriteAllBytes(path, content);
            var error = Assert.Throws<TinctorException>(() => OnnxImport.Run(path, new(), At(name)));
            Assert.Equal(path, error.File);
            Assert.DoesNotContain('\n', error.Message);
            foreach (string word in words) Assert.Contains(word, error.Problem);
            Assert.True(!Directory.Exists(At(name)) || Directory.GetFiles(At(name)).Length == 0);
        }
    }

    [Fact]
    public void Run_reads_external_data_beside_file()
    {
        ModelProto network = Network("Sub", swapped: true, 1, ["n", 3, "h", "w"]);
        TensorProto tensor = network.Graph.Initializer[0];
        File.WriteAllBytes(At("weights.bin"), [9, 9, .. tensor.RawData.ToByteArray(), 9]);
        (tensor.RawData, tensor.DataLocation) = (ByteString.Empty, TensorProto.Types.DataLocation.External);
        foreach ((string key, string value) in new[] { ("location", "weights.bin"), ("offset", "2"), ("length", "4") })
            tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        OnnxImport.Run(Write("external.onnx", network), new() { InputRange = [0, 1], OutputRange = [0, 1] }, At("model"));
        File.Delete(At("weights.bin"));
        using Stainer stainer = OnnxModel.LoadStainer(At("model"));
        Image source = Noise(8, 8);
        Assert.Equal(source.Data.Select(sample => (byte)(255 - sample)), stainer.Stain(source).Image.Data);
    }

    [Fact]
    public void ReadRecord_names_wrong_settings()
    {
        Assert.Equal([0.0, 255], ConfigFile.ReadRecord<OnnxImportConfig>(null, ["input_range=0,255", "layout=nhwc"]).InputRange);
        Assert.Contains("layout is chw; expected nchw or nhwc",
            Assert.Throws<TinctorException>(() => ConfigFile.ReadRecord<OnnxImportConfig>(null, ["layout=chw"])).Problem);
        Assert.Contains("there is no setting range",
            Assert.Throws<TinctorException>(() => ConfigFile.ReadRecord<OnnxImportConfig>(null, ["range=1"])).Problem);
        Assert.Contains("two different numbers", Assert.Throws<TinctorException>(() => OnnxImport.Run(
            Write("a.onnx", Network("Mul", swapped: false, 1, ["n", 3, "h", "w"])), new() { OutputRange = [1, 1] }, At("model"))).Problem);
    }

    // A network of one node: constant and image, or image and constant.
    private static ModelProto Network(string op, bool swapped, float constant, object[] shape)
    {
        var graph = new OnnxGraph();
        graph.Input("image", DataType.Float, shape);
        string number = graph.Number(constant);
        graph.Output("source", graph.Add(op, swapped ? [number, "image"] : ["image", number]), shape);
        return graph.Build("test", new Dictionary<string, string>());
    }

    private static ModelProto Changed(ModelProto model, Action<ModelProto> change)
    {
        ModelProto copy = model.Clone();
        change(copy);
        return copy;
    }

    private static Image Noise(int width, int height)
    {
        var image = new Image(width, height, 3);
        new Random(width).NextBytes(image.Data);
        return image;
    }

    private string Write(string name, ModelProto model)
    {
        File.WriteAllBytes(At(name), model.ToByteArray());
        return At(name);
    }

    private string At(string name) => Path.Combine(folder, name);
}
