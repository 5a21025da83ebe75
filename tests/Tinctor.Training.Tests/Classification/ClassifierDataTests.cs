using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Training.Classification;
using Tinctor.Training.Configuration;

namespace Tinctor.Training.Tests.Classification;

public sealed class ClassifierDataTests : DataFolder
{
    [Fact]
    public void ReadData_class_folders_with_and_without_splits()
    {
        Write("flat/0/a_1.png");
        Write("flat/3+/b_1.png", seed: 2);
        PairManifest flat = Read("flat", "data.slide_pattern=^[a-z]");
        Assert.Equal(["0", "3+"], flat.Pairs.Select(pair => pair.Label));
        Assert.Equal(["a", "b"], flat.Pairs.Select(pair => pair.SlideId));
        Assert.All(flat.Pairs, pair => Assert.Equal(PairLayout.Single, pair.Layout));

        foreach (string split in (string[])["train", "test"])
        {
            Write($"split/{split}/0/{split}a.png");
            Write($"split/{split}/1+/{split}b.png");
        }
        Assert.Equal(["train", "train", "test", "test"], Read("split").Pairs.Select(pair => pair.Split));
    }

    [Theory]
    [InlineData("target", "target/0.png"), InlineData("source", "source/0.png")]
    public void ReadData_pairs_gives_chosen_side(string side, string file)
    {
        Manifest("0", "1+");
        Pair pair = Read("", $"side={side}").Pairs[0];
        Assert.Equal(At(file), pair.Source);
        Assert.Null(pair.Target);
        (Slides.Image a, Slides.Image b) = pair.ReadImages();
        Assert.Same(a, b);
    }

    [Fact]
    public void ReadData_unsuitable_labels_throw()
    {
        Manifest("0", null);
        Assert.Contains("no label; 1 of 2 images have none", Refused());
        Manifest("0", "0");
        Assert.Contains("all images have the label 0", Refused());
        Assert.Contains("data.image_size is 32, expected 64 or more", Refused("data.image_size=32"));
        Assert.Contains("there is no setting data.crop.", Refused("data.crop=3"));

        string Refused(params string[] settings)
        {
            string message = Assert.Throws<TinctorException>(() => Read("", settings)).Message;
            Assert.DoesNotContain('\n', message);
            return message;
        }
    }

    [Fact]
    public void Read_task_keeps_its_defaults_beside_given_settings()
    {
        ClassifierConfig config = ConfigFile.Read<ClassifierConfig>(null, ["data.fold=2", "training.lr=0.5"]);
        Assert.Equal((2, 512, 0, 16, 0.5), (config.Data.Fold, config.Data.ImageSize, config.Data.CropSize, config.Training.BatchSize,
            config.Training.Lr));
        string path = WriteText("config.yaml", ConfigFile.Write(config));
        Assert.Equal(config, ConfigFile.Read<ClassifierConfig>(path));
    }

    [Fact]
    public void ReasonOfDependence_names_shared_weights_or_training()
    {
        var comparator = new ComparatorReference { Path = "c", Sha256 = "ab", TrainingId = "t", Seed = 1, Fold = 2 };
        Assert.Contains("the weights are equal", comparator.ReasonOfDependence(new() { Sha256 = "ab" }));
        Assert.Contains("training t", comparator.ReasonOfDependence(new() { Sha256 = "cd", TrainingId = "t", Seed = 3 }));
        Assert.Contains("seed 1 and fold 2", comparator.ReasonOfDependence(new() { Sha256 = "cd", TrainingId = "u", Seed = 1, Fold = 2 }));
        Assert.Null(comparator.ReasonOfDependence(new() { Sha256 = "cd", TrainingId = "u", Seed = 1, Fold = 3 }));
        Assert.Null(new ComparatorReference { Sha256 = "ab" }.ReasonOfDependence(new() { Sha256 = "cd" }));
    }

    [Theory]
    [InlineData("method: derestainer\nmodel:\n  ngf: 3\n  comparator:\n    path: c\n    sha256: ab\n    seed: 5\n    fold: 1\n")]
    [InlineData("comparator:\n  path: c\n  sha256: ab\n  seed: 5\n  fold: 1\n")]
    public void ReadFrom_model_configuration_gives_comparator(string yaml)
    {
        Assert.Null(ComparatorReference.ReadFrom(Root));
        WriteText("config.yaml", yaml);
        Assert.Equal(new() { Path = "c", Sha256 = "ab", Seed = 5, Fold = 1 }, ComparatorReference.ReadFrom(Root));
    }

    private PairManifest Read(string folder, params string[] settings) =>
        ConfigFile.Read<ClassifierConfig>(null, [$"data.path={At(folder)}", .. settings]).ReadData();

    private void Manifest(params string?[] labels) => ManifestFile.Write(At("manifest.csv"),
        [.. labels.Select((label, i) => new Pair(Write($"source/{i}.png"), Write($"target/{i}.png"), "train", label, $"s{i}",
            PairLayout.TwoFiles))]);
}
