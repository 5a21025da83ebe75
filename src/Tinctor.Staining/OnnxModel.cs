using Tinctor.Staining.Execution;
using Tinctor.Staining.Models;

namespace Tinctor.Staining;

/// <summary>ONNX files of a model folder; staining with them needs no libtorch.</summary>
internal static class OnnxModel
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
    /// <param name="device">The device; null for the CPU.</param>
    /// <param name="threads">Number of threads of one operator on the CPU; 0 for all cores.</param>
    /// <param name="file">Name of the network's file.</param>
    /// <exception cref="TinctorException">
    /// The folder holds no model, its ONNX files are missing, or they belong to other weights.
    /// </exception>
    public static Stainer LoadStainer(string folder, OnnxDevice? device = null, int threads = 0, string file = ModelFolder.OnnxFile)
    {
        string path = Path.Combine(ModelFolder.Resolve(folder), file),
            matcher = Path.Combine(ModelFolder.Resolve(folder), ModelFolder.MatcherFile);
        if (ModelFolder.Read(folder) is not { } model || !File.Exists(path))
            throw new TinctorException(folder, $"has no {file}", "Export the model to ONNX on a machine with libtorch");
        string id = ModelFolder.Sha256(folder);
        var executor = new OnnxExecutor(path, File.Exists(matcher) ? matcher : null, device, threads);
        if (!ModelFolder.HasWeights(folder) || executor.WeightsSha256 == id)
            return new(executor, model, id, ModelFolder.ReadNovelty(folder));
        executor.Dispose();
        throw new TinctorException(path, $"was exported from other weights than {ModelFolder.WeightsFile}", "Export the model again");
    }
}
