using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Models;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Configuration;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.BciStainer;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public sealed class BciStainerMethodTests : DataFolder
{
    private static readonly BciStainerConfig Small =
        new() { Ngf = 2, Ndf = 2, NBlocks = 1, FullSize = 64, Dropout = 0, ComparatorSteps = 1 };

    [Fact]
    public void TrainStep_losses_equal_formulas()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(3);
        using var method = new BciStainerMethod(Small with { ComparatorSteps = 0, LabelSmoothing = 0 }, Device.CPU);
        var netG = (BciStainerGenerator)method.Generator;
        var netD = (BciStainerDiscriminator)method.Networks["D"];
        var netC = (BciStainerComparator)method.Networks["C"];
        (Tensor source, Tensor target) = (Images(), Images());
        (Tensor stained, Tensor small, Tensor logits) = netG.Run(source);
        netC.eval();
        var expected = new Dictionary<string, double>
        {
            ["D_real"] = netD.Scales(target).Average(scale => (scale - 1).square().mean().item()),
            ["D_fake"] = netD.Scales(stained).Average(scale => scale.square().mean().item()),
            ["mae"] = (stained - target).abs().mean().item(),
            ["mae_small"] = (small - F.interpolate(target, (Size2)8, mode: "bilinear", align_corners: true)).abs().mean().item(),
            ["ssim"] = SsimLoss.Compute(stained, target, window: 9, sigma: 2.375).item(),
            ["level"] = FocalLoss.Compute(logits, torch.tensor<long>([3, 0]), 2, [0.5, 0.2, 0.2, 0.1]).item(),
            ["cmp"] = CosineLoss.Compute(netC.Latent(stained), netC.Latent(target)).item(),
        };
        IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(source, target, ["3+", "0"]);
        foreach ((string name, double value) in expected) Assert.Equal(value, losses[name].item(), 1e-5);
        Assert.Equal(expected.Keys.Append("GAN").Order(StringComparer.Ordinal), losses.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TrainStep_comparator_learns_first_then_guides()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(4);
        using var method = new BciStainerMethod(Small with { ComparatorSteps = 2 }, Device.CPU);
        Tensor[] start = Weights();
        for (int step = 0; step < 4; step++)
        {
            // The schedule of the run is not the comparator's.
            method.Optimizers["C"].param_groups[0].lr = 0;
            IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(Images(), Images(), ["1+", "2+"]);
            Assert.Equal((step < 2, step >= 2), (losses.ContainsKey("C_level"), losses.ContainsKey("cmp")));
            Assert.All(losses.Values, loss => Assert.True(double.IsFinite(loss.item())));
            Tensor[] now = Weights();
            Assert.Equal(step < 2, now.Zip(start).Any(pair => !torch.equal(pair.First, pair.Second)));
            start = now;
        }
        Assert.Equal(4, method.State["comparator.step"].item());

        Tensor[] Weights() => [.. method.Networks["C"].state_dict().Values.Select(value => value.detach().clone())];
    }

    [Fact]
    public void TrainStep_without_levels_has_no_comparator()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var method = new BciStainerMethod(Small with { ComparatorSteps = 1 }, Device.CPU);
        for (int step = 0; step < 2; step++)
            Assert.Equal(["D_fake", "D_real", "GAN", "mae", "mae_small", "ssim"],
                method.TrainStep(Images(), Images()).Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void GanLoss_labels_are_smoothed()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double Real(double smoothing)
        {
            torch.manual_seed(5);
            using var method = new BciStainerMethod(Small with { LabelSmoothing = smoothing }, Device.CPU);
            return method.TrainStep(Images(), Images())["D_real"].item();
        }
        Assert.InRange(Math.Abs(Real(0.1) - Real(0)), 1e-4, 0.2);
    }

    [Fact]
    public void CompletedFor_trains_comparator_and_warms_up_for_a_third()
    {
        var pair = new Pair("a", "b", "train", "0", "s", PairLayout.TwoFiles);
        var data = new TrainingData(null!, [.. Enumerable.Repeat(pair, 20)], [], "");
        Assert.Equal((150, 150), Completed()); // 450 steps: 3 of each of 150 epochs
        Assert.Equal((30, 30), Completed("training.steps=90"));
        Assert.Equal((7, 5), Completed("training.steps=90", "model.comparator_steps=7", "training.lr_warm_up=5"));
        Assert.Equal((30, 0), Completed("training.steps=90", "training.schedule=constant"));

        (int?, int) Completed(params string[] settings)
        {
            RunConfig run = ConfigFile.Load(null, "bcistainer", settings);
            run = MethodLoop.Completed(run, data, _ => { });
            return (((BciStainerConfig)run.Model).ComparatorSteps, run.Training.LrWarmUp);
        }
    }

    [Fact]
    public void Train_stopped_run_resumes_with_same_weights_and_stains_with_level()
    {
        ManifestFile.Write(At("manifest.csv"), [.. Enumerable.Range(0, 4).Select(i => new Pair(Write($"source/{i}.png", 64, 64, i),
            Write($"target/{i}.png", 64, 64, 9 + i), "train", i % 2 == 0 ? "0" : "3+", $"s{i}", PairLayout.TwoFiles))]);
        Train("whole");
        var stop = new CancellationTokenSource();
        Assert.False(Trainer.Start(Settings(), At("cut"), new Watcher(step => { if (step == 2) stop.Cancel(); }), stop.Token).Finished);
        Assert.True(Trainer.Resume(At("cut"), new Watcher(_ => { })).Finished);
        Assert.Equal(ModelFolder.Sha256(At("whole")), ModelFolder.Sha256(At("cut")));
        Assert.Equal(["C_level", "cmp"],
            File.ReadLines(At("whole/metrics.csv")).First().Split(',').Where(name => name is "C_level" or "cmp"));

        using Stainer stainer = TrainedModel.LoadStainer(At("whole"), Device.CPU);
        StainedImage stained = stainer.Stain(Image.Read(At("source/0.png")));
        Assert.Equal((64, 4), (stained.Image.Width, stained.IhcLevel!.Probabilities.Count));
        Assert.Equal(1, stained.IhcLevel.Probabilities.Sum(), 1e-5);
        Assert.True(File.Exists(At("whole/model/model.onnx")));

        void Train(string run) => Assert.True(Trainer.Start(Settings(), At(run), new Watcher(_ => { })).Finished);

        RunConfig Settings() => ConfigFile.Load(null, "bcistainer", [$"data.path={Root}", "data.crop_size=64", "model.ngf=2", "model.ndf=2",
            "model.n_blocks=1", "model.full_size=64", "model.comparator_steps=2", "training.steps=4", "training.batch_size=2",
            "training.log_every=1", "training.device=cpu", "data.workers=1", "data.validation_share=0"]);
    }

    private sealed class Watcher(Action<int> onStep) : ITrainingObserver
    {
        public void Note(string text) { }

        public void Step(TrainingProgress progress) => onStep(progress.Step);
    }

    /// <summary>Official: linear for 50 of 150 epochs, then half a cosine period to 0.</summary>
    [Fact]
    public void Schedule_equals_official()
    {
        var training = new TrainingConfig { Schedule = Schedule.Cosine, LrWarmUp = 50 };
        for (int step = 0; step < 150; step += 7)
        {
            double expected = step < 50 ? (step + 1) / 50.0 : 0.5 * (1 + Math.Cos(Math.PI * (step - 50) / 100));
            Assert.Equal(expected, LearningRateSchedule.Factor(training, step, 150), 1e-12);
        }
    }

    [Fact]
    public void Remarks_check_levels_and_weights()
    {
        Pair[] Pairs(params string?[] labels) =>
            [.. labels.Select((label, i) => new Pair($"{i}", "t", "train", label, $"{i}", PairLayout.TwoFiles))];
        Assert.Empty(Small.Remarks(Pairs("0", "3+"), []));
        Assert.Contains("1 of 2 pairs have no IHC level", Small.Remarks(Pairs("0", null), [])[0]);
        Assert.Contains("the comparator are disabled", Small.Remarks(Pairs(null, null), [])[0]);
        Assert.Contains("expected one of model.levels", Refused(Small, "4+"));
        Assert.Contains("model.level_weights is 1, expected a number from 0 on for each of 4 levels",
            Refused(Small with { LevelWeights = [1] }, "0"));
        Assert.Contains("model.gan_mode is wgangp", Refused(Small with { GanMode = GanMode.Wgangp }, "0"));

        string Refused(BciStainerConfig config, string label) =>
            Assert.Throws<TinctorException>(() => config.Remarks(Pairs(label), [])).Message;
    }

    private static Tensor Images() => torch.rand([2, 3, 64, 64]) * 2 - 1;
}
