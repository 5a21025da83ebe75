using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Asp;
using Tinctor.Training.Methods.BciStainer;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Methods.Ceff;
using Tinctor.Training.Methods.CycleGan;
using Tinctor.Training.Methods.Cut;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Methods.Pix2PixHd;
using Tinctor.Training.Methods.PspStain;
using Tinctor.Training.Methods.PyramidPix2Pix;
using Tinctor.Training.Methods.Regression;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public sealed class MicrobatchTests
{
    private static readonly DiffusionUnetOptions Unet =
        new() { ModelChannels = 32, ChannelMult = [1, 2], NumResBlocks = 1, AttentionResolutions = [2] };

    private static readonly Pix2PixConfig Gan =
        new() { Generator = "resnet_6blocks", Ngf = 4, Ndf = 4, Norm = Norm.Instance, Dropout = false };

    private static readonly CutConfig Cut =
        new() { Generator = "resnet_4blocks", Ngf = 2, Ndf = 2, NLayersD = 2, MlpChannels = 8, NceLayers = [0, 4, 12] };

    // Batch norm has the same statistics in all parts if all images are equal.
    public static TheoryData<MethodConfig, bool> Methods => new()
    {
        { new I2sbConfig { Network = Unet, Steps = 20 }, false },
        { new BbdmConfig { Network = Unet, Steps = 20, MatcherWidth = 8, Factor = 2, InputChannels = 4 }, false },
        { Gan, false },
        { Gan with { Norm = Norm.None, GanMode = GanMode.Lsgan, PoolSize = 3 }, false },
        { Gan with { GanMode = GanMode.Wgangp, Discriminator = "pixel" }, false },
        { Gan with { Norm = Norm.Batch }, true },
        { Cut, false },
        { Cut with { FlipEquivariance = true, NceIdt = false }, false },
        { new AspConfig { Generator = "resnet_4blocks", Ngf = 2, Ndf = 2, NLayersD = 2, MlpChannels = 8, AspLossMode = "none",
            SpectralNorm = false, NceLayers = [0, 4, 12], GpWeights = [1, 2] }, false },
        { new PspStainConfig { Generator = "resnet_4blocks", Ngf = 2, Ndf = 2, NLayersD = 2, MlpChannels = 8, LambdaCtpc = 0,
            LambdaSsim = 0, SpectralNorm = false, NceLayers = [0, 4, 12], GpWeights = [1, 2] }, false },
        { new DeReStainerConfig { Ngf = 4, Ndf = 4, NBlocks = 2 }, true },
        { new BciStainerConfig { Ngf = 2, Ndf = 2, NBlocks = 1, FullSize = 64, Dropout = 0, ComparatorSteps = 1 }, true },
        { new BciStainerConfig { Ngf = 2, Ndf = 2, NBlocks = 1, FullSize = 64, Conditional = true, GanMode = GanMode.Vanilla }, true },
        { new Pix2PixHdConfig { Ngf = 2, Ndf = 2, NDownsampleGlobal = 1, NBlocksGlobal = 1, PoolSize = 3 }, false },
        { new CycleGanConfig { Generator = "resnet_6blocks", Ngf = 4, Ndf = 4, PoolSize = 3 }, false },
        { new CycleGanConfig { Generator = "resnet_6blocks", Ngf = 4, Ndf = 4, GanMode = GanMode.Wgangp, Norm = Norm.None }, false },
        { new PyramidPix2PixConfig { Generator = "resnet_6blocks", Ngf = 4, Ndf = 4, Norm = Norm.Instance, Dropout = false }, false },
        { new UnetConfig { Width = 2, Depth = 2, GradClip = 0 }, true },
        { new NafNetConfig { Width = 2, EncBlkNums = [1], MiddleBlkNum = 1, DecBlkNums = [1], GradClip = 0 }, false },
        { new CeffConfig { Ngf = 2, Ndf = 2, FeatureDim = 8, EncoderStart = "random", EncoderStatistics = "batch" }, true },
    };

    [Theory, MemberData(nameof(Methods))]
    public void TrainStep_by_microbatch_has_losses_and_gradients_of_batch(MethodConfig config, bool equalImages)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(2);
        // In float32, rounding decides on which side of a rectifier a value close to 0 is. A step of BCIStainer needs float32.
        ScalarType type = config is BciStainerConfig ? ScalarType.Float32 : ScalarType.Float64;
        using Method whole = config.Create(Device.CPU), parts = config.Create(Device.CPU);
        foreach ((string name, Module network) in whole.Networks)
            parts.Networks[name].to(type).load_state_dict(network.to(type).state_dict());
        parts.Microbatch = 2;
        int side = config is BridgeConfig ? 8 : equalImages ? 64 : 24;
        Tensor source = torch.rand([equalImages ? 1 : 5, config.InputChannels, side, side]) * 2 - 1;
        Tensor target = torch.rand([source.size(0), 3, side * config.Upscaling, side * config.Upscaling]) * 2 - 1;
        (source, target) = (source.to(type), target.to(type));
        if (equalImages) (source, target) = (torch.cat([source, source, source, source]), torch.cat([target, target, target, target]));
        string?[] labels = ["3+", null, null, "0", null];
        IReadOnlyDictionary<string, Tensor> Step(Method method)
        {
            torch.manual_seed(5);
            return method.TrainStep(source, target, labels[..(int)source.size(0)]);
        }
        IReadOnlyDictionary<string, Tensor> expected = Step(whole), losses = Step(parts);
        Assert.Equal(expected.Keys, losses.Keys);
        foreach ((string name, Tensor loss) in expected) Assert.Equal(loss.item(), losses[name].item(), 1e-5 * Math.Max(1, loss.item()));
        foreach ((string name, Module network) in whole.Networks) RequireEqualGradients(name, network, parts.Networks[name]);
    }

    [Fact]
    public void TrainStep_by_microbatch_in_mixed_precision_has_gradients_of_all_parts()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method whole = Gan.Create(Device.CPU), parts = Gan.Create(Device.CPU);
        foreach ((string name, Module network) in whole.Networks) parts.Networks[name].load_state_dict(network.state_dict());
        parts.Microbatch = 1;
        Tensor source = torch.rand([2, 3, 24, 24]) * 2 - 1, target = source.neg();
        foreach (Method method in (Method[])[whole, parts])
        {
            using Guard precision = torch.autocast(DeviceType.CPU, ScalarType.BFloat16);
            method.TrainStep(source, target);
        }
        foreach ((string name, Module network) in whole.Networks)
        {
            Tensor expected = network.parameters().First().grad!, actual = parts.Networks[name].parameters().First().grad!;
            Assert.InRange((actual - expected).abs().max().item(), 0, 0.05 * expected.abs().max().item());
            Assert.NotEqual(0, expected.abs().max().item());
        }
    }

    [Fact]
    public void Split_has_all_pairs_in_parts_of_similar_size()
    {
        Assert.Equal([(0, 1), (1, 2), (3, 2)], BatchPart.Split(5, 2).Select(part => (part.Start, part.Count)));
        Assert.Equal(1, BatchPart.Split(5, 2).Sum(part => part.Share), 1e-12);
        Assert.True(Assert.Single(BatchPart.Split(3, 8)).IsWhole);
        Assert.True(Assert.Single(BatchPart.Split(3, 0)).IsWhole);
    }

    [Fact]
    public void StainedParts_second_pass_has_same_dropout_and_one_update_of_statistics()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Module<Tensor, Tensor> network = (Gan with { Norm = Norm.Batch, Dropout = true }).CreateGenerator();
        BatchNorm2d norm = network.modules().OfType<BatchNorm2d>().First();
        Tensor source = torch.rand([4, 3, 16, 16]);
        torch.manual_seed(6);
        using var parts = new StainedParts<Tensor>(network, network.forward, image => image, source, BatchPart.Split(4, 2));
        Assert.Equal((0.0, 0.0), (norm.num_batches_tracked!.item(), norm.running_mean!.abs().max().item()));
        Assert.False(torch.equal(parts.Image(0), parts.Image(1)));
        for (int i = 0; i < 2; i++)
        {
            Tensor before = Generator.Default().get_state(), again = parts.Result(i);
            Assert.True(torch.equal(parts.Image(i), again.detach()));
            Assert.True(again.requires_grad);
            Assert.True(torch.equal(before, Generator.Default().get_state()));
        }
        Assert.Equal((2.0, true), (norm.num_batches_tracked.item(), norm.running_mean.abs().max().item() > 0));
        Assert.Equal(0.1, norm.momentum);
    }

    private static void RequireEqualGradients(string name, Module expected, Module actual)
    {
        Dictionary<string, Tensor> gradients = actual.named_parameters().Where(each => each.parameter.grad is not null)
            .ToDictionary(each => each.name, each => each.parameter.grad!);
        double largest = expected.parameters().Where(each => each.grad is not null).Select(each => each.grad!.abs().max().item())
            .DefaultIfEmpty().Max();
        foreach ((string key, Tensor parameter) in expected.named_parameters())
        {
            if (parameter.grad is not { } gradient) continue;
            double error = (gradient - gradients[key]).abs().max().item();
            Assert.True(error <= 1e-4 * largest, $"{name}.{key}: {error} of {largest}");
        }
    }
}
