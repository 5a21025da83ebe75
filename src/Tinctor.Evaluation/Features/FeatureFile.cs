using Tinctor.Torch;

namespace Tinctor.Evaluation.Features;

/// <summary>Feature network in a file that the user provides: an ONNX file or a TorchScript program.</summary>
internal static class FeatureFile
{
    /// <summary>Whether a path names an ONNX file: it ends in .onnx.</summary>
    public static bool IsOnnx(string path) => Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase);

    /// <summary>Opens the network.</summary>
    /// <exception cref="TinctorException">The file is missing, damaged, or not a network from images to feature vectors.</exception>
    public static FeatureExtractor Open(string path, FeatureInput input, Device device) =>
        IsOnnx(path) ? new OnnxFeatures(path, input, device) : new TorchScriptFeatures(path, input, device);
}
