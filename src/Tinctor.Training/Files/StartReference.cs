using Tinctor.Staining.Models;

namespace Tinctor.Training.Files;

/// <summary>Weights with which a training starts: a run, a model, a checkpoint, or an official checkpoint.</summary>
public sealed record StartReference
{
    /// <summary>File, or folder of a run or model.</summary>
    public string Path { get; init; } = "";

    /// <summary>SHA-256 of the file.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>Creates a reference to a file, or to the file of a folder; a finished run is its model.</summary>
    /// <exception cref="TinctorException">There is no such file, or the folder has no weights.</exception>
    internal static StartReference FromPath(string path)
    {
        string file = path;
        if (Directory.Exists(path))
        {
            file = System.IO.Path.Combine(ModelFolder.Resolve(path), ModelFolder.WeightsFile);
            string checkpoints = System.IO.Path.Combine(path, "checkpoints");
            if (!File.Exists(file) && Directory.Exists(checkpoints))
                file = Directory.GetFiles(checkpoints, "step-*.safetensors").Order(StringComparer.Ordinal).LastOrDefault() ?? file;
            if (!File.Exists(file))
                throw new TinctorException(path, "the folder has no weights of a staining model", "Name a run, a model folder or a file")
                { Option = "StartFrom" };
        }
        return new() { Path = System.IO.Path.GetFullPath(file), Sha256 = Fingerprint.OfFile(file) };
    }
}
