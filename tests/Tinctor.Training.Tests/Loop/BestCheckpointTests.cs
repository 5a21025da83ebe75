using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Staining;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Runs;

namespace Tinctor.Training.Tests.Loop;

[Collection(Alone.Name)]
public sealed class BestCheckpointTests : DataFolder
{
    private const string Never = "training.min_improvement=1000";
    private static readonly string[] Tiny = ["model.generator=resnet_6blocks", "model.ngf=2", "model.ndf=2", "data.crop_size=24"];

    [Theory]
    [InlineData(false, new[] { 20, 21, 20.9, 21.05, 21.2 }, 21.2, 4, false)]
    [InlineData(false, new[] { 20, 21, 20.9, 21.05, 21.09 }, 21.09, 4, true)]
    [InlineData(true, new[] { 0.5, 0.3, double.NaN, 0.25, 0.29 }, 0.25, 3, true)]
    [InlineData(true, new[] { 0.5, 0.3, 0.31, 0.32, 0.1 }, 0.1, 4, false)]
    public void RecordScore_counts_validations_without_improvement(bool lower, double[] scores, double best, int bestStep, bool isStale)
    {
        using Method method = Config.Create(Device.CPU);
        var stopping = new TrainingConfig { Patience = 3, MinImprovement = 0.1 };
        using var state = new TrainingState(method, stopping, Device.CPU, "score", lower);
        for (int i = 0; i < scores.Length; i++)
        {
            Assert.False(state.IsStale);
            state.RecordScore(scores[i]);
            Assert.Equal(i == state.BestStep, state.IsBest);
            state.Save(At("state"));
            // Counters survive a resumed run.
            using var read = new TrainingState(method, stopping, Device.CPU, "score", lower);
            read.Load(At("state"));
            read.Save(At("again"));
            Assert.Equal(File.ReadAllBytes(At("state")), File.ReadAllBytes(At("again")));
            Assert.Equal((state.IsStale, state.BestStep), (read.IsStale, read.BestStep));
            if (i < scores.Length - 1) state.Advance();
        }
        Assert.Equal((best, bestStep, isStale), (state.BestScore, state.BestStep, state.IsStale));
    }

    [Fact]
    public void RecordScore_ignores_first_validations_for_patience()
    {
        using Method method = Config.Create(Device.CPU);
        using var state = new TrainingState(method, new TrainingConfig { Patience = 1, PatienceWarmUp = 2 }, Device.CPU, "psnr");
        foreach (double score in (double[])[30, 20, 10, 11]) state.RecordScore(score);
        Assert.False(state.IsStale);
        Assert.Equal(30, state.BestScore);
        state.RecordScore(11);
        Assert.True(state.IsStale);
    }

    [Fact]
    public void Load_of_other_score_searches_best_again()
    {
        using Method method = Config.Create(Device.CPU);
        using var psnr = new TrainingState(method, new TrainingConfig(), Device.CPU, "psnr");
        psnr.RecordScore(25);
        psnr.Save(At("state"));
        using var lpips = new TrainingState(method, new TrainingConfig(), Device.CPU, "lpips", lowerIsBetter: true);
        lpips.Load(At("state"));
        Assert.Null(lpips.BestScore);
        lpips.RecordScore(0.4);
        Assert.Equal(0.4, lpips.BestScore);
    }

    [Fact]
    public void Interrupted_run_stops_early_at_same_step_with_same_bytes()
    {
        Pairs();
        string[] settings = ["training.steps=20", "training.checkpoint_every=2", "training.patience=2", Never, "training.best=ssim"];
        var straight = new Notes();
        TrainingResult result = Trainer.Start(Settings(settings), At("straight"), straight);
        Assert.Equal((6, true), (result.Steps, result.Finished));
        Assert.Contains("stopped early after step 6: no improvement in 2 validations", straight.Lines);
        Assert.Contains("SSIM", result.Validation);
        Assert.Contains(",val_ssim", File.ReadLines(At("straight/metrics.csv")).First());

        foreach (int at in (int[])[3, 5])
        {
            using var stop = new CancellationTokenSource();
            string run = At($"stopped-{at}");
            Assert.False(Trainer.Start(Settings(settings), run, new Notes { OnStep = step => { if (step == at) stop.Cancel(); } },
                stop.Token).Finished);
            Assert.Equal(6, Trainer.Resume(run, new Notes()).Steps);
            foreach (string file in (string[])["step-00000006.safetensors", "best.safetensors"])
                Assert.Equal(File.ReadAllBytes(At($"straight/checkpoints/{file}")),
                    File.ReadAllBytes(Path.Combine(run, "checkpoints", file)));
        }
        Assert.Equal(6, Trainer.Resume(At("straight"), new Notes()).Steps);
    }

    [Fact]
    public void Model_after_early_stop_and_exported_best_have_weights_of_best_checkpoint()
    {
        Pairs();
        string run = At("run");
        Trainer.Start(Settings("training.steps=20", "training.checkpoint_every=1", "training.patience=2", Never, "model.lr=0.05"), run,
            new Notes());
        string best = Trainer.ExportBest(run, new Notes());
        Assert.Equal(Path.Combine(run, "best"), best);
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> checkpoint = SafeTensors.Load(Path.Combine(run, "checkpoints", "best.safetensors"));
        foreach (string folder in (string[])[best, Path.Combine(run, "model")])
        {
            OrderedDictionary<string, Tensor> weights = SafeTensors.Load(Path.Combine(folder, "model.safetensors"));
            Assert.NotEmpty(weights);
            Assert.All(weights, pair => Assert.True(torch.equal(checkpoint[$"networks.G.{pair.Key}"], pair.Value), pair.Key));
        }
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(best, "model.safetensors"));
        Trainer.ExportBest(run, new Notes());
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(best, "model.safetensors")));
        using Stainer stainer = TrainedModel.LoadStainer(best, Device.CPU);
        Assert.Contains("| Validation | PSNR", File.ReadAllText(Path.Combine(best, "README.md")));
    }

    [Fact]
    public void Run_without_patience_keeps_last_weights_and_names_best_step()
    {
        Pairs();
        TrainingResult result = Trainer.Start(Settings("training.steps=3", "training.checkpoint_every=1", "model.lr=0.5"), At("run"),
            new Notes());
        Assert.Equal(3, result.Steps);
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> last = SafeTensors.Load(At("run/checkpoints/step-00000003.safetensors"));
        Assert.All(SafeTensors.Load(At("run/model/model.safetensors")),
            pair => Assert.True(torch.equal(last[$"networks.G.{pair.Key}"], pair.Value), pair.Key));
        SafeTensors.Load(At("run/checkpoints/best.safetensors"), out OrderedDictionary<string, string> metadata);
        int best = (int)System.Text.Json.Nodes.JsonNode.Parse(metadata["training_state"])!["best_step"]!;
        Assert.Equal(best < 3, result.Validation!.Contains($"at step {best}", StringComparison.Ordinal));
    }

    [Fact]
    public void Start_without_validation_data_refuses_patience()
    {
        Pairs(slidesKnown: false);
        var error = Assert.Throws<OptionException>(() => Trainer.Start(Settings("training.patience=3"), At("run"), new Notes()));
        Assert.Contains("there is no validation data", error.Message);
        Assert.False(Directory.Exists(At("run")));
        Trainer.Start(Settings(), At("run"), new Notes());
        Assert.Contains("no best checkpoint", Assert.Throws<TinctorException>(() => Trainer.ExportBest(At("run"), new Notes())).Message);
    }

    private static readonly Pix2PixConfig Config = new() { Generator = "resnet_6blocks", Ngf = 2, Ndf = 2 };

    private RunConfig Settings(params string[] settings) => ConfigFile.Load(null, "pix2pix",
        [.. Tiny, $"data.path={Root}", "training.device=cpu", "training.steps=1", "data.validation_share=0.4", .. settings]);

    // Two pairs a slide, in four slides.
    private void Pairs(bool slidesKnown = true) => ManifestFile.Write(At("manifest.csv"), [.. Enumerable.Range(0, 8).Select(i => new Pair(
        Write($"source/{i}.png", 24, 24, i), Write($"target/{i}.png", 24, 24, 100 + i), slidesKnown ? "" : "train", null,
        slidesKnown ? $"slide{i / 2}" : "", PairLayout.TwoFiles))]);

    private sealed class Notes : ITrainingObserver
    {
        public List<string> Lines { get; } = [];

        public Action<int> OnStep { get; init; } = _ => { };

        public void Note(string text) => Lines.Add(text);

        public void Step(TrainingProgress progress) => OnStep(progress.Step);
    }
}
