using Tinctor.Staining.Execution;
using Tinctor.Staining.Models;

namespace Tinctor.Staining;

/// <summary>ONNX files of a model folder; staining with them needs no libtorch.</summary>
public static class OnnxModel
{
    /// <summary>Whether a model folder, or the model of a run folder, has ONNX files of its present weights.</summary>
    /// <exception cref="TinctorException">The folder holds no model, or the file is damaged.</exception>
    public static bool IsCurrent(string folder)
    {
        ModelDescription? model = ModelFolder.Read(folder);
        string path = Path.Combine(ModelFolder.Resolve(folder), ModelFolder.OnnxFile);
        return model is not null && File.Exists(path)
            && (!ModelFolder.HasWeights(folder) || OnnxExecutor.ReadWeightsSha256(path) == ModelFolder.Sha256(folder));
    }

    /// <summary>Loads a model folder, or the model of a run folder, for staining on ONNX Runtime.</summary>
    /// <param name="folder">Model folder or run folder.</param>
    /// <param name="device">cpu, cuda, cuda:N, dml, dml:N or coreml, as the package of ONNX Runtime supports.</param>
    /// <param name="threads">Number of threads of one operator on the CPU; 0 for all cores.</param>
    /// <exception cref="TinctorException">
    /// The folder holds no model, its ONNX files are missing, or they belong to other weights.
    /// </exception>
    /// <exception cref="OptionException">There is no such device, or the package does not support it.</exception>
    public static Stainer LoadStainer(string folder, string device = "cpu", int threads = 0) =>
        LoadStainer(folder, OnnxDevice.Parse(device), threads);

    /// <summary>Loads a model folder, or the model of a run folder, for staining on ONNX Runtime.</summary>
    /// <param name="folder">Model folder or run folder.</param>
    /// <param name="device">The device.</param>
    /// <param name="threads">Number of threads of one operator on the CPU; 0 for all cores.</param>
    /// <param name="file">Name of the network's file.</param>
    /// <exception cref="TinctorException">
    /// The folder holds no model, its ONNX files are missing, or they belong to other weights.
    /// </exception>
    internal static Stainer LoadStainer(string folder, OnnxDevice device, int threads = 0, string file = ModelFolder.OnnxFile)
    {
        if (TryLoad(folder, device, threads, file) is { } stainer) return stainer;
        string path = Path.Combine(ModelFolder.Resolve(folder), file);
        throw ModelFolder.Read(folder) is not null && File.Exists(path)
            ? new TinctorException(path, $"was exported from other weights than {ModelFolder.WeightsFile}", "Export the model again")
            : new TinctorException(folder, $"has no {file}", "Export the model to ONNX on a machine with libtorch");
    }

    /// <summary>Loads a model if its network's file is there and belongs to its present weights; null otherwise.</summary>
    /// <param name="folder">Model folder or run folder.</param>
    /// <param name="device">The device.</param>
    /// <param name="threads">Number of threads of one operator on the CPU; 0 for all cores.</param>
    /// <param name="file">Name of the network's file.</param>
    /// <exception cref="TinctorException">The folder holds no model, or the file is damaged.</exception>
    internal static Stainer? TryLoad(string folder, OnnxDevice device, int threads, string file = ModelFolder.OnnxFile)
    {
        string path = Path.Combine(ModelFolder.Resolve(folder), file),
            matcher = Path.Combine(ModelFolder.Resolve(folder), ModelFolder.MatcherFile);
        if (ModelFolder.Read(folder) is not { } model || !File.Exists(path)) return null;
        string id = ModelFolder.Sha256(folder);
        var executor = new OnnxExecutor(path, File.Exists(matcher) ? matcher : null, device, threads);
        // A network without other weights is the model itself.
        if (executor.WeightsSha256 == id || (file == ModelFolder.OnnxFile && !ModelFolder.HasWeights(folder)))
            return new(executor, model, id, ModelFolder.ReadNovelty(folder));
        executor.Dispose();
        return null;
    }
}
