using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Training.Classification;
using Tinctor.Training.Supervised;

namespace Tinctor.Cli.Tests;

public sealed class ClassifierCommandTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-classifier-").FullName;

    [Fact]
    public void Train_classifier_evaluates_other_models()
    {
        WriteData();
        Outcome trained = Train("judge", "--seed", "1", "--fold", "1", "--role", "evaluator");
        Assert.Equal(("", 0), (trained.Error, trained.Code));
        Assert.Contains("training on 4 images; validation: 4 images, fold 1 of 2, by slide", trained.All);
        Assert.Contains("quadratic kappa", trained.All);
        ClassifierCard card = SupervisedModel.ReadCard<ClassifierCard>(At("judge"), "classifier");
        Assert.Equal(("evaluator", "resnet18", 64), (card.Role, card.Architecture, card.ImageSize));

        Outcome judged = Evaluate("report", "--classifier", At("judge"), "--encoder", At("judge"), "--patch", "32");
        Assert.Equal(("", 0), (judged.Failures, judged.Code));
        string json = File.ReadAllText(At("report/metrics.json"));
        foreach (string part in (string[])["labels", "top5", "knn10", "kappa", "encoder", "auroc", card.Training.TrainingId])
            Assert.Contains(part, json);

        Assert.Contains("cannot evaluate a model trained with the comparator",
            Evaluate("refused", "--classifier", At("judge"), "--comparator", At("judge")).OneError());
        Directory.CreateDirectory(At("staining"));
        File.WriteAllText(At("staining/metrics.csv"), "step,epoch\n");
        File.WriteAllText(At("staining/config.yaml"),
            "method: x\nmodel:\n  comparator:\n    path: c\n    sha256: 00\n    seed: 1\n    fold: 1\n");
        Assert.Contains("both were trained with seed 1 and fold 1",
            Evaluate("refused", "--classifier", At("judge"), "--run", At("staining")).OneError());
        Assert.False(Directory.Exists(At("refused")));
        Assert.Contains("Train a classifier", CommandLine.Run("train", "--output", At("judge"), "--resume").OneError());
    }

    [Fact]
    public void Train_classifier_mistakes_are_one_line()
    {
        WriteData();
        Assert.Contains("--learning-rate does not go with --resume",
            CommandLine.Run("train", "classifier", "--output", At("x"), "--resume", "--learning-rate", "1").OneError());
        Assert.Contains("contains no run to resume", CommandLine.Run("train", "classifier", "--output", At("x"), "--resume").OneError());
        Assert.Contains("expected 0 to 1", Train("x", "--learning-rate", "7").OneError());
        Assert.Contains("fold 2 of 2 folds does not exist", Train("x", "--fold", "2").OneError());
        Assert.Contains("nowhere.pth", Train("x", "--weights", At("nowhere.pth")).OneError());
        Assert.Contains("no data set is named", CommandLine.Run("train", "classifier", "--output", At("x")).OneError());
        Assert.Contains("go together", Evaluate("refused", "--encoder-source", At("judge")).OneError());
    }

    private Outcome Train(string run, params string[] more) => CommandLine.Run(
        ["train", "classifier", "--data", At("data"), "--output", At(run), "--image-size", "64", "--steps", "3", "--batch-size", "4",
            "--folds", "2", "--device", "cpu", .. more]);

    private Outcome Evaluate(string report, params string[] more) => CommandLine.Run(
        ["evaluate", "--stained", At("data/target"), "--real", At("data/target"), "--source", At("data/source"),
            "--labels", At("data/labels.csv"), "-o", At(report), "--device", "cpu", "--no-alignment", "--resamples", "100", .. more]);

    private string At(string name) => Path.Combine(root, name);

    // Four slides of two fields to train on; a test slide whose images training cannot open, kept apart from those that are evaluated.
    private void WriteData()
    {
        var pairs = new List<Pair>();
        var labels = new List<string> { "name,label,slide_id" };
        for (int i = 0; i < 8; i++)
        {
            string source = At($"data/source/{i}.png"), target = At($"data/target/{i}.png"), label = i % 4 < 2 ? "0" : "3+";
            Directory.CreateDirectory(Path.GetDirectoryName(source)!);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            TrainedRun.Noise(64, 64, i).Write(source);
            Image image = TrainedRun.Noise(64, 64, 100 + i);
            for (int s = 0; s < image.Data.Length; s++) image.Data[s] = (byte)((image.Data[s] / 4) + (label == "0" ? 180 : 20));
            image.Write(target);
            pairs.Add(new(source, target, "train", label, $"slide{i / 2}", PairLayout.TwoFiles));
            labels.Add($"{i},{label},slide{i / 2}");
        }
        Directory.CreateDirectory(At("data/test"));
        File.WriteAllText(At("data/test/8.png"), "no image");
        pairs.Add(new(At("data/test/8.png"), At("data/test/8.png"), "test", "0", "slide9", PairLayout.TwoFiles));
        ManifestFile.Write(At("data/manifest.csv"), pairs);
        File.WriteAllLines(At("data/labels.csv"), labels);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);
}
