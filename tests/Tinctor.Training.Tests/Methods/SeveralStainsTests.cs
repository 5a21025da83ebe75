using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.BciStainer;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Methods.Ceff;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Methods;

/// <summary>Models of several stains.</summary>
[Collection(Alone.Name)]
public sealed class SeveralStainsTests : DataFolder
{
    private static readonly List<string> Two = ["HER2", "Ki67"];

    private static readonly DiffusionUnetOptions Unet =
        new() { ModelChannels = 32, ChannelMult = [1, 2], NumResBlocks = 1, AttentionResolutions = [2] };

    private static readonly Pix2PixConfig Gan =
        new() { Generator = "resnet_6blocks", Ngf = 2, Ndf = 2, Dropout = false, Stains = Two };

    private static readonly DeReStainerConfig DeReStainer = new() { Ngf = 2, Ndf = 2, NBlocks = 1, Stains = Two };

    private static readonly BbdmConfig Bridge =
        new() { Network = Unet, Steps = 20, MatcherWidth = 8, Factor = 2, InputChannels = 4, Stains = Two };

    public static TheoryData<MethodConfig> Methods =>
    [
        Gan with { Norm = Norm.Instance, Discriminator = "pixel" }, DeReStainer, Bridge,
        new CeffConfig { Ngf = 2, Ndf = 2, FeatureDim = 8, EncoderStart = "random", Stains = Two },
        new I2sbConfig { Network = Unet with { UseCheckpoint = true }, Steps = 20, Stains = Two },
        Gan with { StainCondition = StainInput.Planes }, DeReStainer with { StainCondition = StainInput.Planes },
        Bridge with { StainCondition = StainInput.Planes },
    ];

    [Theory, MemberData(nameof(Methods))]
    public void TrainStep_trains_the_condition_and_export_equals_libtorch(MethodConfig config)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        using Method method = config.Create(Device.CPU);
        method.Stains = config.Stains;
        int side = config is BridgeConfig ? 8 : 64;
        Tensor source = torch.rand([2, config.InputChannels, side, side]) * 2 - 1;
        Tensor target = torch.rand([2, 3, side * config.Upscaling, side * config.Upscaling]) * 2 - 1;
        Pair[] pairs = [.. Two.Select(stain => new Pair("", null, "train", null, "", PairLayout.Single) { Stain = stain })];
        // Layers that start at 0 get gradients one after the other.
        for (int step = 0; step < (config is BridgeConfig ? 5 : 2); step++)
        {
            using StainContext? stains = method.UseStains(pairs, Device.CPU);
            method.TrainStep(source, target, ["0", "3+"]);
        }
        foreach (Module network in method.Networks.Values.Where(network => network is not CeffEncoder))
            Assert.All(ConditionOf(network, config), parameter => Assert.True(parameter.grad!.abs().sum().item() > 0));

        // Weights of a longer training, so that stains differ.
        using (torch.no_grad())
            foreach (Tensor parameter in method.Generator.parameters()) parameter.add_(torch.randn(parameter.shape) * 0.1);
        string folder = At("model");
        var model = new ModelConfig { Method = NameOf(config), Model = config };
        Assert.Null(TrainedModel.Write(folder, model, method.Generator.state_dict(), ""));
        using Stainer libtorch = TrainedModel.LoadStainer(folder, Device.CPU), onnx = OnnxModel.LoadStainer(folder);
        Assert.Equal(Two, onnx.Model.Stains);
        Image image = Noise(side, side, 3, config.InputChannels);
        Image[] stained = [.. Two.Select(stain => onnx.ForStain(stain).Stain(image).Image)];
        for (int i = 0; i < 2; i++)
        {
            Image expected = libtorch.ForStain(Two[i]).Stain(image).Image;
            Assert.InRange(stained[i].Data.Zip(expected.Data).Max(pair => Math.Abs(pair.First - pair.Second)), 0, 1);
        }
        Assert.NotEqual(stained[0].Data, stained[1].Data);
        Assert.Contains("none is chosen", Assert.Throws<OptionException>(() => onnx.Stain(image)).Message);
        Assert.Contains("the stain is ER, but the stains of the model are HER2, Ki67",
            Assert.Throws<OptionException>(() => onnx.ForStain("ER")).Message);
    }

    [Fact]
    public void Embedding_of_new_network_changes_nothing()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Module<Tensor, Tensor> plain = (Gan with { Stains = [] }).CreateGenerator(), conditioned = Gan.CreateGenerator();
        StateDictMismatch mismatch = conditioned.load_state_dict(plain.state_dict(), strict: false);
        Assert.All(mismatch.missing, key => Assert.StartsWith("stain_condition.", key));
        Tensor images = torch.rand([2, 3, 24, 24]);
        using var context = StainContext.Use(StainContext.OneHot([0, 1], 2, Device.CPU));
        Assert.Equal(plain.forward(images).ToArray<float>(), conditioned.forward(images).ToArray<float>());
    }

    [Fact]
    public void Planes_are_input_channels_of_official_network()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Pix2PixConfig planes = Gan with { StainCondition = StainInput.Planes };
        using Module<Tensor, Tensor> network = planes.CreateGenerator(),
            wide = (Gan with { Stains = [], InputChannels = 5 }).CreateGenerator();
        network.load_state_dict(wide.state_dict());
        Tensor images = torch.rand([2, 3, 24, 24]), zeros = torch.zeros([2, 1, 24, 24]), ones = torch.ones([2, 1, 24, 24]);
        using var context = StainContext.Use(StainContext.OneHot([1], 2, Device.CPU));
        Assert.Equal(wide.forward(torch.cat([images, zeros, ones], 1)).ToArray<float>(), network.forward(images).ToArray<float>());
    }

    [Theory]
    [InlineData(StainInput.Embedding), InlineData(StainInput.Planes)]
    public void TrainStep_by_microbatch_has_gradients_of_batch(StainInput input)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Pix2PixConfig config = Gan with { Norm = input == StainInput.Planes ? Norm.None : Norm.Instance, StainCondition = input };
        using Method whole = config.Create(Device.CPU), parts = config.Create(Device.CPU);
        foreach ((string name, Module network) in whole.Networks) parts.Networks[name].load_state_dict(network.state_dict());
        parts.Microbatch = 1;
        Tensor source = torch.rand([3, 3, 24, 24]), target = torch.rand([3, 3, 24, 24]);
        foreach (Method method in new[] { whole, parts })
        {
            using var stains = StainContext.Use(StainContext.OneHot([0, 1, 1], 2, Device.CPU));
            method.TrainStep(source, target);
        }
        foreach ((string name, Module network) in whole.Networks)
            foreach ((Tensor expected, Tensor actual) in network.parameters().Zip(parts.Networks[name].parameters()))
                Assert.True((expected.grad! - actual.grad!).abs().max().item() < 1e-4 * Math.Max(1, expected.grad!.abs().max().item()));
    }

    [Fact]
    public void Settings_that_exclude_several_stains_are_refused()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Assert.Contains("model.stain_condition=planes",
            Assert.Throws<OptionException>(() => (Gan with { Norm = Norm.None }).CreateGenerator()).Message);
        Assert.Contains("instance normalisation removes constant planes", Assert.Throws<OptionException>(
            () => (Gan with { Norm = Norm.Instance, StainCondition = StainInput.Planes }).CreateGenerator()).Message);
        Assert.Contains("model.pool_size is 50",
            Assert.Throws<OptionException>(() => (Gan with { PoolSize = 50 }).Create(Device.CPU)).Message);
        Assert.Contains("a model of bcistainer has one stain, but the stains are HER2, Ki67",
            Assert.Throws<OptionException>(() => new BciStainerConfig().WithStains("bcistainer", Two)).Message);
        Assert.Contains("expected different stains",
            Assert.Throws<OptionException>(() => (Gan with { Stains = ["ER", "ER"] }).WithStains("pix2pix", [])).Message);
        Assert.Contains("a stain is named \"PD-L1/CK\"",
            Assert.Throws<OptionException>(() => (Gan with { Stains = ["PD-L1/CK"] }).WithStains("pix2pix", [])).Message);
        Assert.Equal(["Ki67"], (Gan with { Stains = ["Ki67"] }).WithStains("pix2pix", Two).Stains);
    }

    [Fact]
    public void Train_pool_of_stains_resumes_exactly_and_scores_each_stain()
    {
        foreach ((string set, int seed) in new[] { ("her2", 1), ("ki67", 9) })
        {
            for (int i = 0; i < 4; i++)
            {
                Write($"{set}/source/{i}.png", 24, 24, i);
                Write($"{set}/target/{i}.png", 24, 24, seed + i);
            }
            WriteText($"{set}/manifest.csv", "source,target,split,slide_id\n"
                + string.Concat(Enumerable.Range(0, 4).Select(i => $"source/{i}.png,target/{i}.png,{(i == 3 ? "val" : "train")},s{i}\n")));
        }
        string[] settings = ["model.generator=resnet_6blocks", "model.ngf=2", "model.ndf=2", "data.crop_size=24", "training.steps=6",
            "training.checkpoint_every=2", "training.device=cpu", $"data.sets=[HER2={At("her2")},Ki67={At("ki67")}]"];
        RunConfig config = ConfigFile.Load(null, "pix2pix", settings);
        Assert.True(Trainer.Start(config, At("whole"), new Silent()).Finished);
        using var stop = new CancellationTokenSource();
        Trainer.Start(config, At("parts"), new Silent { OnStep = stop.Cancel }, stop.Token);
        Assert.True(Trainer.Resume(At("parts"), new Silent()).Finished);
        using DisposeScope scope = torch.NewDisposeScope();
        var expected = SafeTensors.Load(At("whole/model/model.safetensors"));
        Assert.Contains("stain_condition.embedding", expected.Keys);
        foreach ((string key, Tensor tensor) in SafeTensors.Load(At("parts/model/model.safetensors")))
            Assert.True(torch.equal(expected[key], tensor), key);
        string[] columns = File.ReadLines(At("whole/metrics.csv")).First().Split(',');
        Assert.Empty(new[] { "val_psnr", "val_psnr_HER2", "val_psnr_Ki67", "val_psnr_tiles" }.Except(columns));
        Assert.Equal(Two, ConfigFile.LoadRun(At("whole/config.yaml"), out _).Model.Stains);
        Assert.Contains("model.stains has ER, but no training pair has this stain; the stains of the data are HER2, Ki67",
            Assert.Throws<OptionException>(() => Trainer.Start(
                ConfigFile.Load(null, "pix2pix", [.. settings, "model.stains=[ER]"]), At("er"), new Silent())).Message);
    }

    private static IEnumerable<Tensor> ConditionOf(Module network, MethodConfig config) =>
        config.StainCondition == StainInput.Embedding
            ? from parameter in network.named_parameters()
              where parameter.name.Contains("stain_condition.")
              select parameter.parameter
            : [network.modules().OfType<Conv2d>().First().weight];

    private sealed class Silent : ITrainingObserver
    {
        public Action OnStep { get; init; } = () => { };

        public void Note(string text) { }

        public void Step(TrainingProgress progress) => OnStep();
    }

    private static string NameOf(MethodConfig config) =>
        RunConfig.Methods.Values.First(run => run.Model.GetType() == config.GetType()).Method;
}
