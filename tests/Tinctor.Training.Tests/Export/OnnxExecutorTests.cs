using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf;
using Onnx;
using Tinctor.Staining;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Graphs;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Execution;
using Tinctor.Training.Export;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Asp;
using Tinctor.Training.Methods.BciStainer;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Methods.Ceff;
using Tinctor.Training.Methods.Cgan;
using Tinctor.Training.Methods.CycleGan;
using Tinctor.Training.Methods.Cut;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Methods.Pix2PixHd;
using Tinctor.Training.Methods.PspStain;
using Tinctor.Training.Methods.Regression;
using Tinctor.Training.Methods.SimGan;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Export;

public sealed class OnnxExecutorTests : IDisposable
{
    private static readonly DiffusionUnetOptions Small =
        new() { ModelChannels = 32, ChannelMult = [1, 1, 2], NumResBlocks = 1, AttentionResolutions = [4], NumHeads = 2 };

    private static readonly Dictionary<string, MethodConfig> Configs = new()
    {
        ["pix2pix unet"] = new Pix2PixConfig { Generator = "unet_128", Ngf = 8 },
        ["pix2pix resnet"] = new Pix2PixConfig { Generator = "resnet_6blocks", Ngf = 8 },
        ["pix2pix instance"] = new Pix2PixConfig { Generator = "resnet_6blocks", Ngf = 8, Norm = Norm.Instance },
        ["pix2pix batch"] = new Pix2PixConfig { Generator = "resnet_6blocks", Ngf = 8, Inference = new() { Statistics = "batch" } },
        ["pix2pixhd"] = new Pix2PixHdConfig { Ngf = 4, NDownsampleGlobal = 2, NBlocksGlobal = 2 },
        ["pix2pixhd local"] = new Pix2PixHdConfig { Generator = "local", Ngf = 4, NDownsampleGlobal = 2, NBlocksGlobal = 2 },
        ["cyclegan"] = new CycleGanConfig { Generator = "resnet_6blocks", Ngf = 8 },
        ["cut"] = new CutConfig { Generator = "resnet_4blocks", Ngf = 8 },
        ["asp"] = new AspConfig { Generator = "resnet_4blocks", Ngf = 8 },
        ["sim-gan"] = new SimGanConfig { Generator = "resnet_4blocks", Ngf = 8 },
        ["psp-stain"] = new PspStainConfig { Generator = "resnet_4blocks", Ngf = 8 },
        ["derestainer"] = new DeReStainerConfig { Ngf = 8, NBlocks = 2 },
        ["derestainer block"] = new DeReStainerConfig
        {
            Ngf = 8,
            NBlocks = 2,
            Simam = "block",
            Style = "probabilities",
            Upsample = "resize"
        },
        ["derestainer feature"] = new DeReStainerConfig { Ngf = 8, NBlocks = 2, Style = "feature", Fusion = "bcistainer" },
        ["bcistainer"] = new BciStainerConfig { Ngf = 4, NBlocks = 2, FullSize = 256 },
        ["ceff"] = new CeffConfig { Ngf = 8, FeatureDim = 16, EncoderStart = "random" },
        ["ceff paper"] = new CeffConfig { Ngf = 8, FeatureDim = 16, EncoderStart = "random", Variant = CeffVariant.Paper },
        ["ceff plain"] = new CeffConfig { Ngf = 8, FeatureDim = 16, Vmfe = false, Fusion = false },
        ["cgan"] = new CganConfig { InputChannels = 2, Factor = 4, Width = 8, Depth = 2 },
        ["unet"] = new UnetConfig { Width = 8, Depth = 2 },
        ["nafnet"] = new NafNetConfig { Width = 8, EncBlkNums = [1, 1], MiddleBlkNum = 1, DecBlkNums = [1, 1] },
        ["bbdm"] = new BbdmConfig { InputChannels = 2, Factor = 4, MatcherWidth = 8, Network = Small },
        ["bbdm of z-scored images"] = new BbdmConfig
        {
            InputChannels = 2,
            Factor = 4,
            MatcherWidth = 8,
            Network = Small,
            ZScore = ZScoreRegion.Image,
        },
        ["i2sb"] = new I2sbConfig { Network = Small },
        ["i2sb conditioned"] = new I2sbConfig
        {
            Network = Small with
            {
                UseScaleShiftNorm = true,
                ResblockUpdown = true,
                UseNewAttentionOrder = true
            },
            CondX1 = true
        },
    };

    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-onnx-").FullName;

    public static TheoryData<string> Names => [.. Configs.Keys];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_equals_libtorch_at_several_sizes(string name)
    {
        (MethodConfig config, TorchExecutor torch, OnnxExecutor onnx) = Load(name);
        using (torch)
        using (onnx)
        {
            Assert.Equal(torch.NormalizesByImage, onnx.NormalizesByImage);
            foreach ((int n, int h, int w) in new[] { (1, 1, 1), (2, 1, 2), (1, 2, 3), (3, 2, 1), (1, 3, 3) })
            {
                int side = Side(config);
                ImageBatch source = Noise(n, config.InputChannels, side * h, side * w, n + h);
                var input = new NetworkInput(source) { Normalization = NormalizationContext.PerImage };
                Compare(torch.Run(input), onnx.Run(input));
                if (config is not BridgeConfig) continue;
                ImageBatch state = Noise(n, config.OutputChannels, side * h * config.Upscaling, side * w * config.Upscaling, 7);
                ImageBatch end = Noise(n, config.OutputChannels, state.Height, state.Width, 8);
                Compare(torch.Predict(state, 321.5, end), onnx.Predict(state, 321.5, end));
            }
        }
    }

    [Theory]
    [InlineData("pix2pix instance")]
    [InlineData("pix2pix batch")]
    [InlineData("derestainer")]
    [InlineData("derestainer block")]
    [InlineData("derestainer feature")]
    [InlineData("bcistainer")]
    [InlineData("cgan")]
    [InlineData("nafnet")]
    [InlineData("bbdm")]
    public void Run_with_moments_and_levels_equals_libtorch(string name)
    {
        (MethodConfig config, TorchExecutor torch, OnnxExecutor onnx) = Load(name);
        using (torch)
        using (onnx)
        {
            int side = Side(config);
            var measured = new NetworkInput(Noise(2, config.InputChannels, side, 2 * side,
                3))
            { Normalization = NormalizationContext.Recorded };
            (NetworkOutput expected, NetworkOutput actual) = (torch.Run(measured), onnx.Run(measured));
            Compare(expected, actual);
            for (int i = 0; i < 2; i++)
            {
                foreach ((var a, var b) in expected.Moments![i].Layers.Zip(actual.Moments![i].Layers))
                {
                    Close(a.Mean, b.Mean);
                    Close(a.Variance, b.Variance);
                }
            }
            var given = new NetworkInput(Noise(2, config.InputChannels, side, side, 4))
            {
                Normalization = NormalizationContext.Use([.. expected.Moments!]),
                IhcLogits = expected.IhcLogits is null ? null : [0.5f, -1, 2, 0.25f, .. expected.IhcLogits[1][4..]],
            };
            Compare(torch.Run(given), onnx.Run(given));
        }
    }

    [Theory]
    [InlineData("bbdm")]
    [InlineData("i2sb")]
    [InlineData("i2sb conditioned")]
    public void Trajectory_of_one_seed_equals_libtorch(string name)
    {
        (MethodConfig config, TorchExecutor torch, OnnxExecutor onnx) = Load(name);
        ModelDescription model = config.Describe("test");
        using var expected = new Stainer(torch, model);
        using var actual = new Stainer(onnx, model);
        ImageBatch source = Noise(1, config.InputChannels, Side(config), 2 * Side(config), 6);
        var sampling = new SamplingRequest(model.Bridge!.Sampling, [new NoiseOrigin("slide", 5)]);
        float[] a = expected.Run(source, sampling).Image.Values, b = actual.Run(source, sampling).Image.Values;
        Assert.InRange(a.Zip(b, (x, y) => Math.Abs(x - y)).Max(), 0, 1e-3f);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Float16_network_is_close_to_float32(string name)
    {
        (MethodConfig config, TorchExecutor torch, OnnxExecutor onnx) = Load(name);
        torch.Dispose();
        using (onnx)
        {
            string path = Path.Combine(folder, ModelFolder.OnnxFile);
            File.WriteAllBytes(path, Float16Conversion.Run(OnnxFile.Read(path)).ToByteArray());
            string matcher = Path.Combine(folder, ModelFolder.MatcherFile);
            using var half = new OnnxExecutor(path, File.Exists(matcher) ? matcher : null, threads: 1);
            ImageBatch source = Noise(1, config.InputChannels, Side(config), Side(config), 4);
            float[] expected, actual;
            if (config is BridgeConfig)
            {
                ImageBatch state = Noise(1, config.OutputChannels, Side(config) * config.Upscaling, Side(config) * config.Upscaling, 7);
                (expected, actual) = (onnx.Predict(state, 100, state).Values, half.Predict(state, 100, state).Values);
            }
            else (expected, actual) = (onnx.Run(new(source)).Image.Values, half.Run(new(source)).Image.Values);
            float largest = expected.Max(Math.Abs), error = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
            Assert.InRange(error / largest, 1e-7f, 0.1f);
        }
    }

    [Fact]
    public void Open_foreign_or_damaged_file_is_refused()
    {
        (_, TorchExecutor torch, OnnxExecutor onnx) = Load("pix2pix resnet");
        torch.Dispose();
        onnx.Dispose();
        string path = Path.Combine(folder, ModelFolder.OnnxFile);
        byte[] good = File.ReadAllBytes(path);
        Refused(good[..^100], "cannot load");
        Refused("This is no network."u8.ToArray(), "cannot load");
        Refused(Changed(model => model.OpsetImport[0].Version = 999), "cannot load");
        Refused(Changed(model => OnnxFile.Rename(model.Graph, "source", "picture")), "has no source");
        Refused(Changed(model => OnnxFile.Rename(model.Graph, "image", "picture")), "has no image");
        Refused(Changed(model => OnnxFile.SetMetadata(model, "moments", "8,x")), "does not fit its inputs");
        Refused(Changed(model =>
        {
            TensorProto tensor = model.Graph.Initializer.First(tensor => tensor.Dims.Count == 4);
            (tensor.RawData, tensor.DataLocation) = (ByteString.Empty, TensorProto.Types.DataLocation.External);
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "../../../etc/passwd" });
        }), "cannot load");

        byte[] Changed(Action<ModelProto> change)
        {
            ModelProto model = ModelProto.Parser.ParseFrom(good);
            change(model);
            return model.ToByteArray();
        }

        void Refused(byte[] content, string words)
        {
            File.WriteAllBytes(path, content);
            var error = Assert.Throws<TinctorException>(() => new OnnxExecutor(path));
            Assert.Equal(path, error.File);
            Assert.Contains(words, error.Problem);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    [Fact]
    public void Stain_with_network_of_nan_is_refused()
    {
        (MethodConfig config, TorchExecutor torch, OnnxExecutor onnx) = Load("pix2pix instance");
        torch.Dispose();
        onnx.Dispose();
        string path = Path.Combine(folder, ModelFolder.OnnxFile);
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        TensorProto weight = model.Graph.Initializer.First(tensor => tensor.Dims.Count == 4);
        byte[] raw = weight.RawData.ToByteArray();
        BitConverter.TryWriteBytes(raw, float.NaN);
        weight.RawData = ByteString.CopyFrom(raw);
        File.WriteAllBytes(path, model.ToByteArray());
        using var stainer = new Stainer(new OnnxExecutor(path), config.Describe("test"));
        Assert.Contains("not finite", Assert.Throws<TinctorException>(() => stainer.Stain(new Slides.Image(20, 20, 3))).Problem);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void File_passes_checker_of_onnx(string name)
    {
        (_, TorchExecutor torch, OnnxExecutor onnx) = Load(name);
        using (torch)
        using (onnx)
        {
            const string script = "import onnx, sys\nfor path in sys.argv[1:]: onnx.checker.check_model(onnx.load(path), full_check=True)";
            Run("/usr/bin/python3", ["-c", script, .. Directory.GetFiles(folder, "*.onnx")]);
        }
    }

    [Theory]
    [InlineData("pix2pix resnet")]
    [InlineData("pix2pix instance")]
    [InlineData("derestainer")]
    [InlineData("ceff")]
    public void Node_binding_gives_same_pixels(string name)
    {
        string runner = Runner();
        (MethodConfig config, TorchExecutor torch, OnnxExecutor onnx) = Load(name);
        using (torch)
        using (onnx)
        {
            ImageBatch source = Noise(2, config.InputChannels, Side(config), 2 * Side(config), 9);
            var inputs = new List<object> { Write("source", "float32", source.Values, source.Count, source.Channels, source.Height,
                source.Width) };
            if (onnx.NormalizesByImage)
            {
                int length = onnx.Run(new(source) { Normalization = NormalizationContext.Recorded }).Moments![0]
                    .Layers.Sum(layer => 2 * layer.Mean.Length);
                inputs.AddRange([Write("moments", "float32", new float[2 * length], 2, length),
                    Write("use_moments", "bool", new bool[1], 1)]);
            }
            if (config is DeReStainerConfig)
                inputs.AddRange([Write("given_ihc_logits", "float32", new float[8], 2, 4),
                    Write("use_ihc_logits", "bool", new bool[1], 1)]);
            string list = Path.Combine(folder, "inputs.json"), output = Path.Combine(folder, "image.bin");
            File.WriteAllText(list, JsonSerializer.Serialize(inputs));
            Run("node", [runner, Path.Combine(folder, ModelFolder.OnnxFile), list, "image", output]);
            float[] pixels = new float[new FileInfo(output).Length / sizeof(float)];
            Buffer.BlockCopy(File.ReadAllBytes(output), 0, pixels, 0, pixels.Length * sizeof(float));
            Close(onnx.Run(new(source) { Normalization = NormalizationContext.PerImage }).Image.Values, pixels);
        }
    }

    private object Write<T>(string name, string type, T[] values, params int[] dims) where T : struct
    {
        string file = Path.Combine(folder, $"{name}.bin");
        byte[] raw = new byte[Buffer.ByteLength(values)];
        Buffer.BlockCopy(values, 0, raw, 0, raw.Length);
        File.WriteAllBytes(file, raw);
        return new { name, type, dims, file };
    }

    // ./run-tests installs the binding.
    private static string Runner()
    {
        for (DirectoryInfo? parent = new(AppContext.BaseDirectory); parent is not null; parent = parent.Parent)
            if (Path.Combine(parent.FullName, "onnxruntime-node", "run.js") is var path && File.Exists(path)
                && Directory.Exists(Path.Combine(parent.FullName, "onnxruntime-node", "node_modules"))) return path;
        Assert.Skip("needs the npm package onnxruntime-node, which ./run-tests installs");
        return "";
    }

    private static void Run(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors);
    }

    private static int Side(MethodConfig config) =>
        Math.Max(config.SmallestSize, 32 / config.Upscaling / config.SizeMultiple * config.SizeMultiple);

    private (MethodConfig, TorchExecutor, OnnxExecutor) Load(string name)
    {
        Tinctor.Torch.torch.manual_seed(5);
        MethodConfig config = Configs[name];
        Module<Tensor, Tensor> network = config.CreateGenerator();
        Randomize(network);
        ModelExport.Write(folder, config, network, config.Describe("test"), "");
        string matcher = Path.Combine(folder, ModelFolder.MatcherFile);
        return (config, new(network, config.Inference.Statistics == "batch", Device.CPU, owned: true),
            new(Path.Combine(folder, ModelFolder.OnnxFile), File.Exists(matcher) ? matcher : null, threads: 1));
    }

    // Layers that start at zero, and running statistics, take part.
    private static void Randomize(Module<Tensor, Tensor> network)
    {
        using Guard mode = torch.no_grad();
        foreach ((string name, Tensor tensor) in network.state_dict())
        {
            if (name.EndsWith("running_var")) tensor.uniform_(0.5, 2);
            else if (name.EndsWith("running_mean")) tensor.normal_(0, 0.2);
            else if (tensor.is_floating_point() && tensor.ndim > 1 && tensor.abs().max().item() == 0) tensor.normal_(0, 0.05);
        }
        // The power iteration of training; random vectors would give tiny singular values.
        if (!network.modules().OfType<SpectralNorm>().Any()) return;
        for (int i = 0; i < 3; i++) network.forward(Tinctor.Torch.torch.rand([1, 3, 32, 32]));
    }

    private static void Compare(NetworkOutput expected, NetworkOutput actual)
    {
        Compare(expected.Image, actual.Image);
        Assert.Equal(expected.IhcLogits?.Count, actual.IhcLogits?.Count);
        if (expected.IhcLogits is not null) foreach ((float[] a, float[] b) in expected.IhcLogits.Zip(actual.IhcLogits!)) Close(a, b);
    }

    private static void Compare(ImageBatch expected, ImageBatch actual)
    {
        Assert.Equal((expected.Count, expected.Channels, expected.Height, expected.Width),
            (actual.Count, actual.Channels, actual.Height, actual.Width));
        Close(expected.Values, actual.Values);
    }

    private static void Close(float[] expected, float[] actual)
    {
        float largest = expected.Max(Math.Abs), error = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(error <= 1e-4 * largest, $"the largest difference is {error} of {largest}");
    }

    private static ImageBatch Noise(int count, int channels, int height, int width, int seed)
    {
        var random = new Random(seed);
        var batch = new ImageBatch(count, channels, height, width);
        for (int i = 0; i < batch.Values.Length; i++) batch.Values[i] = (float)((random.NextDouble() * 2) - 1);
        return batch;
    }
}
