using System.Text.Json.Nodes;
using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Classification;
using Tinctor.Training.Configuration;
using Tinctor.Training.Files;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Tests.Loop;

[Collection(Alone.Name)]
public sealed class SupervisedTrainerTests : DataFolder
{
    [Fact]
    public void Train_saves_best_weights_and_complete_card()
    {
        Images();
        TrainingResult result = Train("run",
            "training.steps=6", "training.checkpoint_every=2", "training.lr=0.001", "seed=3", "role=evaluator");
        Assert.True(result.Finished);
        ClassifierCard card = SupervisedModel.ReadCard<ClassifierCard>(At("run"), "classifier");
        double best = File.ReadLines(At("run/metrics.csv")).Skip(1).Select(line => line.Split(',')[^1]).Where(cell => cell.Length > 0)
            .Max(double.Parse);
        Assert.Equal(best, card.Training.Score!.Value, 1e-6);
        Assert.Equal(card.Training.Score!.Value, card.Validation!.Accuracy, 1e-12);
        Assert.Equal(["dark", "light"], card.Classes);
        Assert.Equal((3UL, 1, 2, 6, "evaluator"),
            (card.Training.Seed, card.Training.Fold, card.Training.Folds, card.Training.Steps, card.Role));
        Assert.Equal(["s0", "s1", "s2", "s3"], card.Training.TrainSlides.Concat(card.Training.ValidationSlides).Order());
        Assert.Equal(["s9"], card.Training.TestSlides);
        Assert.Equal((0.25, 64, 1.0), (card.Mpp, card.StoredSize, card.Scale)); // images of 64 pixels as they are
        using (torch.NewDisposeScope())
        {
            SafeTensors.Load(At("run/checkpoints/best.safetensors"), out OrderedDictionary<string, string> metadata);
            JsonNode numbers = JsonNode.Parse(metadata["training_state"])!;
            Assert.Equal(("accuracy", card.Training.Score), ((string)numbers["score"]!, (double?)numbers["best_score"]));
        }
        RefuseNewer(At("run"));
        using (OnnxNetwork? onnx = SupervisedModel.OpenOnnx(At("run"), "model.onnx", Device.CPU))
            Assert.Equal(["features", "logits"], onnx!.Outputs.Select(output => output.Name));

        using Classifier classifier = Classifier.Load(At("run"), Device.CPU);
        string[] held = [.. Directory.GetFiles(At("target"))
            .Where(file => card.Training.ValidationSlides.Any(Path.GetFileName(file).StartsWith))];
        int[] predictions = [.. classifier.Run(held).Select(output => Array.IndexOf(output.Logits, output.Logits.Max()))];
        int right = held.Zip(predictions).Count(pair => pair.First.Contains(card.Classes[pair.Second]));
        Assert.Equal(card.Validation.Accuracy, right / (double)held.Length, 1e-9);
    }

    [Fact]
    public void Train_learns_simple_task()
    {
        Images();
        Train("run", "training.steps=25", "training.lr=0.001", "training.log_every=5", "training.ema=0", "data.stain_jitter=0");
        double[] losses = [.. File.ReadLines(At("run/metrics.csv")).Skip(1)
            .Select(line => line.Split(',')[2]).Where(cell => cell.Length > 0).Select(double.Parse)];
        Assert.True(losses[^1] < 0.5 * losses[0], string.Join(' ', losses));
    }

    [Fact]
    public void Resume_stopped_run_gives_same_bytes()
    {
        Images();
        // A comparator is trained with noise.
        string[] settings = ["training.steps=5", "training.checkpoint_every=2", "role=comparator"];
        Train("whole", settings);
        var stop = new CancellationTokenSource();
        Assert.False(Train("cut", new Watcher(step => { if (step == 3) stop.Cancel(); }), stop.Token, settings).Finished);
        Assert.False(Directory.Exists(At("cut/model")));
        Assert.True(SupervisedTrainer.Resume<ClassifierConfig>(At("cut"), new Watcher(_ => { })).Finished);
        Assert.Equal(SupervisedModel.Sha256(At("whole")), SupervisedModel.Sha256(At("cut")));
        Assert.NotEqual(SupervisedModel.ReadCard<ClassifierCard>(At("whole"), "classifier").Training.TrainingId,
            SupervisedModel.ReadCard<ClassifierCard>(At("cut"), "classifier").Training.TrainingId);
    }

    [Fact]
    public void Train_only_comparator_has_noise_by_default()
    {
        Images();
        Assert.Equal(Weights("comparator", "role=comparator"), Weights("noisy", "noise=1"));
        Assert.Equal(Weights("evaluator", "role=evaluator"), Weights("quiet", "role=comparator", "noise=0"));
        Assert.NotEqual(SupervisedModel.Sha256(At("comparator")), SupervisedModel.Sha256(At("evaluator")));

        string Weights(string name, params string[] settings)
        {
            Train(name, ["training.steps=2", .. settings]);
            return SupervisedModel.Sha256(At(name));
        }
    }

    [Fact]
    public void Load_other_or_damaged_model_is_one_line()
    {
        Directory.CreateDirectory(At("empty"));
        Assert.Contains("contains no classifier", Refused("empty"));
        Directory.CreateDirectory(At("other"));
        File.WriteAllText(At("other/model.safetensors"), "");
        File.WriteAllText(At("other/card.json"), """{"kind": "segmenter", "training": null}""");
        Assert.Contains("the model is a segmenter, expected a classifier", Refused("other"));
        File.WriteAllText(At("other/card.json"), """{"kind": "classifier", "training": null}""");
        Assert.Contains("the card is damaged", Refused("other"));
        File.WriteAllText(At("other/card.json"), """{"format": "tinctor-card", "version": 2, "kind": "classifier"}""");
        Assert.Contains("the format has version 2, but this program reads up to version 1", Refused("other"));

        string Refused(string folder) =>
            Assert.ThrowsAny<TinctorException>(() => SupervisedModel.ReadCard<ClassifierCard>(At(folder), "classifier")).Message;
    }

    [Fact]
    public void ReadCard_of_earlier_version_succeeds()
    {
        Images();
        Train("run", "training.steps=1");
        string path = At("run/model/card.json");
        JsonObject card = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        Assert.Equal(("tinctor-card", 1), ((string)card["format"]!, (int)card["version"]!));
        string id = Classifier.ReadCard(At("run")).Training.TrainingId;
        card.Remove("format");
        card.Remove("version");
        File.WriteAllText(path, card.ToJsonString());
        Assert.Equal(id, Classifier.ReadCard(At("run")).Training.TrainingId);
    }

    // The environment of a newer version may stand beside settings that this version does not know.
    private static void RefuseNewer(string run)
    {
        string path = Path.Combine(run, "environment.json");
        JsonObject environment = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        Assert.Equal(("tinctor-run", 1), ((string)environment["format"]!, (int)environment["version"]!));
        environment["version"] = 2;
        File.WriteAllText(path, environment.ToJsonString());
        string message = Assert.Throws<NewerFormatException>(
            () => SupervisedTrainer.Resume<ClassifierConfig>(run, new Watcher(_ => { }))).Message;
        Assert.StartsWith($"{path}: the format has version 2", message);
    }

    private TrainingResult Train(string run, params string[] settings) => Train(run, new Watcher(_ => { }), default, settings);

    private TrainingResult Train(string run, ITrainingObserver observer, CancellationToken stop, params string[] settings) =>
        SupervisedTrainer.Start(ConfigFile.Read<ClassifierConfig>(null,
            [$"data.path={Root}", "data.image_size=64", "data.folds=2", "data.fold=1", "training.batch_size=4", "training.device=cpu",
                "data.workers=1", .. settings]), At(run), observer, stop);

    // Dark and light images of four slides, and a test slide whose images nobody can open.
    private void Images()
    {
        var pairs = new List<Pair>();
        foreach (int slide in (int[])[0, 1, 2, 3, 9])
        {
            for (int field = 0; field < 2; field++)
            {
                string label = slide % 2 == 0 ? "dark" : "light", name = $"s{slide}_{field}_{label}.png";
                string target = Write($"target/{name}", 64, 64, (10 * slide) + field);
                Image image = Image.Read(target);
                for (int i = 0; i < image.Data.Length; i++) image.Data[i] = (byte)((image.Data[i] / 4) + (label == "dark" ? 20 : 180));
                image.Write(target);
                if (slide == 9) File.WriteAllText(target, "no image");
                string source = Write($"source/{name}", 64, 64), split = slide == 9 ? "test" : "train";
                pairs.Add(new(source, target, split, label, $"s{slide}", PairLayout.TwoFiles) { Mpp = 0.25 });
            }
        }
        ManifestFile.Write(At("manifest.csv"), pairs);
    }

    private sealed class Watcher(Action<int> onStep) : ITrainingObserver
    {
        public void Note(string text) { }

        public void Step(TrainingProgress progress) => onStep(progress.Step);
    }
}
