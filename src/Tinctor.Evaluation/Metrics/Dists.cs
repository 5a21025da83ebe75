using System.Security.Cryptography;
using Tinctor.Evaluation.Features;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;

namespace Tinctor.Evaluation.Metrics;

/// <summary>DISTS (Ding et al. 2020) on ONNX Runtime; see <see cref="DistsNetwork"/>. 0 for equal images, lower is better.</summary>
internal static class Dists
{
    private const string Task = "dists", Distance = "distance";

    /// <summary>SHA-256 of the values of alpha and beta (float32, alpha first), as in the authors' repository.</summary>
    private const string Published = "7c2e5100877a8207f0d6754d6cb5611d54dc781cff01124d96f9c8bbbbebb610";

    /// <summary>Opens an ONNX file that <see cref="FromFiles"/> exported.</summary>
    /// <exception cref="TinctorException">The file is damaged, or of another network.</exception>
    public static PairMetric FromOnnx(string path)
    {
        OnnxExternalData.Find(path);
        var network = new OnnxNetwork(path);
        if (network.Metadata("task") == Task && network.Takes(2, [Distance])) return Metric(network);
        network.Dispose();
        throw new TinctorException(path, "not an ONNX file that was exported from the weights of DISTS",
            "Use the weights of torchvision and DISTS");
    }

    /// <summary>Reads the weights from files. They are exported to TRUNK.dists.onnx when they are first used.</summary>
    /// <param name="trunkPath">torchvision's weights of VGG-16.</param>
    /// <param name="weightsPath">The file weights.pt of the official repository.</param>
    /// <exception cref="TinctorException">
    /// A file is damaged or does not hold these weights, or there is no libtorch for the export.
    /// </exception>
    public static PairMetric FromFiles(string trunkPath, string weightsPath)
    {
        WeightsFile trunk = WeightsFile.Open(trunkPath), weights = WeightsFile.Open(weightsPath);
        using var both = new Fingerprint().Add("trunk", trunk.Sha256).Add("weights", weights.Sha256);
        var exported = new ExportedNetwork<DistsNetwork>(trunk, Path.GetFileName(trunkPath) + ".dists.onnx", both.ToHex(), CreateExport,
            network => Metadata(network, trunk, weights));
        return Metric(exported.Open(() => DistsNetwork.FromFiles(trunkPath, weightsPath), 2, [Distance], OnnxDevice.Cpu));
    }

    /// <summary>Function of the ONNX file: from "image" and "reference" [N,3,H,W] in [0,1] to "distance" [N,1,1,1].</summary>
    internal static ExportFunction CreateExport(DistsNetwork network) => new(Task,
        size => [Zeros(size), Zeros(size)], ["image", "reference"], inputs => [network.Distance(inputs[0], inputs[1])], [Distance])
    { Size = new(1, 32, 48), SizeMultiple = 16 };

    private static Tensor Zeros(InputSize size) => torch.zeros([size.Count, 3, size.Height, size.Width]);

    private static PairMetric Metric(OnnxNetwork network) => PairMetric.Create("dists", "DISTS", "", 4, false,
        "deep image structure and texture similarity (Ding et al. 2020), images in [0, 1] at their own size; 0 for equal images; "
            + network.Metadata("weights"),
        (image, reference) => network.Run([ImageBatch.FromImages([image.Image], ValueRange.ZeroToOne),
            ImageBatch.FromImages([reference.Image], ValueRange.ZeroToOne)], Distance)[0].Values[0], "perceptual");

    private static Dictionary<string, string> Metadata(DistsNetwork network, WeightsFile trunk, WeightsFile weights)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Tensor weight in network.ChannelWeights) sha.AppendData(weight.bytes());
        bool published = Convert.ToHexStringLower(sha.GetHashAndReset()) == Published;
        return new()
        {
            ["task"] = Task,
            ["weights"] = $"trunk: {trunk.Describe("").Text}; channel weights: {Path.GetFileName(weights.Path)}, SHA-256 {weights.Sha256}, "
                + $"values are {(published ? "" : "NOT ")}the published ones",
        };
    }
}
