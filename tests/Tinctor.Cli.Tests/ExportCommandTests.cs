using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Models;

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
    public void Export_mistakes_are_one_line()
    {
        Directory.CreateDirectory(At("in"));
        Assert.Contains("is no model folder", CommandLine.Run("export", At("in")).OneError());
        TrainedRun.Noise(20, 20, 1).Write(At("in", "a.png"));
        Assert.Contains("onnx does not compute in bfloat16", Stain(trained.Run, "out", "--executor", "onnx", "--amp").OneError());
        Assert.Contains("torch does not compute in int8", Stain(trained.Run, "out", "--executor", "torch", "--precision", "int8").OneError());
        Assert.Contains("the device is dml, but the installed ONNX Runtime supports cpu",
            Stain(trained.Run, "out", "--device", "dml").OneError());
        Assert.Contains("the tile size is 30, expected a multiple of 4", CommandLine.Run("export", trained.Run, "--tile", "30").OneError());
        Assert.Contains("--tile and --dynamic exclude each other", CommandLine.Run("export", trained.Run, "--tile", "64", "--dynamic").Error);

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
