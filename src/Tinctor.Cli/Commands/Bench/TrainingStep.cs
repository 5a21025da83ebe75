using System.Diagnostics;
using Tinctor.Torch;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Methods.Ceff;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Methods.Pix2Pix;

namespace Tinctor.Cli.Commands.Bench;

/// <summary>
/// Training step of a method at its published width, without reading of images. The peer computes in float32, also beside mixed precision.
/// </summary>
internal sealed class TrainingStep : Workload
{
    private static readonly Dictionary<string, MethodConfig> Configs = new()
    {
        ["pix2pix"] = new Pix2PixConfig(),
        ["pix2pix-resnet9"] = new Pix2PixConfig { Generator = "resnet_9blocks" },
        ["derestainer"] = new DeReStainerConfig(),
        ["ceff"] = new CeffConfig { EncoderStart = "random" },
        ["bbdm"] = new BbdmConfig(),
        ["i2sb"] = new I2sbConfig(),
    };

    private readonly string name;
    private readonly int side, batch;
    private readonly bool mixed;
    private readonly PythonPeer? peer;
    private readonly string[] labels;
    private Method? method;
    private Tensor? source, target;

    /// <summary>Creates the workload.</summary>
    /// <param name="name">Name of the method, of <see cref="Methods"/>.</param>
    /// <param name="side">Side of the crops in pixels.</param>
    /// <param name="batch">Number of pairs.</param>
    /// <param name="mixed">Mixed precision in bfloat16 (training.amp) instead of float32.</param>
    /// <param name="peer">PyTorch; null for none.</param>
    public TrainingStep(string name, int side, int batch, bool mixed, PythonPeer? peer)
        : base($"step:{name}:{side}:{batch}{(mixed ? ":bfloat16" : "")}")
    {
        (this.name, this.side, this.batch, this.mixed, this.peer) = (name, side, batch, mixed, peer);
        string[] levels = ["0", "1+", "2+", "3+"];
        labels = [.. Enumerable.Range(0, batch).Select(i => levels[i % levels.Length])];
    }

    /// <summary>Names of the methods.</summary>
    public static IEnumerable<string> Methods => Configs.Keys;

    /// <inheritdoc/>
    public override void Prepare()
    {
        torch.manual_seed(0);
        method = Configs[name].Create(Device.CPU);
        source = (torch.rand([batch, 3, side, side]) * 2) - 1;
        target = (torch.rand([batch, 3, side, side]) * 2) - 1;
        if (peer is not null) Operations = peer.Ask(new { @do = "operations_of_step", method = name, size = side, batch });
    }

    /// <inheritdoc/>
    public override double Run()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard? precision = mixed ? torch.autocast(DeviceType.CPU, ScalarType.BFloat16) : null;
        var watch = Stopwatch.StartNew();
        method!.TrainStep(source!, target!, labels);
        return watch.Elapsed.TotalSeconds;
    }

    /// <inheritdoc/>
    public override double? RunPeer() => peer?.Ask(new { @do = "step", method = name, size = side, batch });

    /// <inheritdoc/>
    public override void Dispose()
    {
        method?.Dispose();
        source?.Dispose();
        target?.Dispose();
        peer?.Ask(new { @do = "forget" });
    }
}
