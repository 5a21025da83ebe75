using System.Security.Cryptography;
using Tinctor.Evaluation.Features;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// LPIPS version 0.1 (Zhang et al. 2018) on ONNX Runtime; see <see cref="LpipsNetwork"/>. At least 0, lower is better.
/// </summary>
internal static class Lpips
{
    private const string Task = "lpips", Distance = "distance";

    /// <summary>SHA-256 of the lin weights' values (float32, layer after layer) of version 0.1, as in the authors' repository.</summary>
    private static readonly Dictionary<LpipsNet, string> PublishedLin = new()
    {
        [LpipsNet.Alex] = "718a8b40b0d22f96192d34ab93c0db5c7943558ff6c2407f44812dce2f29b5f4",
        [LpipsNet.Vgg] = "9153a2043dccf3b525d4f13db916e93ef040548ea923b6f2100de5ebac141a78",
        [LpipsNet.Squeeze] = "68f1b1752260e0335c6394983132e210e3ed5c2540e78d239be07671a77130e4",
    };

    /// <summary>LPIPS without weights, which is not computed.</summary>
    public static PairMetric Absent(ValueRange range = ValueRange.MinusOneToOne) => PairMetric.Create(Key(range), "LPIPS", "", 4, false,
        "learned perceptual distance, version 0.1 (Zhang et al. 2018)", (_, _) => double.NaN, "perceptual",
        "needs the ImageNet weights of its network (torchvision) and the weights of its linear layers (lpips/weights/v0.1)");

    /// <summary>Opens an ONNX file that <see cref="FromFiles"/> exported.</summary>
    /// <param name="net">Backbone network.</param>
    /// <param name="path">The file.</param>
    /// <param name="range">
    /// Range of the images at the network's input. LPIPS takes [-1, 1]; the code of super-resolved virtual staining passes [0, 1].
    /// </param>
    /// <exception cref="TinctorException">The file is damaged, or of another network.</exception>
    public static PairMetric FromOnnx(LpipsNet net, string path, ValueRange range = ValueRange.MinusOneToOne)
    {
        OnnxExternalData.Find(path);
        var network = new OnnxNetwork(path);
        if (network.Metadata("task") == Task && network.Metadata("network") == Name(net) && network.Takes(2, [Distance]))
            return Metric(net, network, range);
        network.Dispose();
        throw new TinctorException(path, $"not an ONNX file that was exported from the weights of LPIPS with {Name(net)}",
            "Choose the network of the file, or use the weights of torchvision and LPIPS");
    }

    /// <summary>Reads the weights from files. They are exported to TRUNK.lpips-NET.onnx when they are first used.</summary>
    /// <param name="net">Backbone network.</param>
    /// <param name="trunkPath">Keys of torchvision (<c>features.0.weight</c>) or of lpips (<c>net.slice1.0.weight</c>).</param>
    /// <param name="linPath">Keys of lpips: <c>lin0.model.1.weight</c> or <c>lins.0.model.1.weight</c>.</param>
    /// <param name="range">Range of the images at the network's input; see <see cref="FromOnnx"/>.</param>
    /// <exception cref="TinctorException">
    /// A file is damaged or does not hold the weights of this network, or there is no libtorch for the export.
    /// </exception>
    public static PairMetric FromFiles(LpipsNet net, string trunkPath, string linPath, ValueRange range = ValueRange.MinusOneToOne)
    {
        WeightsFile trunkFile = WeightsFile.Open(trunkPath), linFile = WeightsFile.Open(linPath);
        using var both = new Fingerprint().Add("trunk", trunkFile.Sha256).Add("lin", linFile.Sha256);
        var exported = new ExportedNetwork<LpipsNetwork>(trunkFile, $"{Path.GetFileName(trunkPath)}.lpips-{Name(net)}.onnx", both.ToHex(),
            network => CreateExport(net, network), network => Metadata(net, network, trunkFile, linFile));
        return Metric(net, exported.Open(() => LpipsNetwork.FromFiles(net, trunkPath, linPath), 2, [Distance], OnnxDevice.Cpu),
            range);
    }

    /// <summary>
    /// Function of the ONNX file: from "image" and "reference" [N,3,H,W] in [-1,1] to "distance" [N,1,1,1] and its layers.
    /// </summary>
    internal static ExportFunction CreateExport(LpipsNet net, LpipsNetwork network) => new(Task,
        size => [Zeros(size), Zeros(size)], ["image", "reference"], inputs =>
        {
            IReadOnlyList<Tensor> layers = network.Layers(inputs[0], inputs[1]);
            return [layers.Aggregate((sum, layer) => sum + layer), .. layers];
        }, [Distance, .. LpipsTrunk.Channels(net).Select((_, i) => $"layer{i}")])
    { Size = new(1, 64, 96), SizeMultiple = 32 };

    private static Tensor Zeros(InputSize size) => torch.zeros([size.Count, 3, size.Height, size.Width]);

    private static string Name(LpipsNet net) => net.ToString().ToLowerInvariant();

    private static string Key(ValueRange range) => range == ValueRange.ZeroToOne ? "lpips_unit" : "lpips";

    private static PairMetric Metric(LpipsNet net, OnnxNetwork network, ValueRange range)
    {
        string interval = range == ValueRange.ZeroToOne ? "[0, 1]" : "[-1, 1]";
        string title = range == ValueRange.ZeroToOne ? $"LPIPS ({Name(net)}, [0, 1])" : $"LPIPS ({Name(net)})";
        return PairMetric.Create(Key(range), title, "", 4, false,
            $"learned perceptual distance, version 0.1 (Zhang et al. 2018), images in {interval} at their own size; "
                + network.Metadata("weights"),
            (image, reference) => network.Run([ImageBatch.FromImages([image.Image], range),
                ImageBatch.FromImages([reference.Image], range)],
                Distance)[0].Values[0], "perceptual");
    }

    private static Dictionary<string, string> Metadata(LpipsNet net, LpipsNetwork network, WeightsFile trunk, WeightsFile lin)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Tensor weight in network.LinearWeights) sha.AppendData(weight.bytes());
        bool published = Convert.ToHexStringLower(sha.GetHashAndReset()) == PublishedLin[net];
        string values = published ? "the published ones of version 0.1" : "NOT the published ones of version 0.1";
        return new()
        {
            ["task"] = Task,
            ["network"] = Name(net),
            ["weights"] = $"trunk: {trunk.Describe("").Text}; lin weights: {lin.Describe("").Text.Split(", not among")[0]}, "
                + $"values are {values}",
        };
    }
}
