using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Training.Files;

/// <summary>File of tensors by name.</summary>
internal static class StateDictFile
{
    /// <summary>Loads the tensors of a .safetensors, .pth or .pt file.</summary>
    /// <exception cref="TinctorException">The file has no tensors, or is damaged.</exception>
    public static OrderedDictionary<string, Tensor> Load(string path) =>
        Path.GetExtension(path) == ".safetensors" ? SafeTensors.Load(path) : PthReader.LoadStateDict(path);
}
