using System.Globalization;
using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods;
using Tinctor.Training.Runs;

namespace Tinctor.Training.Tests.Loop;

[Collection(Alone.Name)]
public sealed class TrainerTests : DataFolder
{
    private static readonly string[] Tiny = ["model.generator=resnet_6blocks", "model.ngf=2", "model.ndf=2", "data.crop_size=24"];

    [Theory]
    [InlineData("lr_100_100", 100, 100), InlineData("lr_60_40", 60, 40), InlineData("lr_30_10", 30, 10)]
    public void LearningRateFactor_by_epochs_equals_official_schedule(string key, int epochs, int decay)
    {
        string path = TestVectors.Path("p2p_lr_linear/io_f64.safetensors");
        double[] expected = SafeTensors.Load(path)[key].ToArray<double>();
        var training = new TrainingConfig { Epochs = epochs, EpochsDecay = decay };
        Assert.Equal(epochs + decay, expected.Length);
        for (int epoch = 0; epoch < expected.Length; epoch++)
            Assert.Equal(expected[epoch], 2e-4 * MethodLoop.LinearByEpoch(training, epoch), 1e-15);
    }

    [Fact]
    public void LearningRateFactor_continues_with_epoch_count()
    {
        var training = new TrainingConfig { Epochs = 60, EpochsDecay = 40 };
        TrainingConfig continued = training with { EpochCount = 71 };
        Assert.Equal(30, continued.TotalEpochs);
        for (int epoch = 0; epoch < 30; epoch++)
            Assert.Equal(MethodLoop.LinearByEpoch(training, 70 + epoch), MethodLoop.LinearByEpoch(continued, epoch));
    }

    [Fact]
    public void LearningRateFactor_by_epochs_of_gamma()
    {
        var training = new TrainingConfig { Schedule = Schedule.Step, LrStepEpochs = 50, LrGamma = 0.1 };
        Assert.Equal([1, 1, 0.1, 0.1, 0.01],
            new[] { 0, 49, 50, 99, 100 }.Select(epoch => Math.Round(LearningRateSchedule.Factor(training, 7 * epoch, 1000, epoch), 9)));
    }

    [Fact]
    public void Plateau_reduces_after_patience_and_resumes()
    {
        var config = new TrainingConfig { Schedule = Schedule.Plateau, PlateauPatience = 1 };
        using var schedule = new PlateauSchedule(config, lowerIsBetter: false);
        double[] scores = [20, 20.1, 25, 25.1, 25.2, 25.2, 25.2];
        double[] factors = [1, 1, 1, 1, 0.2, 0.2, 0.04];
        for (int i = 0; i < scores.Length; i++)
        {
            using var resumed = new PlateauSchedule(config, lowerIsBetter: false);
            resumed.Load(schedule.State());
            foreach (PlateauSchedule each in (PlateauSchedule[])[schedule, resumed])
            {
                each.Record(scores[i]);
                Assert.Equal(factors[i], each.Factor, 1e-12);
            }
        }
    }

    [Fact]
    public void Start_plateau_without_validation_is_refused()
    {
        Pairs(4);
        string message = Assert.Throws<OptionException>(() => Trainer.Start(
            Settings() with { Training = Settings().Training with { Schedule = Schedule.Plateau } }, At("run"), new Silent())).Message;
        Assert.Contains("training.schedule is plateau, but there is no validation data", message);
    }

    [Fact]
    public void Start_whole_images_with_checkpoints_by_epochs()
    {
        Pairs(4);
        RunConfig config = Settings() with { Data = Settings().Data with { Preprocess = "none" } };
        Assert.True(Trainer.Start(config with
        {
            Training = new TrainingConfig { Epochs = 4, EpochsDecay = 2, EpochCount = 3, CheckpointEpochs = 2, Device = "cpu" },
        }, At("run"), new Silent()).Finished);
        Assert.Equal([4, 8], Directory.GetFiles(At("run/checkpoints"), "step-*").Order(StringComparer.Ordinal)
            .Select(file => int.Parse(Path.GetFileNameWithoutExtension(file)["step-".Length..], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void LearningRateFactor_by_steps_falls_over_second_half()
    {
        var training = new TrainingConfig { Steps = 10 };
        Assert.Equal([1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2],
            Enumerable.Range(0, 10).Select(step => Math.Round(LearningRateSchedule.Factor(training, step, 10), 12)));
    }

    [Fact]
    public void LearningRateFactor_by_steps_of_gamma_equals_StepLR()
    {
        TrainingConfig training = RunConfig.Methods["i2sb"].Training with { LrStep = 3 };
        using DisposeScope scope = torch.NewDisposeScope();
        using var optimizer = new SGD([torch.zeros([1]).requires_grad_()], 5e-5);
        var official = new StepLR(optimizer, 3, 0.99);
        for (int step = 0; step < 10; step++, official.step())
            Assert.Equal(optimizer.param_groups[0].lr, 5e-5 * LearningRateSchedule.Factor(training, step, 10), 1e-18);
    }

    [Fact]
    public void LearningRateFactor_of_cosine_and_constant_with_warm_up()
    {
        var training = new TrainingConfig { Steps = 8, Schedule = Schedule.Constant, LrWarmUp = 4 };
        Assert.Equal([0.25, 0.5, 0.75, 1, 1, 1, 1, 1], Factors());
        training = training with { Schedule = Schedule.Cosine, LrWarmUp = 0 };
        Assert.Equal([1, 0.962, 0.854, 0.691, 0.5, 0.309, 0.146, 0.038], Factors());

        IEnumerable<double> Factors() =>
            Enumerable.Range(0, 8).Select(step => Math.Round(LearningRateSchedule.Factor(training, step, 8), 3));
    }

    [Fact]
    public void Resume_run_without_schedule_keeps_linear_decay()
    {
        string path = At("config.yaml");
        File.WriteAllText(path, ConfigFile.Write(ConfigFile.Load(null, "i2sb")));
        Assert.Equal(Schedule.Step, ConfigFile.LoadRun(path, out _).Training.Schedule);
        File.WriteAllText(path, File.ReadAllText(path).Replace("  schedule: step\n", ""));
        Assert.Equal(Schedule.Linear, ConfigFile.LoadRun(path, out _).Training.Schedule);
    }

    [Theory]
    [InlineData(true, "loss = NaN"), InlineData(false, "the weights of network G are not finite")]
    public void Train_divergence_stops_with_step_files_and_advice(bool inLoss, string what)
    {
        Pairs(4);
        var config = new RunConfig
        {
            Data = new DataConfig { Path = Root, CropSize = 16 },
            Training = new TrainingConfig { Steps = 8, Device = "cpu", CheckpointEvery = 2 },
            Model = new PoisonedConfig { InLoss = inLoss },
        };
        string message = Assert.Throws<TinctorException>(() => Trainer.Start(config, At("run"), new Silent())).Message;
        Assert.StartsWith($"training diverged in step {(inLoss ? 5 : 6)}: {what}", message);
        Assert.Matches(@"source.\d\.png", message);
        Assert.Contains("reduce the learning rate", message);
        Assert.Contains("resume from the last checkpoint", message);
        Assert.Equal("step-00000004.safetensors",
            Directory.GetFiles(At("run/checkpoints")).Select(Path.GetFileName).Order(StringComparer.Ordinal).Last());
    }

    [Fact]
    public void Start_and_Resume_of_running_training_are_refused()
    {
        Pairs(4);
        string run = At("run");
        var refused = new List<string>();
        var notes = new Silent
        {
            OnStep = () =>
            {
                refused.Add(Assert.Throws<TinctorException>(() => Trainer.Resume(run, new Silent())).Message);
                refused.Add(Assert.Throws<TinctorException>(() => Train(run)).Message);
            },
        };
        Assert.True(Trainer.Start(Settings(), run, notes).Finished);
        Assert.StartsWith($"{run}: is in use by process {Environment.ProcessId} on ", refused[0]);
        Assert.Contains("already contains a run", refused[1]);
        Assert.All(refused, line => Assert.DoesNotContain('\n', line));
        Assert.Empty(Directory.GetFiles(run, ".train.lock*"));
        Assert.True(Trainer.Resume(run, new Silent()).Finished);
    }

    [Fact]
    public void Start_in_locked_folder_is_refused()
    {
        Pairs(4);
        string run = At("run");
        using (RunFolder.Lock(run)) Assert.Contains($"is in use by process {Environment.ProcessId}", Refused());
        Assert.True(Train(run).Finished);

        string Refused() => Assert.Throws<TinctorException>(() => Train(run)).Message;
    }

    // The data is checked before the folder is locked, and notes come meanwhile.
    [Fact]
    public void Start_in_folder_taken_during_start_is_refused()
    {
        Pairs(4);
        string run = At("run"), config = "";
        var notes = new Silent
        {
            OnNote = () =>
            {
                if (config.Length > 0) return;
                Train(run, "seed=7");
                config = File.ReadAllText(Path.Combine(run, "config.yaml"));
            },
        };
        Assert.Contains("already contains a run", Assert.Throws<TinctorException>(() => Trainer.Start(Settings(), run, notes)).Message);
        Assert.Equal(config, File.ReadAllText(Path.Combine(run, "config.yaml")));
        Assert.Empty(Directory.GetFiles(run, ".train.lock*"));
    }

    [Fact]
    public void Resume_with_changed_data_is_refused()
    {
        Pairs(4);
        string run = At("run");
        Assert.True(Train(run).Finished);
        Assert.True(Trainer.Resume(run, new Silent()).Finished);

        string manifest = File.ReadAllText(At("manifest.csv"));
        File.WriteAllText(At("manifest.csv"), manifest.Replace("slide0", "slide9"));
        Assert.Contains("manifest.csv", Refused());
        File.WriteAllText(At("manifest.csv"), manifest);
        Write("source/0.png", 24, 24, seed: 99);
        Assert.Contains("the data has changed since the start of the run (source/0.png)", Refused());
        File.WriteAllText(Path.Combine(run, "environment.json"), "{");
        Assert.Contains("environment.json", Refused());

        string Refused() => Assert.Throws<TinctorException>(() => Trainer.Resume(run, new Silent())).Message;
    }

    [Fact]
    public void Resume_damaged_checkpoint_falls_back_to_previous()
    {
        Pairs(4);
        string run = At("run");
        Train(run, "training.steps=4", "training.checkpoint_every=1");
        File.Delete(Path.Combine(run, "model", "model.safetensors"));
        string newest = Path.Combine(run, "checkpoints", "step-00000004.safetensors");
        byte[] whole = File.ReadAllBytes(newest);
        File.WriteAllBytes(newest, whole[..(whole.Length / 2)]);
        var notes = new Silent();
        Assert.Equal(4, Trainer.Resume(run, notes).Steps);
        Assert.Contains(notes.Notes, note => note.Contains("resumed after step 3"));
        Assert.Equal(whole, File.ReadAllBytes(newest));
    }

    [Fact]
    public void Resume_run_without_method_is_pix2pix_with_note()
    {
        Pairs(4);
        string run = At("run"), config = Path.Combine(run, "config.yaml");
        Train(run);
        var notes = new Silent();
        Trainer.Resume(run, notes);
        Assert.DoesNotContain(notes.Notes, note => note.Contains("names no method"));
        File.WriteAllText(config, File.ReadAllText(config).Replace("method: pix2pix\n", ""));
        Assert.True(Trainer.Resume(run, notes).Finished);
        Assert.Contains($"{config} names no method; assuming pix2pix", notes.Notes);
    }

    [Theory]
    [InlineData(16, false), InlineData(18, true)]
    public void Log_and_card_state_number_of_scored_validation_pairs(int count, bool partly)
    {
        List<Pair> pairs = Pairs(count + 4, split: false);
        ManifestFile.Write(At("manifest.csv"), [.. pairs.Select((pair, i) => pair with { Split = i < count ? "val" : "train" })]);
        var notes = new Silent();
        Trainer.Start(Settings(), At("run"), notes);
        Assert.Equal(partly, notes.Notes.Contains($"checkpoints are scored on 16 of {count} validation pairs"));
        Assert.Equal(partly, File.ReadAllText(At("run/model/README.md")).Contains($"the val split (16 of {count} pairs) |"));
    }

    [Fact]
    public void Start_images_smaller_than_crop_is_one_line_with_settings()
    {
        Pairs(4);
        var error = Assert.Throws<TinctorException>(() => Train(At("run"), "data.crop_size=32"));
        Assert.Contains("2 files: smaller than the crop of 32 pixels (0.png, 1.png); "
            + "0.png: 24x24 pixels, smaller than the crop of 32 pixels. Use data.crop_size=24, or", error.Message);
        Assert.Equal("Set", error.Option);
        Assert.False(File.Exists(At("run/config.yaml")));
    }

    [Fact]
    public void Read_validation_slides_are_not_training_slides()
    {
        List<Pair> pairs = Pairs(12, split: false);
        TrainingData data =
            TrainingData.Read(new DataConfig { Path = Root, CropSize = 24, TestSlides = ["slide0"], ValidationShare = 0.3 }, seed: 3);
        Assert.Equal(12, pairs.Count);
        Assert.Equal(10, data.Train.Count + data.Validation.Count);
        Assert.NotEmpty(data.Validation);
        Assert.Empty(data.Train.Select(pair => pair.SlideId).Intersect(data.Validation.Select(pair => pair.SlideId)));
        Assert.DoesNotContain("slide0", data.Train.Concat(data.Validation).Select(pair => pair.SlideId));
    }

    [Fact]
    public void Read_named_slides_with_splits_are_refused()
    {
        Pairs(6);
        var config = new DataConfig { Path = Root, CropSize = 24, ValSlides = ["slide0"] };
        Assert.Contains("the data has splits", Assert.Throws<TinctorException>(() => TrainingData.Read(config, 0)).Message);
    }

    private TrainingResult Train(string run, params string[] settings) => Trainer.Start(Settings(settings), run, new Silent());

    private RunConfig Settings(params string[] settings) =>
        ConfigFile.Load(null, "pix2pix", [.. Tiny, $"data.path={Root}", "training.device=cpu", "training.steps=1", .. settings]);

    // Two pairs a slide; the last slide is for testing, and its images are none: nothing that trains may open them.
    private List<Pair> Pairs(int count, bool split = true)
    {
        var pairs = new List<Pair>();
        for (int i = 0; i < count; i++)
        {
            bool test = split && i >= count - 2;
            string source = Write($"source/{i}.png", 24, 24, i), target = Write($"target/{i}.png", 24, 24, 100 + i);
            if (test) File.WriteAllText(source, "no image");
            pairs.Add(new(source, target, split ? test ? "test" : "train" : "", null, $"slide{i / 2}", PairLayout.TwoFiles));
        }
        ManifestFile.Write(At("manifest.csv"), pairs);
        return pairs;
    }

    private sealed class Silent : ITrainingObserver
    {
        public List<string> Notes { get; } = [];

        public Action OnStep { get; init; } = () => { };

        public Action OnNote { get; init; } = () => { };

        public void Note(string text)
        {
            Notes.Add(text);
            OnNote();
        }

        public void Step(TrainingProgress progress) => OnStep();
    }

    /// <summary>A method that breaks in its fifth step: in its loss, or in its weights alone.</summary>
    private sealed record PoisonedConfig : MethodConfig
    {
        public bool InLoss { get; init; }

        public override int SizeMultiple => 1;

        public override Method Create(Device device) => new PoisonedMethod(InLoss);

        public override Module<Tensor, Tensor> CreateGenerator() => new Conv2d(3, 3, 1);
    }

    private sealed class PoisonedMethod : Method
    {
        private readonly bool inLoss;
        private readonly Conv2d network;
        private readonly SGD optimizer;
        private int step;

        public PoisonedMethod(bool inLoss)
        {
            this.inLoss = inLoss;
            network = new Conv2d(3, 3, 1);
            optimizer = new SGD(network.parameters(), 0.1);
        }

        public override Module<Tensor, Tensor> Generator => network;

        public override IReadOnlyDictionary<string, Module> Networks => new Dictionary<string, Module> { ["G"] = network };

        public override IReadOnlyDictionary<string, Optimizer> Optimizers => new Dictionary<string, Optimizer> { ["G"] = optimizer };

        public override IReadOnlyDictionary<string, Tensor> TrainStep(
            Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
        {
            bool poison = ++step == 5;
            using Guard quiet = torch.no_grad();
            if (poison && !inLoss) network.weight.fill_(double.NaN);
            return new Dictionary<string, Tensor> { ["loss"] = torch.full([], poison && inLoss ? double.NaN : 1) };
        }
    }
}
