using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Models;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Files;
using Tinctor.Training.Loading;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Asp;
using Tinctor.Training.Methods.Contrastive;
using Tinctor.Training.Methods.Cut;
using Tinctor.Training.Methods.PspStain;
using Tinctor.Training.Methods.SimGan;
using Tinctor.Training.Networks;
using Tinctor.Training.Tests.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public sealed class ContrastiveMethodTests : DataFolder
{
    private static readonly CutConfig Cut = new() { Generator = "resnet_6blocks", Ngf = 2, Ndf = 2, MlpChannels = 8, NumPatches = 16 };

    // As tests/vectors/make_contrastive.py has them.
    private static readonly Dictionary<string, (ContrastiveConfig Config, int Height, int Width)> Recorded = new()
    {
        ["cut"] = (Cut, 48, 40),
        ["fastcut"] = (Cut with { LambdaNce = 10, NceIdt = false, FlipEquivariance = true }, 48, 40),
        ["asp"] = (new AspConfig { Ngf = 2, Ndf = 2, NLayersD = 3, MlpChannels = 8, NumPatches = 16, AspSteps = 40, AspDecay = 0.25 },
            48, 64),
        ["sim-gan"] = (new SimGanConfig { Ngf = 2, Ndf = 2, NLayersD = 3, MlpChannels = 8, NumPatches = 16, SpectralNorm = false }, 48, 40),
        ["psp-stain"] = (new PspStainConfig
        {
            Ngf = 2,
            Ndf = 2,
            NLayersD = 3,
            MlpChannels = 8,
            NumPatches = 16,
            SpectralNorm = false,
            SegmenterDropout = false,
            LambdaSsim = 0
        }, 48, 64),
    };

    public static TheoryData<string> Names => [.. Recorded.Keys];

    /// <summary>Against numbers of the official code (tests/vectors/make_contrastive.py), in float64.</summary>
    [Theory, MemberData(nameof(Names))]
    public void TrainStep_two_steps_equal_official(string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(TestVectors.Path($"contrastive/{name}.safetensors"));
        (ContrastiveConfig config, int height, int width) = Recorded[name];
        if (config is PspStainConfig psp) config = psp with { Segmenter = WriteSegmenter() };
        using var method = (ContrastiveMethod)config.Create(Device.CPU);
        method.Permute = n => (torch.arange(n) * 37 + 11).remainder(n);
        foreach ((string network, Module module) in method.Networks)
        {
            Assert.Equal(File.ReadLines(TestVectors.Path($"contrastive/{name}.{network}.keys")), FormulaWeights.Keys(module));
            FormulaWeights.Fill(module.to(ScalarType.Float64));
        }
        if (config is AspConfig) method.LoadState(new Dictionary<string, Tensor> { ["asp.step"] = torch.tensor<long>([35]) });
        for (int step = 0; step < 2; step++)
        {
            SeedForFlip();
            IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(Images(0.05 + (0.01 * step)), Images(0.07 + (0.01 * step)));
            foreach ((string key, Tensor value) in expected.Where(pair => pair.Key.StartsWith($"{step}.")))
                Vectors.Close(value.view(), losses[key[2..]], $"{name} {key}", 1e-8);
            Assert.Equal(expected.Keys.Count(key => key.StartsWith($"{step}.")), losses.Count);
        }
        foreach (string network in method.Networks.Keys)
        {
            Tensor sums = torch.stack([.. method.Networks[network].state_dict().Values.Where(value => value.is_floating_point())
                .Select(value => (value * FormulaWeights.Wave(1.3, value.shape)).sum().detach())]);
            Vectors.Close(expected[network], sums, $"{name} {network}", 1e-7);
        }

        Tensor Images(double speed) => FormulaWeights.Wave(speed, 2, 3, height, width) * 0.9;
    }

    private StartReference WriteSegmenter()
    {
        using var network = new PrototypeUnet();
        SafeTensors.Save(At("segmenter.safetensors"), network.state_dict());
        return StartReference.FromPath(At("segmenter.safetensors"));
    }

    // The first number decides whether images are mirrored; the official numbers are of mirrored images.
    private static void SeedForFlip()
    {
        for (ulong seed = 0; ; seed++)
        {
            torch.manual_seed(seed);
            bool flips = torch.rand([1]).item() < 0.5;
            torch.manual_seed(seed);
            if (flips) return;
        }
    }

    [Theory]
    [InlineData("fastcut"), InlineData("asp"), InlineData("sim-gan"), InlineData("psp-stain")]
    public void Train_stopped_run_resumes_with_same_weights_and_stains(string name)
    {
        ManifestFile.Write(At("manifest.csv"), [.. Enumerable.Range(0, 3).Select(i => new Pair(Write($"source/{i}.png", 32, 32, i),
            Write($"target/{i}.png", 32, 32, 9 + i), "train", "", $"s{i}", PairLayout.TwoFiles))]);
        Assert.True(Trainer.Start(Settings(), At("whole"), new Watcher(_ => { })).Finished);
        var stop = new CancellationTokenSource();
        Assert.False(Trainer.Start(Settings(), At("part"), new Watcher(step => { if (step == 2) stop.Cancel(); }), stop.Token).Finished);
        Assert.Contains(SafeTensors.Load(Directory.GetFiles(At("part/checkpoints"), "*.safetensors")[0]).Keys,
            key => key == "networks.F.mlp_0.0.weight");
        Assert.True(Trainer.Resume(At("part"), new Watcher(_ => { })).Finished);
        Assert.Equal(ModelFolder.Sha256(At("whole")), ModelFolder.Sha256(At("part")));

        using Stainer stainer = TrainedModel.LoadStainer(At("whole"), Device.CPU);
        Image stained = stainer.Stain(Image.Read(At("source/0.png"))).Image;
        Assert.Equal((32, 32, 3), (stained.Width, stained.Height, stained.Channels));
        Assert.True(File.Exists(At("whole/model/model.onnx")));

        RunConfig Settings() => ConfigFile.Load(null, name, [$"data.path={Root}", "data.crop_size=32", "model.generator=resnet_4blocks",
            "model.nce_layers=0,4,12", "model.ngf=2", "model.ndf=2", "model.n_layers_d=2", "model.mlp_channels=8", "model.num_patches=16",
            "training.steps=4", "training.batch_size=2", "training.log_every=1", "training.device=cpu", "data.workers=1",
            "data.validation_share=0", .. name switch
            {
                "asp" => (string[])["model.gp_weights=1,2"],
                "psp-stain" => ["model.gp_weights=1,2", "model.lambda_ssim=0"],
                _ => [],
            }]);
    }

    [Fact]
    public void CompletedFor_schedule_of_patch_weights_follows_run()
    {
        var pair = new Pair("a", "b", "train", "", "s", PairLayout.TwoFiles);
        var data = new TrainingData(null!, [.. Enumerable.Repeat(pair, 20)], [], "");
        Assert.Equal((400, 10, 0.25), Completed("training.batch_size=2"));
        Assert.Equal((90, 1, 0.5), Completed("training.steps=90"));
        Assert.Equal((7, 2, 0.1), Completed("model.asp_steps=7", "model.asp_change_every=2", "model.asp_decay=0.1"));

        (int?, int?, double?) Completed(params string[] settings)
        {
            RunConfig run = MethodLoop.Completed(ConfigFile.Load(null, "asp", settings), data, _ => { });
            var model = (AspConfig)run.Model;
            return (model.AspSteps, model.AspChangeEvery, model.AspDecay);
        }
    }

    [Theory]
    [InlineData("fastcut", "model.lambda_nce=10", "model.nce_idt=false", "model.flip_equivariance=true", "training.epochs=150")]
    [InlineData("cut", "model.lambda_nce=1", "model.nce_idt=true", "model.flip_equivariance=false", "training.epochs=200")]
    [InlineData("psp-stain", "model.lr=1e-4", "model.lambda_ctpc=2.5", "training.epochs_decay=0", "training.batch_size=4")]
    [InlineData("sim-gan", "model.lambda_cc=10", "model.nce_idt=true", "training.batch_size=8", "data.crop_size=256")]
    [InlineData("asp", "model.spectral_norm=true", "model.n_layers_d=5", "model.asp_loss_mode=lambda_linear", "data.crop_size=512")]
    public void Methods_defaults_are_those_of_official_repositories(string name, params string[] settings)
    {
        Assert.Equal(ConfigFile.Write(ConfigFile.Load(null, name)), ConfigFile.Write(ConfigFile.Load(null, name, settings)));
    }

    [Theory]
    [InlineData("model.output_channels=1", "model.output_channels")]
    [InlineData("model.gan_mode=wgangp", "model.gan_mode")]
    [InlineData("model.nce_layers=0,4,4", "model.nce_layers")]
    [InlineData("model.nce_layers=0,4,99", "expected distinct layers from 0 to 31")]
    public void Remarks_unsuitable_setting_is_refused_by_name(string setting, string words)
    {
        RunConfig run = ConfigFile.Load(null, "cut", [setting]);
        var error = Assert.Throws<TinctorException>(() => run.Model.Remarks([], []));
        Assert.Contains(words, error.Message);
        Assert.StartsWith("model.", error.Option);
    }

    [Fact]
    public void Remarks_pyramid_without_weights_is_refused()
    {
        Assert.Contains("model.gp_weights", Assert.Throws<TinctorException>(
            () => ConfigFile.Load(null, "asp", ["model.gp_weights=1,-1"]).Model.Remarks([], [])).Message);
    }

    [Fact]
    public void Create_segmenter_of_other_architecture_is_refused()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        SafeTensors.Save(At("other.safetensors"), new Dictionary<string, Tensor> { ["a"] = torch.zeros([1]) });
        var config = (PspStainConfig)ConfigFile.Load(null, "psp-stain",
            ["model.ngf=2", "model.ndf=2", $"model.segmenter.path={At("other.safetensors")}"]).Model.Completed();
        var error = Assert.Throws<TinctorException>(() => config.Create(Device.CPU));
        Assert.Equal(At("other.safetensors"), error.File);
        Assert.Contains("Name a segmentation network of PSPStain", error.Message);
        File.WriteAllText(At("other.safetensors"), "");
        Assert.Contains("changed since the start", Assert.Throws<TinctorException>(() => config.Create(Device.CPU)).Message);
    }

    [Fact]
    public void PspStain_without_segmenter_learns_it_and_says_so()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var config = new PspStainConfig
        {
            Ngf = 2,
            Ndf = 2,
            NLayersD = 1,
            LambdaSsim = 0,
            GpWeights = [1],
            MlpChannels = 4,
            NumPatches = 8,
        };
        Assert.Contains(config.Remarks([], []), remark => remark.Contains("learns from the masks of targets"));
        using Method method = config.Create(Device.CPU);
        Tensor before = method.Networks["S"].state_dict()["decoder1.out_conv.weight"].clone();
        Tensor images = torch.rand([1, 3, 32, 32]);
        Assert.Contains("S", method.TrainStep(images, images).Keys);
        Assert.False(torch.equal(before, method.Networks["S"].state_dict()["decoder1.out_conv.weight"]));
    }

    [Fact]
    public void FocalOpticalDensity_increases_with_DAB_alone()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        // White, haematoxylin, weak DAB and strong DAB.
        Tensor pixels = torch.tensor<float>([1, 0.3f, 0.7f, 0.25f, 1, 0.3f, 0.5f, 0.07f, 1, 0.6f, 0.35f, 0.02f], 1, 3, 1, 4);
        float[] density = FocalOpticalDensity.Compute(pixels, alpha: 1.8).ToArray<float>();
        Assert.Equal([0f, 0f], density[..2]);
        Assert.InRange(density[2], 0.01f, density[3] / 2);
        Assert.InRange(density[3], 0.1f, (float)FocalOpticalDensity.Largest);
    }

    [Fact]
    public void MultiScaleSsimLoss_and_gradient_equal_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(TestVectors.Path("contrastive/psp-stain.safetensors"));
        Tensor stained = (Wave(0.05) * 0.9).requires_grad_(), loss = MultiScaleSsimLoss.Compute(stained, Wave(0.07));
        loss.backward();
        Vectors.Close(expected["ms_ssim"].view(), loss, "MS-SSIM", 1e-9);
        Vectors.Close(expected["ms_ssim.gradient"].view(), (stained.grad! * Wave(1.3)).sum(), "gradient", 1e-8);

        static Tensor Wave(double speed) => FormulaWeights.Wave(speed, 1, 3, 161, 167);
    }

    [Fact]
    public void RemarkOnBatch_sim_gan_needs_several_pairs()
    {
        Assert.Contains("batch_size=2", new SimGanConfig().RemarkOnBatch(1));
        Assert.Null(new SimGanConfig().RemarkOnBatch(2));
        Assert.Null(new SimGanConfig { LambdaCc = 0 }.RemarkOnBatch(1));
    }

    // Autocast keeps copies of weights, without gradients if they are first used without.
    [Theory, MemberData(nameof(Names))]
    public void TrainStep_in_mixed_precision_has_gradients_of_all_networks(string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = Recorded[name].Config.Create(Device.CPU);
        using (torch.autocast(DeviceType.CPU, ScalarType.BFloat16))
        {
            Tensor images = torch.rand([2, 3, 48, 48]) * 2 - 1;
            Assert.All(method.TrainStep(images, images.flip(0)).Values, loss => Assert.True(double.IsFinite(loss.item())));
        }
        foreach ((string network, Module module) in method.Networks)
            Assert.InRange(module.parameters().Sum(parameter => parameter.grad?.abs().sum().item() ?? 0), 1e-9, 1e9);
    }

    [Fact]
    public void TrainStep_without_weights_of_losses_leaves_them_out()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = (Cut with { LambdaNce = 0, MlpChannels = 0 }).Create(Device.CPU);
        Tensor images = torch.rand([1, 3, 32, 32]);
        Assert.Equal(["D_fake", "D_real", "G_GAN"], method.TrainStep(images, images).Keys.Order(StringComparer.Ordinal));
        Assert.DoesNotContain("F", method.Optimizers.Keys);
    }

    private sealed class Watcher(Action<int> onStep) : ITrainingObserver
    {
        public void Note(string text) { }

        public void Step(TrainingProgress progress) => onStep(progress.Step);
    }
}
