using Google.Protobuf;
using Onnx;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Export;

namespace Tinctor.Evaluation.Features;

/// <summary>
/// Networks with weights in files of PyTorch, exported to ONNX once: libtorch reads the weights and writes the ONNX file beside them, which
/// then runs without libtorch.
/// </summary>
/// <param name="Weights">File of the weights, in whose folder the ONNX file is.</param>
/// <param name="Name">Name of the ONNX file.</param>
/// <param name="Sha256">SHA-256 that identifies all weights; an ONNX file of others is replaced.</param>
/// <param name="Function">Creates the function of a loaded network.</param>
/// <param name="Metadata">Properties of the ONNX file, besides weights_sha256.</param>
internal sealed record ExportedNetwork<TNetwork>(WeightsFile Weights, string Name, string Sha256, Func<TNetwork, ExportFunction> Function,
    Func<TNetwork, IReadOnlyDictionary<string, string>> Metadata) where TNetwork : Module
{
    /// <summary>Opens the ONNX file; exports the network if there is none of these weights.</summary>
    /// <param name="load">Loads the network on libtorch, on the CPU and in evaluation mode.</param>
    /// <param name="inputs">Number of images that the network takes.</param>
    /// <param name="outputs">Outputs that the file must have.</param>
    /// <param name="device">The device.</param>
    /// <exception cref="TinctorException">
    /// The file is damaged, or the network must be exported and there is no libtorch, or the weights do not fit.
    /// </exception>
    public OnnxNetwork Open(Func<TNetwork> load, int inputs, IReadOnlyList<string> outputs, OnnxDevice device)
    {
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Weights.Path))!, Name);
        try
        {
            if (OnnxNetwork.OpenExported(path, Sha256, outputs, device, inputs) is { } present) return present;
        }
        catch (TinctorException e)
        {
            throw new TinctorException(e.File, e.Problem, "Delete the file; it is written again from the weights", e);
        }
        byte[] model = Export(load);
        try
        {
            AtomicFile.Write(path, stream => stream.Write(model));
        }
        catch (TinctorException)
        {
            // In a folder that cannot be written to, the network is exported each time.
            return new(path, model, device);
        }
        return new(path, device);
    }

    private byte[] Export(Func<TNetwork> load)
    {
        try
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using TNetwork network = load();
            ModelProto model = OnnxExporter.Export(network, Function(network),
                new Dictionary<string, string>(Metadata(network)) { ["weights_sha256"] = Sha256 });
            return model.ToByteArray();
        }
        catch (Exception e) when (TorchLibrary.IsMissing(e))
        {
            throw new TinctorException(Weights.Path,
                $"weights of PyTorch without the file {Name} beside them, and there is no libtorch to write it",
                $"Evaluate with these weights on a machine with libtorch, and copy {Name} from there", e);
        }
    }
}
