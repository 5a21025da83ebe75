using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Models;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Learners;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Regression;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public sealed class RegressionMethodTests : DataFolder
{
    [Fact]
    public void PixelLoss_charbonnier_equals_formula()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor stained = FormulaTensor(0.3), target = FormulaTensor(0.4);
        double expected = stained.ToArray<double>().Zip(target.ToArray<double>(), (a, b) => Math.Sqrt(((a - b) * (a - b)) + 1e-6))
            .Average();
        Assert.Equal(expected, PixelLoss.Compute(PixelDistance.Charbonnier, stained, target).item(), 1e-12);

        static Tensor FormulaTensor(double speed) => Networks.FormulaWeights.Wave(speed, 2, 3, 4, 5);
    }

    [Fact]
    public void TrainStep_adds_weighted_lpips_of_named_files()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(4);
        using var network = new LpipsNetwork(LpipsNet.Squeeze);
        WriteLpips(network);
        UnetConfig plain = new() { Width = 2, Depth = 1, GradClip = 0 };
        using Method without = plain.Create(Device.CPU), with = ((UnetConfig)WithLpips(plain).Completed()).Create(Device.CPU);
        with.Generator.load_state_dict(without.Generator.state_dict());
        Tensor source = torch.rand([2, 3, 32, 32]) * 2 - 1, target = torch.rand([2, 3, 32, 32]) * 2 - 1;
        Tensor stained = without.Generator.forward(source).detach();
        IReadOnlyDictionary<string, Tensor> losses = with.TrainStep(source, target), alone = without.TrainStep(source, target);
        Assert.Equal(["l1", "lpips"], losses.Keys);
        Assert.Equal(alone["l1"].item(), losses["l1"].item(), 1e-6);
        double expected = network.Layers(stained, target).Sum(layer => layer.mean().item());
        Assert.Equal(expected, losses["lpips"].item(), 1e-5);
        Assert.True(expected > 0);
        // The gradient of LPIPS alone is the difference.
        Tensor more = with.Generator.parameters().Last().grad! - without.Generator.parameters().Last().grad!;
        Assert.True(more.abs().max().item() > 1e-6);
        Assert.Equal(["G"], with.Networks.Keys);
    }

    [Theory]
    [InlineData("unet", "model.width=4", "model.depth=2", "training.ema=0.9")]
    [InlineData("nafnet", "model.width=4", "model.enc_blk_nums=1,1", "model.dec_blk_nums=1,1", "model.middle_blk_num=1")]
    public void Train_stopped_run_resumes_with_same_weights_and_stains_any_size(string method, params string[] settings)
    {
        ManifestFile.Write(At("manifest.csv"), [.. Enumerable.Range(0, 3).Select(i => new Pair(Write($"source/{i}.png", 32, 32, i),
            Write($"target/{i}.png", 32, 32, 9 + i), "train", null, $"s{i}", PairLayout.TwoFiles))]);
        Assert.True(Trainer.Start(Settings(), At("whole"), new Watcher(_ => { })).Finished);
        var stop = new CancellationTokenSource();
        Assert.False(Trainer.Start(Settings(), At("cut"), new Watcher(step => { if (step == 2) stop.Cancel(); }), stop.Token).Finished);
        Assert.True(Trainer.Resume(At("cut"), new Watcher(_ => { })).Finished);
        Assert.Equal(ModelFolder.Sha256(At("whole")), ModelFolder.Sha256(At("cut")));
        Assert.True(File.Exists(At("whole/model/model.onnx")));
        using Stainer stainer = TrainedModel.LoadStainer(At("whole"), Device.CPU);
        Image stained = stainer.Stain(Noise(45, 27, 5)).Image;
        Assert.Equal((45, 27), (stained.Width, stained.Height));

        RunConfig Settings() => ConfigFile.Load(null, method, [$"data.path={Root}", "data.crop_size=32", "training.steps=4",
            "training.batch_size=2", "training.log_every=1", "training.device=cpu", "data.workers=1", "data.validation_share=0",
            .. settings]);
    }

    [Fact]
    public void Methods_have_official_defaults()
    {
        RunConfig run = RunConfig.Methods["nafnet"];
        var model = (NafNetConfig)run.Model;
        Assert.Equal((200_000, 32, Schedule.Cosine), (run.Training.Steps, run.Training.BatchSize, run.Training.Schedule));
        Assert.Equal((1e-3, 0.9, 0.9, 0.0, 0.01, PixelDistance.Psnr),
            (model.Lr, model.Beta1, model.Beta2, model.WeightDecay, model.GradClip, model.Loss));
        Assert.Equal(PixelDistance.L1, ((UnetConfig)RunConfig.Methods["unet"].Model).Loss);
    }

    [Theory]
    [InlineData("unet", "model.loss=l2", "model.loss is l2; expected l1, charbonnier or psnr")]
    [InlineData("unet", "data.crop_size=16", "the network needs at least 32. Use data.crop_size=32")]
    [InlineData("nafnet", "data.crop_size=40", "the network needs a multiple of 16. Use data.crop_size=32")]
    [InlineData("nafnet", "model.grad_clip=-1", "model.grad_clip is -1, expected 0 to")]
    public void Load_bad_settings_are_refused(string method, string setting, string problem) =>
        Assert.Contains(problem, Assert.Throws<TinctorException>(() => ConfigFile.Load(null, method, [setting])).Message);

    [Fact]
    public void Completed_refuses_missing_files_and_unequal_levels()
    {
        TinctorException lpips = Assert.Throws<TinctorException>(() => new UnetConfig { LambdaLpips = 1, LpipsTrunk = "a" }.Completed());
        Assert.Contains("model.lambda_lpips needs the weights of LPIPS", lpips.Message);
        Assert.Equal("model.lpips_lin", lpips.Option);
        Assert.Contains("expected 1 to 10 numbers, as many in both",
            Assert.Throws<TinctorException>(() => new NafNetConfig { DecBlkNums = [1] }.Completed()).Message);
        Assert.Contains("LPIPS needs RGB images, but model.output_channels is 1",
            Assert.Throws<TinctorException>(() => new UnetConfig { LambdaLpips = 1, OutputChannels = 1 }.Remarks([], [])).Message);
    }

    private UnetConfig WithLpips(UnetConfig config) => config with
    {
        LambdaLpips = 0.5,
        LpipsNetwork = LpipsNet.Squeeze,
        LpipsTrunk = At("trunk.safetensors"),
        LpipsLin = At("lin.safetensors"),
    };

    private void WriteLpips(LpipsNetwork network)
    {
        const string trunk = "trunk.";
        OrderedDictionary<string, Tensor> all = network.state_dict();
        foreach (Tensor weight in network.LinearWeights)
        {
            using Guard quiet = torch.no_grad();
            weight.abs_();
        }
        SafeTensors.Save(At("trunk.safetensors"), all.Where(pair => pair.Key.StartsWith(trunk))
            .ToDictionary(pair => "features." + pair.Key[trunk.Length..], pair => pair.Value));
        SafeTensors.Save(At("lin.safetensors"), network.LinearWeights.Index()
            .ToDictionary(each => $"lin{each.Index}.model.1.weight", each => each.Item));
    }

    private sealed class Watcher(Action<int> onStep) : ITrainingObserver
    {
        public void Note(string text) { }

        public void Step(TrainingProgress progress) => onStep(progress.Step);
    }
}
