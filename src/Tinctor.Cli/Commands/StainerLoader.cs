using System.CommandLine;
using Google.Protobuf;
using Onnx;
using Tinctor.Staining;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Graphs;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Training;
using Tinctor.Training.Execution;
using Tinctor.Training.Export;

namespace Tinctor.Cli.Commands;

/// <summary>Engine that runs networks.</summary>
internal enum Engine
{
    /// <summary>ONNX Runtime.</summary>
    Onnx,

    /// <summary>libtorch.</summary>
    Torch,
}

/// <summary>Number format of networks.</summary>
internal enum Precision
{
    /// <summary>The faster of float32 and the 16 bits that the device computes in, if a test of the model shows no loss.</summary>
    Auto,

    /// <summary>32 bits.</summary>
    Float32,

    /// <summary>bfloat16 where it is safe, on libtorch.</summary>
    Bfloat16,

    /// <summary>float16, on a GPU of ONNX Runtime.</summary>
    Float16,

    /// <summary>Convolutions in 8-bit integers, on ONNX Runtime.</summary>
    Int8,
}

/// <summary>Options of a command that runs a staining model, and the loading of the model on the engine they name.</summary>
internal sealed class StainerLoader
{
    private readonly Option<Engine?> executor = Words.Optional<Engine>("--executor",
        "ONNX Runtime or libtorch [default: onnx; torch for bfloat16 and its GPUs]");

    private readonly Option<string> device = CommonOptions.Device();
    private readonly Option<Precision> precision =
        Words.Option("--precision", "bfloat16 with torch; int8, on a GPU float16, with onnx; auto after a test",
            Precision.Float32);
    private readonly Option<bool> amp = CommonOptions.Amp();
    private readonly Option<int> threads = Cli.Threads.Option();

    /// <summary>All options, for the help.</summary>
    public IReadOnlyList<Option> Options => [executor, device, precision, amp, threads];

    /// <summary>Loads a model, and notes the engine, the device and the reason.</summary>
    /// <param name="parse">The parsed command line.</param>
    /// <param name="model">Model folder or run folder.</param>
    /// <param name="images">Images and slides to stain, which int8 is calibrated on.</param>
    /// <exception cref="TinctorException">The folder holds no model, or the engine does not support the device or precision.</exception>
    public Stainer Load(ParseResult parse, string model, IReadOnlyList<ImageJob> images)
    {
        string wanted = parse.GetRequiredValue(device);
        if (parse.GetValue(amp) && parse.GetResult(precision) is { Implicit: false } && parse.GetValue(precision) != Precision.Bfloat16)
            throw new OptionException("Precision", "--amp is given, which computes in bfloat16", "Leave one of them out");
        Precision format = parse.GetValue(amp) ? Precision.Bfloat16 : parse.GetValue(precision);
        var request = new Request(model, images, parse.GetValue(executor), wanted, Threads.Count(parse.GetValue(threads)));
        Loaded loaded = format == Precision.Auto ? LoadFastest(request) : Load(request, format);
        Terminal.Note(loaded.Description);
        return loaded.Stainer;
    }

    // Compares float32 with the 16 bits that the same device computes in, once for each model and computer.
    private static Loaded LoadFastest(Request request)
    {
        Loaded float32 = Load(request, Precision.Float32);
        if (float32.Reduced is not { } format)
        {
            Terminal.Note("precision: float32, because the device has no faster format of 16 bits");
            return float32;
        }
        Loaded reduced = LoadOn(float32.Engine, request, format, float32.Reason);
        string folder = ModelFolder.Resolve(request.Model);
        PrecisionTest? test = PrecisionTest.Read(folder, reduced.Stainer);
        if (test is null)
        {
            test = PrecisionTest.Run(float32.Stainer, reduced.Stainer, SampleTiles.Read(float32.Stainer.Model, request.Images));
            test.Write(folder);
        }
        (Loaded chosen, Loaded other) = test.IsPassed ? (reduced, float32) : (float32, reduced);
        other.Stainer.Dispose();
        Terminal.Note($"precision: {Words.Of(test.IsPassed ? format : Precision.Float32)}, because {Words.Of(format)} {test}");
        return chosen;
    }

    private static Loaded Load(Request request, Precision format)
    {
        (Engine engine, string reason) = Choose(request.Executor, request.Device, format);
        return LoadOn(engine, request, format, reason);
    }

    private static Loaded LoadOn(Engine engine, Request request, Precision format, string reason) =>
        engine == Engine.Torch ? LoadTorch(request, format, reason) : LoadOnnx(request, format, reason);

    private static Loaded LoadOnnx(Request request, Precision format, string reason)
    {
        (string model, int count) = (request.Model, request.Threads);
        OnnxDevice device = ChooseDevice(request.Device, format);
        Stainer? stainer = OnnxModel.TryLoad(model, device, count, FileOf(format));
        bool isReduced = format != Precision.Float32, isReady = stainer is not null;
        if (!isReady && isReduced) stainer = OnnxModel.TryLoad(model, device, count);
        if (stainer is null)
        {
            try
            {
                Export(model);
            }
            catch (TinctorException e) when (request.Executor is null && ModelFolder.HasWeights(model)
                && !TorchLibrary.IsMissing(e.InnerException))
            {
                return LoadTorch(request, format, e.Problem);
            }
            stainer = OnnxModel.LoadStainer(model, device, count);
        }
        bool onCpu = device.Name == "cpu";
        return new(isReady || !isReduced ? stainer : Reduce(stainer, model, request.Images, device, format, count), Engine.Onnx,
            reason, onCpu ? null : Precision.Float16,
            $"executor: onnx ({reason}), {device}, {Words.Of(format)}{(onCpu ? $", {count} threads" : "")}");
    }

    private static string FileOf(Precision format) => format switch
    {
        Precision.Int8 => ModelFolder.Int8File,
        Precision.Float16 => ModelFolder.Float16File,
        _ => ModelFolder.OnnxFile,
    };

    // The device of ONNX Runtime for a number format.
    private static OnnxDevice ChooseDevice(string wanted, Precision format)
    {
        if (format == Precision.Bfloat16)
            throw new OptionException("Executor", "onnx does not compute in bfloat16", "Use --executor torch, or another precision");
        OnnxDevice chosen = wanted == "auto" ? new(OnnxDevice.Available[0]) : OnnxDevice.Parse(wanted);
        return format != Precision.Float16 || chosen.Name != "cpu" ? chosen
            : throw new OptionException("Precision", "float16 is for GPUs, and the device is the CPU",
                "Use float32 or int8, or another device");
    }

    // Writes the network in a smaller number format, once, and loads it.
    private static Stainer Reduce(Stainer float32, string model, IReadOnlyList<ImageJob> images, OnnxDevice device, Precision format,
        int threads)
    {
        using (float32)
        {
            if (format == Precision.Int8) Int8Model.Write(model, float32, images);
            else WriteFloat16(model, float32.ModelId);
        }
        return OnnxModel.LoadStainer(model, device, threads, FileOf(format));
    }

    private static void WriteFloat16(string model, string id)
    {
        string folder = ModelFolder.Resolve(model);
        ModelProto network = Float16Conversion.Run(OnnxFile.Read(Path.Combine(folder, ModelFolder.OnnxFile)));
        OnnxFile.SetMetadata(network, "weights_sha256", id);
        OnnxFile.SetMetadata(network, "precision", "float16");
        AtomicFile.Write(Path.Combine(folder, ModelFolder.Float16File), stream => network.WriteTo(stream));
    }

    private static (Engine Engine, string Reason) Choose(Engine? wanted, string device, Precision format) => (wanted, device, format) switch
    {
        ({ } engine, _, _) => (engine, "as --executor states"),
        (_, _, Precision.Bfloat16) => (Engine.Torch, "bfloat16 needs libtorch"),
        (_, not ("auto" or "cpu"), _) when !OnnxDevice.Available.Contains(device.Split(':')[0]) && device.StartsWith("cuda") =>
            (Engine.Torch, $"the installed ONNX Runtime supports {string.Join(", ", OnnxDevice.Available)} only"),
        (_, "auto", Precision.Float32) when OnnxDevice.Available.Count == 1 && TorchLibrary.HasGpu() =>
            (Engine.Torch, "libtorch finds a GPU, and the installed ONNX Runtime supports none"),
        _ => (Engine.Onnx, "the default"),
    };

    private static void Export(string model)
    {
        Terminal.Note($"{model}: exporting the network to {ModelFolder.OnnxFile}, once");
        try
        {
            TrainedModel.Export(model);
        }
        catch (Exception e) when (TorchLibrary.IsMissing(e))
        {
            throw new TinctorException(model, $"has no {ModelFolder.OnnxFile} of its weights, and there is no libtorch to export it with",
                "Run \"tinctor export\" on a machine with libtorch, and copy the folder", e);
        }
    }

    private static Loaded LoadTorch(Request request, Precision format, string reason)
    {
        if (format is Precision.Float16 or Precision.Int8)
            throw new OptionException("Executor", $"torch does not compute in {Words.Of(format)}",
                "Use --executor onnx, or another precision");
        if (!ModelFolder.HasWeights(request.Model))
            throw new TinctorException(request.Model, $"has a network in ONNX only, without {ModelFolder.WeightsFile}",
                "Use --executor onnx");
        torch.set_num_threads(request.Threads);
        (Device device, string description) = DeviceChoice.Resolve(request.Device);
        return new(TrainedModel.LoadStainer(request.Model, device, format == Precision.Bfloat16), Engine.Torch,
            reason, device.type == DeviceType.CPU && !SystemInfo.HasBfloat16 ? null : Precision.Bfloat16,
            $"executor: torch ({reason}), {description}, {Words.Of(format)}");
    }

    // Model and options of the command line.
    private sealed record Request(string Model, IReadOnlyList<ImageJob> Images, Engine? Executor, string Device, int Threads);

    // A loaded model, the reason for its engine, and the format of 16 bits that the engine computes in on its device
    // (null if there is none).
    private sealed record Loaded(Stainer Stainer, Engine Engine, string Reason, Precision? Reduced, string Description);
}
