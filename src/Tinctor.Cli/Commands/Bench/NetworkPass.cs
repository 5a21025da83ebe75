using System.Diagnostics;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training;
using Tinctor.Training.Configuration;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Methods.Ceff;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Cli.Commands.Bench;

/// <summary>Pass of a staining network at its published width, with random weights.</summary>
internal sealed class NetworkPass : Workload
{
    private const int CheckedSide = 256, MiddleOfBridge = 500;
    private const double LargestDifference = 1e-3;

    private static readonly Dictionary<string, (string Method, MethodConfig Config)> Configs = new()
    {
        ["resnet9-batch"] = ("pix2pix", new Pix2PixConfig { Generator = "resnet_9blocks", Dropout = false }),
        ["resnet9-instance"] = ("pix2pix", new Pix2PixConfig { Generator = "resnet_9blocks", Dropout = false, Norm = Norm.Instance }),
        ["unet256"] = ("pix2pix", new Pix2PixConfig { Dropout = false }),
        ["derestainer"] = ("derestainer", new DeReStainerConfig()),
        ["ceff"] = ("ceff", new CeffConfig { EncoderStart = "random" }),
        ["bbdm"] = ("bbdm", new BbdmConfig()),
        ["i2sb"] = ("i2sb", new I2sbConfig()),
    };

    private readonly string network, folder;
    private readonly int side, threads;
    private readonly PythonPeer? peer;
    private INetworkExecutor? executor;

    /// <summary>Creates the workload.</summary>
    /// <param name="network">Name of the network, of <see cref="Networks"/>.</param>
    /// <param name="side">Side of the image in pixels.</param>
    /// <param name="threads">Number of threads.</param>
    /// <param name="peer">PyTorch; null for none.</param>
    /// <param name="folder">Folder for the model.</param>
    public NetworkPass(string network, int side, int threads, PythonPeer? peer, string folder) : base($"pass:{network}:{side}")
    {
        (this.network, this.side, this.threads, this.peer) = (network, side, threads, peer);
        this.folder = Path.Combine(folder, network);
    }

    /// <summary>Names of the networks.</summary>
    public static IEnumerable<string> Networks => Configs.Keys;

    private bool IsBridge => Configs[network].Config is BridgeConfig;

    /// <inheritdoc/>
    public override void Prepare()
    {
        WriteModel(folder, network);
        string onnx = Path.Combine(folder, ModelFolder.OnnxFile), matcher = Path.Combine(folder, ModelFolder.MatcherFile);
        executor = new OnnxExecutor(onnx, File.Exists(matcher) ? matcher : null, threads: threads);
        if (peer is null) return;
        Check();
        Operations = peer.Ask(new { @do = "operations", network, size = side, batch = 1 });
    }

    /// <inheritdoc/>
    public override double Run()
    {
        ImageBatch image = Noise(side);
        var watch = Stopwatch.StartNew();
        Stain(image);
        return watch.Elapsed.TotalSeconds;
    }

    /// <inheritdoc/>
    public override double? RunPeer() => peer?.Ask(new { @do = "pass", network, size = side, batch = 1, dtype = "float32" });

    /// <inheritdoc/>
    public override void Dispose() => executor?.Dispose();

    private ImageBatch Stain(ImageBatch image) =>
        IsBridge ? executor!.Predict(image, MiddleOfBridge, image) : executor!.Run(new NetworkInput(image)).Image;

    /// <summary>Writes a model folder with random weights, unless it is there.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="network">Name of the network.</param>
    public static void WriteModel(string folder, string network)
    {
        if (Directory.Exists(folder) && ModelFolder.HasWeights(folder)) return;
        (string method, MethodConfig config) = Configs[network];
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        torch.manual_seed(0);
        using Module<Tensor, Tensor> generator = config.CreateGenerator();
        // Layers that start with zeros would hide differences.
        foreach (Tensor parameter in generator.parameters())
            if (parameter.abs().max().item() == 0) parameter.copy_(torch.randn(parameter.shape) * 0.05);
        if (TrainedModel.Write(folder, new ModelConfig { Method = method, Model = config }, generator.state_dict(), "") is { } problem)
            throw new TinctorException(folder, problem);
    }

    // The peer computes the same function, or else the comparison is worth nothing.
    private void Check()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        const string bridge = "denoise.";
        ImageBatch source = Noise(CheckedSide), stained = Stain(source);
        Dictionary<string, Tensor> weights = SafeTensors.Load(Path.Combine(folder, ModelFolder.WeightsFile))
            .Where(entry => !IsBridge || entry.Key.StartsWith(bridge, StringComparison.Ordinal))
            .ToDictionary(entry => IsBridge ? entry.Key[bridge.Length..] : entry.Key, entry => entry.Value);
        string At(string name) => Path.Combine(folder, $"check-{name}.safetensors");
        SafeTensors.Save(At("weights"), weights);
        SafeTensors.Save(At("source"), [KeyValuePair.Create("image", ToTensor(source))]);
        SafeTensors.Save(At("stained"), [KeyValuePair.Create("image", ToTensor(stained))]);
        double difference = peer!.Ask(new
        {
            @do = "check",
            network,
            weights = At("weights"),
            source = At("source"),
            stained = At("stained"),
        });
        foreach (string name in (string[])["weights", "source", "stained"]) File.Delete(At(name));
        if (!(difference < LargestDifference))
            throw new TinctorException(Name, $"the results of Tinctor and PyTorch differ by {difference:G3}");
    }

    private static Tensor ToTensor(ImageBatch image) =>
        torch.tensor<float>(image.Values, [image.Count, image.Channels, image.Height, image.Width]);

    private static ImageBatch Noise(int side)
    {
        var random = new Random(side);
        return new(1, 3, side, side, [.. Enumerable.Range(0, 3 * side * side).Select(_ => (2 * random.NextSingle()) - 1)]);
    }
}
