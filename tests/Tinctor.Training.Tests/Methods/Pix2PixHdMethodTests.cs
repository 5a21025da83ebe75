using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Staining.Models;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Import;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Pix2PixHd;
using Tinctor.Training.Networks;
using Tinctor.Training.Tests.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public sealed class Pix2PixHdMethodTests : DataFolder
{
    private static readonly Pix2PixHdConfig Small = new()
    {
        Generator = "local",
        Ngf = 2,
        NDownsampleGlobal = 2,
        NBlocksGlobal = 2,
        NBlocksLocal = 1,
        Ndf = 2,
        NLayersD = 2,
        FixGlobalSteps = 2,
    };

    private static readonly string[] Tiny =
    [
        "data.crop_size=32", "model.ngf=2", "model.ndf=2", "model.n_layers_d=1", "model.n_downsample_global=1", "model.n_blocks_global=1",
        "model.n_blocks_local=1", "training.log_every=1", "training.device=cpu", "data.workers=1", "data.validation_share=0",
    ];

    /// <summary>Two steps of the enhancer and one of all weights, in float64 against tests/vectors/make_pix2pixhd.py.</summary>
    [Fact]
    public void TrainStep_fixed_then_whole_generator_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(TestVectors.Path("pix2pixhd/io.safetensors"));
        using var method = new Pix2PixHdMethod(Small, Device.CPU);
        foreach (Module network in method.Networks.Values)
        {
            network.to(ScalarType.Float64);
            FormulaWeights.Fill(network);
        }
        for (int step = 0; step < 3; step++)
        {
            IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(Image(0.05 + (0.01 * step)), Image(0.07 + (0.01 * step)));
            foreach ((string name, Tensor loss) in losses) Vectors.Close(expected[$"{name}{step}"], loss.reshape(1), name, 1e-6);
        }
        foreach ((string name, Module network) in method.Networks)
        {
            Tensor sums = torch.stack([.. network.parameters().Select(parameter =>
                (parameter.detach() * FormulaWeights.Wave(1.3, parameter.shape)).sum())]);
            Vectors.Close(expected[$"final.{name}"], sums, name, 1e-6);
        }

        static Tensor Image(double speed) => FormulaWeights.Wave(speed, 1, 3, 32, 24) * 0.9;
    }

    [Theory]
    [InlineData(GanMode.Vanilla, false, 3), InlineData(GanMode.Lsgan, false, 0)]
    public void TrainStep_of_other_modes_is_finite(GanMode mode, bool features, int pool)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var config = Small with { GanMode = mode, GanFeatLoss = features, PoolSize = pool, Norm = Norm.Batch, FixGlobalSteps = 0 };
        using var method = new Pix2PixHdMethod(config, Device.CPU);
        IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(torch.rand([2, 3, 32, 32]), torch.rand([2, 3, 32, 32]));
        Assert.Equal(["G_GAN", "D_real", "D_fake"], losses.Keys);
        Assert.All(losses.Values, loss => Assert.True(double.IsFinite(loss.item())));
    }

    [Fact]
    public void Train_coarse_to_fine_starts_from_global_generator_and_resumes()
    {
        ManifestFile.Write(At("manifest.csv"), [.. Enumerable.Range(0, 3).Select(i => new Pair(Write($"source/{i}.png", 32, 32, i),
            Write($"target/{i}.png", 32, 32, 9 + i), "train", null, $"s{i}", PairLayout.TwoFiles))]);
        var notes = new List<string>();
        Start("coarse", ["model.generator=global", "model.ngf=4", "training.steps=2"]);
        string[] fine =
            ["model.generator=local", "model.niter_fix_global=1", "training.steps=5", $"training.start_from.path={At("coarse")}"];
        Start("whole", fine);
        Assert.Contains(notes, note => note.Contains("start: network G takes") && note.Contains("of its"));
        var stop = new CancellationTokenSource();
        Start("cut", fine, new Watcher(step => { if (step == 2) stop.Cancel(); }, notes), stop.Token);
        Assert.True(Trainer.Resume(At("cut"), new Watcher(_ => { }, notes)).Finished);
        Assert.Equal(ModelFolder.Sha256(At("whole")), ModelFolder.Sha256(At("cut")));
        Assert.Equal(3, ((Pix2PixHdConfig)ConfigFile.Load(At("whole/config.yaml")).Model).FixGlobalSteps);
        Assert.True(File.Exists(At("whole/model/model.onnx")));

        void Start(string run, string[] settings, Watcher? watcher = null, CancellationToken token = default) => Trainer.Start(
            ConfigFile.Load(null, "pix2pixhd", [$"data.path={Root}", .. Tiny, .. settings]), At(run), watcher ?? new(_ => { }, notes),
            token);
    }

    [Fact]
    public void TrainStep_with_vgg_loss_needs_the_weights_of_vgg19()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var trunk = new Vgg19();
        FormulaWeights.Fill(trunk);
        Dictionary<string, Tensor> weights = trunk.state_dict().ToDictionary(pair => $"features.{pair.Key}", pair => pair.Value);
        weights["features.30.weight"] = torch.zeros([1]);
        SafeTensors.Save(At("vgg19.safetensors"), weights);
        using var method = new Pix2PixHdMethod(Small with { VggWeights = At("vgg19.safetensors") }, Device.CPU);
        Tensor source = torch.rand([1, 3, 32, 32]), target = torch.rand([1, 3, 32, 32]);
        Tensor expected = VggLoss.Compute(trunk.forward, method.Generator.forward(source), target) * 10;
        Assert.Equal(expected.item(), method.TrainStep(source, target)["G_VGG"].item(), 1e-3 * Math.Abs(expected.item()));

        SafeTensors.Save(At("other.safetensors"), new Dictionary<string, Tensor> { ["features.0.weight"] = torch.zeros([1]) });
        Assert.Contains("not the weights of VGG-19", Assert.Throws<TinctorException>(() =>
            new Pix2PixHdMethod(Small with { VggWeights = At("other.safetensors") }, Device.CPU)).Message);
    }

    [Fact]
    public void Completed_refuses_unsuitable_settings()
    {
        Assert.Contains("model.gan_mode is wgangp", Refused(Small with { GanMode = GanMode.Wgangp }));
        Assert.Contains("model.generator is global, which has no local enhancer", Refused(Small with { Generator = "global" }));
        Assert.Contains("the VGG loss needs RGB images", Refused(Small with { VggWeights = "vgg.pth", OutputChannels = 1 }));
        Assert.Contains("missing.pth", Refused(Small with { VggWeights = At("missing.pth") }));
        Assert.Contains("no VGG loss", Small.Remarks([], [])[0]);

        static string Refused(Pix2PixHdConfig config) => Assert.Throws<TinctorException>(() => config.Completed()).Message;
    }

    [Theory]
    [InlineData("global", Norm.Instance), InlineData("local", Norm.Batch)]
    public void Import_infers_architecture(string generator, Norm norm)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Pix2PixHdConfig config = Small with { Generator = generator, Norm = norm, InputChannels = 4, NBlocksGlobal = 3, NBlocksLocal = 2 };
        using Module<Tensor, Tensor> network = config.CreateGenerator();
        ImportedModel model = Pix2PixHdImport.Read("latest_net_G.pth", network.state_dict(), "running");
        var found = (Pix2PixHdConfig)model.Config.Model;
        Assert.Equal((generator, norm, 4, 2, 2, 3, 3), (found.Generator, found.Norm, found.InputChannels, found.Ngf,
            found.NDownsampleGlobal, found.NBlocksGlobal, found.OutputChannels));
        if (generator == "local") Assert.Equal((1, 2), (found.NLocalEnhancers, found.NBlocksLocal));
    }

    private sealed class Watcher(Action<int> onStep, List<string> notes) : ITrainingObserver
    {
        public void Note(string text) => notes.Add(text);

        public void Step(TrainingProgress progress) => onStep(progress.Step);
    }
}
