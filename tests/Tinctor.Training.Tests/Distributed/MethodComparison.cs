using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Distributed;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Asp;
using Tinctor.Training.Methods.BciStainer;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Methods.Ceff;
using Tinctor.Training.Methods.Cut;
using Tinctor.Training.Methods.CycleGan;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Methods.Pix2PixHd;
using Tinctor.Training.Methods.PspStain;
using Tinctor.Training.Methods.PyramidPix2Pix;
using Tinctor.Training.Methods.Regression;
using Tinctor.Training.Methods.SimGan;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Distributed;

/// <summary>
/// Trains each method on the whole batch in one process, and on parts of it by all ranks, and compares weights, buffers and losses. It
/// computes in float64: Adam divides gradients by their size, so in float32 it turns the rounding of gradients that are zero (as those of
/// biases before batch norm) into steps.
/// </summary>
internal static class MethodComparison
{
    private const int Batch = 4;

    private static readonly DiffusionUnetOptions Unet =
        new() { ModelChannels = 32, ChannelMult = [1, 2], NumResBlocks = 1, AttentionResolutions = [2] };

    private static readonly Pix2PixConfig Gan = new() { Generator = "resnet_6blocks", Ngf = 2, Ndf = 2 };

    private static readonly CutConfig Cut =
        new() { Generator = "resnet_4blocks", Ngf = 2, Ndf = 2, NLayersD = 2, MlpChannels = 8, NceLayers = [0, 4, 12] };

    private static readonly DeReStainerConfig DeReStainer = new() { Ngf = 4, Ndf = 4, NBlocks = 2, Lr = 1e-4 };

    private static readonly BciStainerConfig Bci = new() { Ngf = 2, Ndf = 2, NBlocks = 1, FullSize = 64 };

    private static IEnumerable<(string Name, MethodConfig Config, int Side)> Methods =>
    [
        ("pix2pix", Gan, 24),
        ("pix2pix-pool", Gan with { Norm = Norm.Instance, GanMode = GanMode.Lsgan, PoolSize = 3, Dropout = false }, 24),
        ("pix2pix-wgangp", Gan with { GanMode = GanMode.Wgangp, Discriminator = "pixel", Norm = Norm.Instance }, 24),
        ("i2sb", new I2sbConfig { Network = Unet, Steps = 20 }, 8),
        ("bbdm", new BbdmConfig { Network = Unet, Steps = 20, MatcherWidth = 8, Factor = 2, InputChannels = 4 }, 8),
        ("derestainer", DeReStainer, 64),
        ("derestainer-infonce", DeReStainer with { Alignment = AlignmentLoss.Contrastive }, 64),
        ("derestainer-centred", DeReStainer with { Alignment = AlignmentLoss.Centred }, 64),
        ("ceff", new CeffConfig { Ngf = 2, Ndf = 2, FeatureDim = 8, EncoderStart = "random", EncoderStatistics = "batch",
            L1ByImage = false }, 64),
        ("pix2pixhd", new Pix2PixHdConfig { Ngf = 2, Ndf = 2, NDownsampleGlobal = 1, NBlocksGlobal = 1, PoolSize = 3 }, 24),
        ("pyramid-pix2pix", new PyramidPix2PixConfig { Generator = "resnet_6blocks", Ngf = 2, Ndf = 2 }, 24),
        ("bcistainer", Bci with { Dropout = 0, ComparatorSteps = 1 }, 64),
        ("cyclegan", new CycleGanConfig { Generator = "resnet_6blocks", Ngf = 2, Ndf = 2, PoolSize = 3 }, 24),
        ("cut", Cut with { FlipEquivariance = true }, 24),
        ("asp", new AspConfig { Generator = "resnet_4blocks", Ngf = 2, Ndf = 2, NLayersD = 2, MlpChannels = 8, AspLossMode = "none",
            NceLayers = [0, 4, 12], GpWeights = [1, 2] }, 24),
        ("psp-stain", new PspStainConfig { Generator = "resnet_4blocks", Ngf = 2, Ndf = 2, NLayersD = 2, MlpChannels = 8, LambdaCtpc = 0,
            LambdaSsim = 0, NceLayers = [0, 4, 12], GpWeights = [1, 2] }, 24),
        ("sim-gan", new SimGanConfig { Generator = "resnet_4blocks", Ngf = 2, Ndf = 2, NLayersD = 2, MlpChannels = 8,
            NceLayers = [0, 4, 12] }, 24),
        ("unet", new UnetConfig { Width = 2, Depth = 2 }, 24),
        ("nafnet", new NafNetConfig { Width = 2, EncBlkNums = [1], MiddleBlkNum = 1, DecBlkNums = [1] }, 24),
    ];

    /// <summary>Compares all methods.</summary>
    /// <param name="ranks">The ranks, of which each calls this.</param>
    /// <param name="names">"methods" for all, or names separated by commas.</param>
    /// <param name="steps">Number of training steps.</param>
    /// <returns>Largest difference of a weight, running statistic or loss of each method.</returns>
    public static IEnumerable<(string Name, double Difference)> Run(ProcessGroup ranks, string names, int steps)
    {
        foreach ((string name, MethodConfig config, int side) in Methods)
        {
            if (names != "methods" && !names.Split(',').Contains(name)) continue;
            yield return (name, Compare(ranks, config, side, steps, microbatch: 0));
            if (config != Gan) continue;
            MethodConfig parts = Gan with { Norm = Norm.None, Dropout = false };
            yield return (name + "-microbatch", Compare(ranks, parts, side, steps, microbatch: 1));
        }
    }

    private static double Compare(ProcessGroup ranks, MethodConfig config, int side, int steps, int microbatch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(2);
        using Method whole = config.Create(Device.CPU), part = config.Create(Device.CPU);
        // A step of BCIStainer needs float32.
        ScalarType type = config is BciStainerConfig ? ScalarType.Float32 : ScalarType.Float64;
        foreach ((string name, Module network) in whole.Networks)
            part.Networks[name].to(type).load_state_dict(network.to(type).state_dict());
        part.Microbatch = microbatch;
        Tensor source = (torch.rand([Batch, config.InputChannels, side, side]) * 2 - 1).to(type);
        Tensor target = (torch.rand([Batch, 3, side * config.Upscaling, side * config.Upscaling]) * 2 - 1).to(type);
        // With four ranks, two have no label.
        string?[] labels = ["3+", null, null, "0"];
        int own = Batch / ranks.WorldSize;
        double difference = 0;
        // Small buckets, so that there are several.
        using var parallel = new DistributedDataParallel(ranks, [.. part.Networks.Values], [.. part.Optimizers.Values], bucketBytes: 4096);
        for (int step = 0; step < steps; step++)
        {
            using DisposeScope one = torch.NewDisposeScope();
            torch.manual_seed(50 + (ulong)step);
            Dictionary<string, double> expected = Values(whole.TrainStep(source, target, labels));
            torch.manual_seed(50 + (ulong)step);
            using Guard spread = BatchAcrossRanks.Use(ranks);
            var losses = Values(part.TrainStep(ranks.OwnRows(source), ranks.OwnRows(target), labels[(ranks.Rank * own)..][..own]));
            (IReadOnlyDictionary<string, double> sums, _) = RankLosses.Combine(ranks, losses, stopping: false);
            foreach ((string name, double loss) in expected)
                difference = Math.Max(difference, Math.Abs(loss - sums[name]) / Math.Max(1, Math.Abs(loss)));
        }
        foreach ((string name, Module network) in whole.Networks)
        {
            foreach ((Tensor first, Tensor second) in network.state_dict().Values.Zip(part.Networks[name].state_dict().Values))
                difference = Math.Max(difference, (first.detach() - second.detach()).to(ScalarType.Float64).abs().max().item());
        }
        return difference;
    }

    private static Dictionary<string, double> Values(IReadOnlyDictionary<string, Tensor> losses) =>
        losses.ToDictionary(loss => loss.Key, loss => loss.Value.item());
}
