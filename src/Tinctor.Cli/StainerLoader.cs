using System.CommandLine;
using Tinctor.Staining;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Training;
using Tinctor.Training.Execution;

namespace Tinctor.Cli;

/// <summary>Engine that runs networks.</summary>
internal enum Engine
{
    /// <summary>ONNX Runtime, on the CPU.</summary>
    Onnx,

    /// <summary>libtorch, on any of its devices.</summary>
    Torch,
}

/// <summary>Loads models for staining on the engine that the options name, and notes which it is and why.</summary>
internal static class StainerLoader
{
    /// <summary>Creates --executor.</summary>
    public static Option<Engine> Option() =>
        Words.Option("--executor", "torch (libtorch) or onnx (ONNX Runtime, on the CPU)", Engine.Torch);

    /// <summary>Loads a model.</summary>
    /// <param name="model">Model folder or run folder.</param>
    /// <param name="engine">The engine.</param>
    /// <param name="device">Value of --device.</param>
    /// <param name="amp">Whether --amp is given.</param>
    /// <param name="threads">Number of threads.</param>
    /// <exception cref="TinctorException">The folder holds no model, or the engine does not support the device or precision.</exception>
    public static Stainer Load(string model, Engine engine, string device, bool amp, int threads)
    {
        if (engine == Engine.Torch) return LoadTorch(model, device, amp, threads);
        if (amp || device is not ("auto" or "cpu"))
            throw new OptionException("Executor",
                $"onnx computes on the CPU in float32, but {(amp ? "--amp" : $"--device {device}")} is given",
                "Use --executor torch, or leave one of them out");
        return LoadOnnx(model, threads);
    }

    private static Stainer LoadOnnx(string model, int threads)
    {
        if (!OnnxModel.IsCurrent(model))
        {
            Terminal.Note($"{model}: exporting the network to {ModelFolder.OnnxFile}, once");
            TrainedModel.Export(model);
        }
        Terminal.Note($"executor: onnx (ONNX Runtime), cpu, {threads} threads");
        return OnnxModel.LoadStainer(model, threads);
    }

    private static Stainer LoadTorch(string model, string device, bool amp, int threads)
    {
        torch.set_num_threads(threads);
        (Device found, string reason) = DeviceChoice.Resolve(device);
        Terminal.Note($"device: {reason}");
        return TrainedModel.LoadStainer(model, found, amp);
    }
}
