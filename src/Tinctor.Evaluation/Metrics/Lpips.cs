using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Tinctor.Evaluation.Features;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// LPIPS version 0.1 (Zhang et al. 2018, lpips.LPIPS): at each tapped layer, features of both images are normalised to unit length across
/// channels, their squared difference is weighted by the learnt lin layer and averaged over the image; the layers are summed. At least 0,
/// lower is better.
/// </summary>
public sealed partial class Lpips : IDisposable
{
    private static readonly double[] Shift = [-0.030, -0.088, -0.188], Scale = [0.458, 0.448, 0.450];

    /// <summary>SHA-256 of the lin weights' values (float32, layer after layer) of version 0.1, as in the authors' repository.</summary>
    private static readonly Dictionary<LpipsNet, string> PublishedLin = new()
    {
        [LpipsNet.Alex] = "718a8b40b0d22f96192d34ab93c0db5c7943558ff6c2407f44812dce2f29b5f4",
        [LpipsNet.Vgg] = "9153a2043dccf3b525d4f13db916e93ef040548ea923b6f2100de5ebac141a78",
        [LpipsNet.Squeeze] = "68f1b1752260e0335c6394983132e210e3ed5c2540e78d239be07671a77130e4",
    };

    private readonly LpipsNet net;
    private readonly LpipsTrunk trunk;
    private readonly Tensor[] lin;
    private readonly Tensor shift, scale;

    /// <summary>Creates the metric from weights.</summary>
    /// <param name="net">Backbone network.</param>
    /// <param name="trunkWeights">Keys of torchvision (<c>features.0.weight</c>) or of lpips (<c>net.slice1.0.weight</c>).</param>
    /// <param name="linWeights">Keys of lpips: <c>lin0.model.1.weight</c> or <c>lins.0.model.1.weight</c>, [1, C, 1, 1] each.</param>
    /// <exception cref="TinctorException">A weight is missing or has another shape.</exception>
    public Lpips(LpipsNet net, IReadOnlyDictionary<string, Tensor> trunkWeights, IReadOnlyDictionary<string, Tensor> linWeights)
    {
        this.net = net;
        trunk = new LpipsTrunk(net);
        trunk.eval();
        trunk.load_state_dict(trunkWeights.Select(w => (Match: TrunkKey().Match(w.Key), w.Value)).Where(w => w.Match.Success)
            .ToDictionary(w => w.Match.Groups[1].Value, w => w.Value));
        lin = [.. LpipsTrunk.Channels(net).Select((channels, layer) => Lin(linWeights, layer, channels).DetachFromDisposeScope())];
        shift = torch.tensor<float>([.. Shift.Select(v => (float)v)], [1, 3, 1, 1]).DetachFromDisposeScope();
        scale = torch.tensor<float>([.. Scale.Select(v => (float)v)], [1, 3, 1, 1]).DetachFromDisposeScope();
    }

    /// <summary>LPIPS without weights, which is not computed.</summary>
    public static PairMetric Absent { get; } = PairMetric.Create("lpips", "LPIPS", "", 4, false,
        "learned perceptual distance, version 0.1 (Zhang et al. 2018)", (_, _) => double.NaN, "perceptual",
        "needs the ImageNet weights of its network (torchvision) and the weights of its linear layers (lpips/weights/v0.1)");

    /// <summary>Reads the weights from files.</summary>
    /// <exception cref="TinctorException">A file is damaged or does not hold the weights of this network.</exception>
    internal static PairMetric FromFiles(LpipsNet net, string trunkPath, string linPath)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        WeightsFile trunkFile = WeightsFile.Open(trunkPath), linFile = WeightsFile.Open(linPath);
        Lpips lpips;
        try
        {
            lpips = new Lpips(net, trunkFile.LoadStateDict(), linFile.LoadStateDict());
        }
        catch (TinctorException e)
        {
            throw new TinctorException(
                $"{trunkPath}, {linPath}", $"not the weights of LPIPS with {net.ToString().ToLowerInvariant()}: {e.Message}",
                "Use torchvision's weights of this network and the linear weights published with LPIPS 0.1", e);
        }
        string lin = lpips.LinHash() == PublishedLin[net] ? "the published ones of version 0.1" : "NOT the published ones of version 0.1";
        return PairMetric.Create("lpips", $"LPIPS ({net.ToString().ToLowerInvariant()})", "", 4, false,
            "learned perceptual distance, version 0.1 (Zhang et al. 2018), images in [-1, 1] at their own size; "
            + $"trunk: {trunkFile.Describe("").Text}; lin weights: {linFile.Describe("").Text.Split(", not among")[0]}, values are {lin}",
            lpips.Compute, "perceptual");
    }

    private double Compute(ScoredImage image, ScoredImage reference)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        Tensor Batch(ScoredImage scored) => scored.Image.ToTensor(ValueRange.MinusOneToOne).unsqueeze(0);
        return Distance(Batch(image), Batch(reference)).item();
    }

    /// <summary>Distances [N, 1, 1, 1] of images [N, 3, H, W] in [-1, 1]; differentiable.</summary>
    public Tensor Distance(Tensor first, Tensor second) => Layers(first, second).Aggregate((sum, layer) => sum + layer);

    /// <summary>Computes the distance of each layer, [N, 1, 1, 1].</summary>
    public IReadOnlyList<Tensor> Layers(Tensor first, Tensor second)
    {
        IReadOnlyList<Tensor> a = trunk.forward((first - shift) / scale), b = trunk.forward((second - shift) / scale);
        return [.. lin.Select((weight, i) =>
            F.conv2d((UnitLength(a[i]) - UnitLength(b[i])).pow(2), weight).mean([2, 3], keepdim: true))];
    }

    private static Tensor UnitLength(Tensor x) => x / (x.pow(2).sum([1], keepdim: true).sqrt() + 1e-10);

    private static Tensor Lin(IReadOnlyDictionary<string, Tensor> weights, int layer, int channels)
    {
        Tensor? weight = weights.GetValueOrDefault($"lin{layer}.model.1.weight")
            ?? weights.GetValueOrDefault($"lins.{layer}.model.1.weight");
        return weight is null ? throw new TinctorException($"lin{layer}.model.1.weight is missing")
            : weight.shape is [1, var c, 1, 1] && c == channels ? weight.to(ScalarType.Float32).clone()
            : throw new TinctorException($"lin{layer}.model.1.weight is not [1, {channels}, 1, 1]");
    }

    internal string LinHash()
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Tensor weight in lin) sha.AppendData(weight.bytes());
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }

    /// <summary>Frees the network.</summary>
    public void Dispose()
    {
        trunk.Dispose();
        foreach (Tensor tensor in lin.Append(shift).Append(scale)) tensor.Dispose();
    }

    [GeneratedRegex(@"^(?:features\.|(?:net\.)?slice\d+\.)(.+)$")]
    private static partial Regex TrunkKey();
}
