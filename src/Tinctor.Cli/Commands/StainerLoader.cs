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
        Words.Option("--precision", "bfloat16 with torch; int8, and float16 on a GPU, with onnx",
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
        int count = Threads.Count(parse.GetValue(threads));
        (Engine engine, string reason) = Choose(parse.GetValue(executor), wanted, format);
        if (engine == Engine.Torch) return LoadTorch(model, wanted, format, count, reason);
        OnnxDevice chosen = ChooseDevice(wanted, format);
        string description = $"executor: onnx ({reason}), {chosen}, {Words.Of(format)}{(chosen.Name == "cpu" ? $", {count} threads" : "")}";
        Stainer? stainer = OnnxModel.TryLoad(model, chosen, count, FileOf(format));
        bool isReduced = format != Precision.Float32, isReady = stainer is not null;
        if (!isReady && isReduced) stainer = OnnxModel.TryLoad(model, chosen, count);
        if (stainer is null)
        {
            try
            {
                Export(model);
            }
            catch (TinctorException e) when (parse.GetValue(executor) is null && ModelFolder.HasWeights(model)
                && !TorchLibrary.IsMissing(e.InnerException))
            {
                return LoadTorch(model, wanted, format, count, e.Problem);
            }
            stainer = OnnxModel.LoadStainer(model, chosen, count);
        }
        Terminal.Note(description);
        return isReady || !isReduced ? stainer : Reduce(stainer, model, images, chosen, format, count);
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

    private static Stainer LoadTorch(string model, string device, Precision format, int threads, string reason)
    {
        if (format is Precision.Float16 or Precision.Int8)
            throw new OptionException("Executor", $"torch does not compute in {Words.Of(format)}",
                "Use --executor onnx, or another precision");
        if (!ModelFolder.HasWeights(model))
            throw new TinctorException(model, $"has a network in ONNX only, without {ModelFolder.WeightsFile}", "Use --executor onnx");
        torch.set_num_threads(threads);
        (Device found, string description) = DeviceChoice.Resolve(device);
        Terminal.Note($"executor: torch ({reason}), {description}, {Words.Of(format)}");
        return TrainedModel.LoadStainer(model, found, format == Precision.Bfloat16);
    }
}
