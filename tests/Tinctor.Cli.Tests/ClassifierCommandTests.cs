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
        Assert.Contains("parameters: network 11,", trained.All);
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
    public void Train_classifiers_of_halves_share_no_images()
    {
        WriteData();
        Assert.Equal(0, Train("a", "--half", "a").Code);
        Assert.Equal(0, Train("b", "--half", "b").Code);
        Assert.Equal(0, Train("all", "--seed", "9").Code);
        TrainingRecord a = Record("a"), b = Record("b");
        Assert.Equal((4, 4), (a.Images!.Count, b.Images!.Count));
        Assert.Equal(4, a.TrainSlides.Concat(a.ValidationSlides).Concat(b.TrainSlides).Concat(b.ValidationSlides).Distinct().Count());
        Assert.Equal(8, a.Images.Union(b.Images).Count());
        Outcome judged = Evaluate("report", "--classifier", At("b"), "--comparator", At("a"));
        Assert.Equal(("", 0), (judged.Failures, judged.Code));
        Assert.Contains("Real images (upper bound)", File.ReadAllText(At("report/tables/labels_labels.csv")));
        Assert.Contains("both were trained or validated on 4 of the same images. Train comparator and evaluator on different halves",
            Evaluate("refused", "--classifier", At("all"), "--comparator", At("a")).OneError());

        // A staining model's run names its comparator; the record in its model folder serves when the comparator is gone.
        Directory.CreateDirectory(At("staining/model"));
        File.WriteAllText(At("staining/metrics.csv"), "step,epoch\n");
        File.WriteAllText(At("staining/config.yaml"), "method: x\nmodel:\n  comparator:\n    path: gone\n    sha256: 00\n    seed: 5\n");
        ComparatorReference.FromFolder(At("a")).WriteTraining(At("staining/model"));
        Assert.Contains("on 4 of the same images",
            Evaluate("refused", "--classifier", At("all"), "--run", At("staining")).OneError());
        Assert.Equal(0, Evaluate("other", "--classifier", At("b"), "--run", At("staining")).Code);
        Assert.Contains("data.half is c, expected empty, a, b", Train("x", "--half", "c").OneError());

        TrainingRecord Record(string run) => SupervisedModel.ReadCard<ClassifierCard>(At(run), "classifier").Training;
    }

    [Fact]
    public void Compare_with_classifier_of_test_images_is_refused_before_training()
    {
        WriteData();
        Assert.Equal(0, Train("all").Code);
        Assert.Contains("the evaluator was trained or validated on 8 test images", CommandLine.Run("compare", "pix2pix", "cgan", "--data",
            TestSplit(), "--steps", "1", "--classifier", At("all"), "--set", "data.crop_size=64",
            "--set", "pix2pix:model.generator=resnet_6blocks", "-o", At("study")).OneError());
        Assert.False(Directory.Exists(At("study")));

        // The images of the training become test images.
        string TestSplit()
        {
            Pair[] pairs = [.. PairManifest.Read(At("data")).Pairs.Where(pair => pair.Split == "train")];
            Image.Read(pairs[0].Source).Write(At("extra.png"));
            ManifestFile.Write(At("data/tested.csv"), [.. pairs.Select(pair => pair with { Split = "test" }),
                pairs[0] with { Source = At("extra.png"), Target = At("extra.png"), SlideId = "other" }]);
            return At("data/tested.csv");
        }
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
