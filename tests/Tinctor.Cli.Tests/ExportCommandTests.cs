using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Models;
using Tinctor.Training.Export;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Cli.Tests;

[Collection("trained")]
public sealed class ExportCommandTests(TrainedRun trained) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-export-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Stain_on_onnx_equals_libtorch()
    {
        Assert.True(OnnxModel.IsCurrent(trained.Run));
        foreach ((string name, int width, int height) in new[] { ("a", 3, 5), ("b", 257, 130), ("c", 64, 33) })
            TrainedRun.Noise(width, height, width).Write(At("in", $"{name}.png"));
        Outcome onnx = Stain(trained.Run, "onnx");
        Assert.Equal((0, ""), (onnx.Code, onnx.Error));
        Assert.Contains("executor: onnx (the default), cpu, float32, 1 threads", onnx.Messages);
        Outcome torch = Stain(trained.Run, "torch", "--executor", "torch");
        Assert.Equal(0, torch.Code);
        Assert.Contains("executor: torch (as --executor states), cpu, 1 threads", torch.Messages);
        foreach (string name in new[] { "a", "b", "c" })
        {
            byte[] expected = Image.Read(At("torch", $"{name}.png")).Data, actual = Image.Read(At("onnx", $"{name}.png")).Data;
            Assert.True(expected.Zip(actual, (x, y) => Math.Abs(x - y)).Max() <= 1);
        }
    }

    [Fact]
    public void Export_and_stain_best_use_best_checkpoint()
    {
        foreach (string file in Directory.GetFiles(trained.Run, "*", SearchOption.AllDirectories))
        {
            string copy = At("run", Path.GetRelativePath(trained.Run, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        string run = At("run"), best = Path.Combine(run, "best");
        Outcome exported = CommandLine.Run("export", run, "--best");
        Assert.Equal((0, $"model: {best}\n"), (exported.Code, exported.Out));
        Assert.True(OnnxModel.IsCurrent(best));
        TrainedRun.Noise(20, 20, 1).Write(At("in", "a.png"));
        Assert.Equal(0, Stain(run, "by run", "--best").Code);
        Assert.Equal(0, Stain(best, "by folder").Code);
        Assert.Equal(Image.Read(At("by folder", "a.png")).Data, Image.Read(At("by run", "a.png")).Data);
        Outcome refused = CommandLine.Run("export", trained.At("data"), "--best");
        Assert.NotEqual(0, refused.Code);
        Assert.Contains("contains no run", refused.Error);
    }

    [Fact]
    public void Stain_model_without_onnx_file_exports_it_once()
    {
        string model = At("model");
        trained.CopyModel(model);
        File.Delete(Path.Combine(model, ModelFolder.OnnxFile));
        TrainedRun.Noise(20, 20, 1).Write(At("in", "a.png"));
        Assert.Contains("exporting the network to model.onnx, once", Stain(model, "out", "--executor", "onnx").Messages);
        Assert.True(OnnxModel.IsCurrent(model));
        Assert.DoesNotContain("exporting", Stain(model, "out", "--executor", "onnx", "--overwrite").Messages);
        Assert.Contains("is up to date", CommandLine.Run("export", model).Messages);
    }

    [Fact]
    public void Stain_without_libtorch_needs_only_onnx_file()
    {
        string model = At("model");
        trained.CopyModel(model);
        TrainedRun.Noise(90, 70, 3).Write(At("in", "a.png"));
        Assert.Equal(0, Stain(model, "with").Code);
        Outcome without = CommandLine.RunWithoutLibtorch("stain", model, At("in"), "-o", At("without"), "--threads", "1");
        Assert.Equal((0, ""), (without.Code, without.Error));
        Assert.Equal(Image.Read(At("with", "a.png")).Data, Image.Read(At("without", "a.png")).Data);
        Assert.Equal(0, CommandLine.RunWithoutLibtorch("stain", model, At("in"), "-o", At("slides"), "--tile-size", "64")
            .Code);
        Assert.True(File.Exists(At("slides", "a.ome.tif")));

        File.Delete(Path.Combine(model, ModelFolder.OnnxFile));
        Assert.Contains("has no model.onnx of its weights, and there is no libtorch to export it with",
            CommandLine.RunWithoutLibtorch("stain", model, At("in"), "-o", At("none")).OneError());
    }

    [Fact]
    public void Stain_in_int8_calibrates_once_and_states_difference_in_card()
    {
        string model = At("model"), card = Path.Combine(model, ModelFolder.CardFile);
        trained.CopyModel(model);
        for (int i = 0; i < 4; i++) TrainedRun.Noise(80, 80, i).Write(At("in", $"{i}.png"));
        Assert.Equal(0, Stain(model, "float32").Code);
        Outcome first = Stain(model, "int8", "--precision", "int8");
        Assert.Equal((0, ""), (first.Code, first.Error));
        Assert.Contains("int8, 1 threads", first.Messages);
        Assert.Contains("quantising the network to model.int8.onnx, once, from 4 tiles", first.Messages);
        Assert.Matches("int8 against float32 on 2 tiles: PSNR [0-9.]+ dB, SSIM 0.9", first.Messages);
        Assert.Single(Regex.Matches(File.ReadAllText(card), "## int8"));
        byte[] expected = Image.Read(At("float32", "3.png")).Data, actual = Image.Read(At("int8", "3.png")).Data;
        Assert.InRange(expected.Zip(actual, (x, y) => Math.Abs(x - y)).Average(), 1e-3, 3);

        Assert.DoesNotContain("quantising", Stain(model, "int8", "--precision", "int8", "--overwrite").Messages);
        Assert.Single(Regex.Matches(File.ReadAllText(card), "## int8"));
    }

    [Fact]
    public void Stain_with_automatic_precision_tests_bfloat16_once()
    {
        string model = At("model"), tests = Path.Combine(model, "precision.json");
        trained.CopyModel(model);
        TrainedRun.Noise(80, 80, 1).Write(At("in", "a.png"));
        const string NoChoice = "precision: float32, because the device has no faster format of 16 bits";
        Assert.Contains(NoChoice, Stain(model, "onnx", "--precision", "auto").Messages);
        Assert.Contains("--amp is given", Stain(model, "amp", "--precision", "auto", "--amp").OneError());

        Outcome first = Stain(model, "first", "--precision", "auto", "--executor", "torch");
        Assert.Equal((0, ""), (first.Code, first.Error));
        if (!SystemInfo.HasBfloat16)
        {
            Assert.Contains(NoChoice, first.Messages);
            Assert.False(File.Exists(tests));
            return;
        }
        Match found = Regex.Match(first.Messages,
            @"precision: (\w+), because bfloat16 has ([0-9.]+) dB against float32 \(at least 46.3\) and [0-9.]+ times its speed");
        Assert.InRange(double.Parse(found.Groups[2].Value, CultureInfo.InvariantCulture), 30, 70);
        Assert.Matches($"executor: torch .*{found.Groups[1].Value}", first.Messages);
        Stain(model, "named", "--precision", found.Groups[1].Value, "--executor", "torch");
        Assert.Equal(Image.Read(At("named", "a.png")).Data, Image.Read(At("first", "a.png")).Data);

        DateTime written = File.GetLastWriteTimeUtc(tests);
        Outcome second = Stain(model, "second", "--precision", "auto", "--executor", "torch");
        Assert.Contains(found.Value, second.Messages);
        Assert.Equal(written, File.GetLastWriteTimeUtc(tests));
    }

    [Fact]
    public void Import_network_of_another_program_stains()
    {
        // 1 - x, on samples from 0 to 1.
        var graph = new OnnxGraph();
        graph.Input("pixels", DataType.Float, "n", 3, "h", "w");
        graph.Output("stained", graph.Add("Sub", [graph.Number(1), "pixels"]), "n", 3, "h", "w");
        File.WriteAllBytes(At("inverse.onnx"), graph.Build("inverse", new Dictionary<string, string>()).ToByteArray());
        File.WriteAllText(At("inverse.yaml"), "method: inverse\ninput_range: [0, 1]\noutput_range: [0, 1]\n");
        Outcome import = CommandLine.Run("import", "onnx", At("inverse.onnx"), "-o", At("model"), "--config", At("inverse.yaml"), "--set",
            "mpp=0.5");
        Assert.Equal((0, ""), (import.Code, import.Error));
        Assert.Contains("3 to 3 channels, any size, in multiples of 1, upscaling 1", import.Out);
        Assert.Contains("# inverse: imported network", File.ReadAllText(At("model", ModelFolder.CardFile)));
        Image source = TrainedRun.Noise(50, 41, 5);
        source.Write(At("in", "a.png"));
        Assert.Equal(0, Stain(At("model"), "out").Code);
        Assert.Equal(source.Data.Select(sample => (byte)(255 - sample)), Image.Read(At("out", "a.png")).Data);
        Assert.Contains("has a network in ONNX only", Stain(At("model"), "torch", "--executor", "torch").OneError());
    }

    [Fact]
    public void Export_mistakes_are_one_line()
    {
        Directory.CreateDirectory(At("in"));
        Assert.Contains("is no model folder", CommandLine.Run("export", At("in")).OneError());
        TrainedRun.Noise(20, 20, 1).Write(At("in", "a.png"));
        Assert.Contains("onnx does not compute in bfloat16", Stain(trained.Run, "out", "--executor", "onnx", "--amp").OneError());
        Assert.Contains("torch does not compute in int8",
            Stain(trained.Run, "out", "--executor", "torch", "--precision", "int8").OneError());
        Assert.Contains("the device is dml, but the installed ONNX Runtime supports cpu",
            Stain(trained.Run, "out", "--device", "dml").OneError());
        Assert.Contains("float16 is for GPUs", Stain(trained.Run, "out", "--precision", "float16").OneError());
        Assert.Contains("the tile size is 30, expected a multiple of 4", CommandLine.Run("export", trained.Run, "--tile", "30").OneError());
        Assert.Contains("--tile and --dynamic exclude each other",
            CommandLine.Run("export", trained.Run, "--tile", "64", "--dynamic").Error);

        string model = At("model");
        trained.CopyModel(model);
        string onnx = Path.Combine(model, ModelFolder.OnnxFile);
        File.WriteAllBytes(onnx, File.ReadAllBytes(onnx)[..500]);
        Assert.Contains("model.onnx: ONNX Runtime cannot load it", Stain(model, "out", "--executor", "onnx").OneError());
    }

    private Outcome Stain(string model, string output, params string[] options) =>
        CommandLine.Run(["stain", model, At("in"), "-o", At(output), "--threads", "1", .. options]);

    private string At(params string[] names)
    {
        string path = Path.Combine([folder, .. names]);
        if (names.Length > 1) Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }
}
