using System.IO.Compression;
using System.Text.RegularExpressions;
using Tinctor.Evaluation.Sections;
using Tinctor.Torch;
using Tinctor.Training.Files;

namespace Tinctor.Evaluation.Features;

/// <summary>File of weights, and whether it is a published one.</summary>
public sealed partial class WeightsFile
{
    /// <summary>
    /// Published files by the first eight digits of their SHA-256, which are part of the file names in torchvision and pytorch-fid.
    /// </summary>
    private static readonly Dictionary<string, string> Published = new()
    {
        ["6726825d"] = "pt_inception-2015-12-05-6726825d.pth of pytorch-fid",
        ["7be5be79"] = "alexnet-owt-7be5be79.pth of torchvision",
        ["4df8aa71"] = "alexnet-owt-4df8aa71.pth of torchvision before 0.11",
        ["397923af"] = "vgg16-397923af.pth of torchvision",
        ["b8a52dc0"] = "squeezenet1_1-b8a52dc0.pth of torchvision",
        ["f364aa15"] = "squeezenet1_1-f364aa15.pth of torchvision before 0.11",
    };

    private WeightsFile(string path, string sha256) => (Path, Sha256) = (path, sha256);

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>SHA-256 of the file, lower case.</summary>
    public string Sha256 { get; }

    /// <summary>Name of the published file; null if the file is not a known one.</summary>
    public string? KnownAs => Published.GetValueOrDefault(Sha256[..8]);

    /// <summary>Opens a file and computes its hash.</summary>
    /// <exception cref="TinctorException">The file is missing, or its name holds the digits of another hash.</exception>
    public static WeightsFile Open(string path)
    {
        string sha256 = Fingerprint.OfFile(path);
        Match promised = HashInName().Match(System.IO.Path.GetFileName(path));
        if (promised.Success && !sha256.StartsWith(promised.Groups[1].Value, StringComparison.Ordinal))
            throw new TinctorException(path, $"its SHA-256 begins with {sha256[..8]}, but its name says {promised.Groups[1].Value}",
                "Download the file again.");
        return new(path, sha256);
    }

    /// <summary>Whether this is a TorchScript program rather than a file of tensors.</summary>
    public bool IsTorchScript
    {
        get
        {
            try
            {
                using ZipArchive zip = ZipFile.OpenRead(Path);
                return zip.Entries.Any(entry => entry.FullName.Contains("/code/", StringComparison.Ordinal));
            }
            catch (InvalidDataException)
            {
                return false;
            }
        }
    }

    /// <summary>Loads the tensors of a .safetensors or .pth file by name.</summary>
    /// <exception cref="TinctorException">The file has no tensors, or is damaged.</exception>
    public IReadOnlyDictionary<string, Tensor> LoadStateDict() => StateDictFile.Load(Path);

    /// <summary>Describes the file for reports: name, hash, and whether it is a published one.</summary>
    internal Definition Describe(string what) => new(what, $"{System.IO.Path.GetFileName(Path)}, SHA-256 {Sha256}, "
        + (KnownAs is null ? "not among the published files that Tinctor knows" : $"the published {KnownAs}"));

    [GeneratedRegex(@"-([0-9a-f]{8})\.\w+$")]
    private static partial Regex HashInName();
}
