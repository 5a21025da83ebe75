using System.Globalization;
using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Classification;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Tests.Classification;

[Collection(Alone.Name)]
public sealed class ComparatorScaleTests : DataFolder
{
    private static readonly TrainingRecord Record = new("id", 7, 2, 5, 1, 1, "accuracy", null, "", 1, 0, [], [], [], "");

    /// <summary>Pixels of a comparator of 1,024 pixels at 512, and of others, per pixel of the model.</summary>
    [Theory]
    [InlineData("1024 0.5 -", "1024 0.5 -", 1.0)] // both resized to 512
    [InlineData("1024 1 -", "1024 0.5 -", 0.5)] // crops of the originals
    [InlineData("128 1 -", "128 0.5 -", 0.5)] // image_size 64 at images of 128
    [InlineData("128 1 -", "128 4 -", 4.0)] // image_size 512 at images of 128: enlarged in both
    [InlineData("128 1 0.5", "1024 0.25 0.25", 0.5)] // other images, known pixels
    [InlineData("128 1 0.50", "256 1 0.51", 1.0)] // within the accuracy of scanners
    [InlineData("128 1 -", "256 1 0.5", null)]
    [InlineData("- - -", "128 1 -", null)]
    [InlineData("1024 0.5 0.25", "1024 0.5 0.5", 0.5)] // equal sizes, other pixels
    public void FactorTo_relates_pixels_where_known(string model, string comparator, double? expected) =>
        Assert.Equal(expected, Scale(model).FactorTo(Scale(comparator)));

    [Theory]
    [InlineData("1024 0.5 -", "1024 1 -", true)]
    [InlineData("1024 0.5 0.25", "2048 1 0.25", true)]
    [InlineData("128 1 -", "128 4 -", false)]
    [InlineData("1024 1 -", "1024 0.5 -", false)]
    public void IsCoarserThan_compares_detail_not_pixels(string model, string comparator, bool expected) =>
        Assert.Equal(expected, Scale(model).IsCoarserThan(Scale(comparator)));

    [Fact]
    public void ScaledFor_comparator_at_other_scale_is_resampled_or_refused()
    {
        var model = new PixelScale(128, 1, null);
        Assert.Equal(0.5, Comparator(imageSize: 64, stored: 128).ScaledFor(model, 128).Scale);
        Assert.Equal(1, Comparator(imageSize: 512, stored: 1024).ScaledFor(new(1024, 0.5, null), 512).Scale);
        Assert.Contains("crops of 64 pixels are 32 pixels at the comparator's scale, expected 64 or more",
            Refused(Comparator(imageSize: 64, stored: 128), model, 64));
        Assert.Contains("trained on finer pixels: the model's would be enlarged 2 times",
            Refused(Comparator(imageSize: 0, stored: 1024), new(1024, 0.5, null), 512));
        Assert.Contains("trained on images of 64 pixels, the model on 128", Refused(Comparator(imageSize: 64, stored: 256), model, 128));
        // Cards of early versions have no scale: only equal sizes are accepted.
        Assert.Equal(1, Comparator(imageSize: 512, stored: null).ScaledFor(new(1024, 0.5, null), 512).Scale);
        Assert.Contains("trained on images of 64 pixels, the model on 128", Refused(Comparator(imageSize: 64, stored: null), model, 128));

        static string Refused(ComparatorReference comparator, PixelScale model, int crop)
        {
            string message = Assert.Throws<TinctorException>(() => comparator.ScaledFor(model, crop)).Message;
            Assert.DoesNotContain('\n', message);
            return message;
        }
    }

    [Fact]
    public void CompletedFor_images_of_1024_pixels_uses_size_of_paper()
    {
        Write("HE/0_train_1+.png", 1024, 1024);
        Write("IHC/0_train_1+.png", 1024, 1024);
        var pair = new Pair(At("HE/0_train_1+.png"), At("IHC/0_train_1+.png"), "train", "1+", "0", PairLayout.TwoFiles);
        var data = new TrainingData(null!, [pair], [], "");
        Assert.Equal((512, 0.5, true), Completed());
        Assert.Equal((0, null, false), Completed("data.load_size=0"));
        Assert.Equal((768, 0.75, false), Completed("data.load_size=768"));
        Assert.Equal((null, null, false), Completed("data.crop_size=768"));
        // A run of an early version states both.
        Assert.Equal((512, 1.0, false), Completed("data.load_size=512", "model.inference.scale=1"));

        (int?, double?, bool) Completed(params string[] settings)
        {
            RunConfig run = ConfigFile.Load(null, "derestainer", settings);
            bool noted = false;
            run = MethodLoop.Completed(run, data, note => noted |= note.Contains("resized to 512, as in the paper"));
            return (run.Data.LoadSize, run.Model.Inference.Scale, noted);
        }
    }

    /// <summary>Runs of early versions state their sizes, and had the literal form of L_H.</summary>
    [Fact]
    public void LoadRun_of_early_version_keeps_its_behaviour()
    {
        string early = WriteText("config.yaml", "method: derestainer\ndata:\n  load_size: 0\n  crop_size: 512\nmodel:\n  ngf: 4\n"
            + "  inference:\n    scale: 1\n  comparator:\n    path: c\n    sha256: ab\n");
        RunConfig run = ConfigFile.LoadRun(early, out _);
        var model = (DeReStainerConfig)run.Model;
        Assert.Equal(("literal", 0, 1.0, 1.0), (model.Alignment, run.Data.LoadSize, model.Inference.Scale, model.Comparator!.Scale));
        Assert.Equal("stop-gradient", ((DeReStainerConfig)ConfigFile.Load(null, "derestainer").Model).Alignment);
    }

    [Fact]
    public void Features_at_scale_equal_features_of_resized_image()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(5);
        using (ResNet network = ResNet.Create("resnet18", 2)) SupervisedModel.Write(At("model"), Card(64, 128, 0.5), network);
        using Classifier classifier = Classifier.Load(At("model"), Device.CPU, differentiable: true);
        Write("image.png", 128, 128, seed: 3);
        Image image = Image.Read(At("image.png"));
        float[] resized = Resampler.ResizeToFloats(image, 64, 64, ResizeKernel.Cubic);
        Tensor expected = classifier.Features((torch.tensor<float>(resized, 1, 3, 64, 64) / 127.5) - 1);
        Tensor batch = image.ToTensor(ValueRange.MinusOneToOne).unsqueeze(0).requires_grad_();
        Tensor features = classifier.Features(batch, 0.5);
        Vectors.Close(expected, features, "features", 1e-4);
        features.sum().backward();
        Assert.True(batch.grad!.abs().sum().item() > 0);
    }

    [Fact]
    public void Training_uses_comparator_at_its_own_scale()
    {
        var pairs = new List<Pair>();
        for (int i = 0; i < 4; i++)
        {
            pairs.Add(new(Write($"source/{i}.png", 128, 128, i), Write($"target/{i}.png", 128, 128, 9 + i), "train",
                i % 2 == 0 ? "0" : "3+", $"s{i}", PairLayout.TwoFiles));
        }
        ManifestFile.Write(At("manifest.csv"), pairs);
        using (ResNet network = ResNet.Create("resnet18", 2)) SupervisedModel.Write(At("comparator"), Card(64, 128, 0.5), network);
        RunConfig run = ConfigFile.Load(null, "derestainer", [$"data.path={Root}", "data.crop_size=128", "model.ngf=2", "model.ndf=2",
            "model.n_blocks=1", "training.steps=1", "training.batch_size=2", "training.device=cpu",
            $"model.comparator.path={At("comparator")}"]);
        Trainer.Start(run, At("run"), new Quiet());
        RunConfig written = ConfigFile.Load(At("run/config.yaml"));
        Assert.Equal(0.5, ((DeReStainerConfig)written.Model).Comparator!.Scale);
        Assert.Equal((0, 1.0), (written.Data.LoadSize, written.Model.Inference.Scale));
    }

    private sealed class Quiet : ITrainingObserver
    {
        public void Note(string text) { }

        public void Step(TrainingProgress progress) { }
    }

    private ComparatorReference Comparator(int imageSize, int? stored)
    {
        string folder = At($"{imageSize}-{stored}");
        double? scale = stored is { } size ? (imageSize > 0 ? imageSize : size) / (double)size : null;
        using (var network = new Linear(1, 1)) SupervisedModel.Write(folder, Card(imageSize, stored, scale), network);
        return ComparatorReference.FromFolder(folder);
    }

    private static ClassifierCard Card(int imageSize, int? stored, double? scale) =>
        new(Record, "resnet18", ["0", "3+"], "target", "comparator", imageSize, 0, Classifier.Mean, Classifier.Std, null, null)
        { StoredSize = stored, Scale = scale };

    private static PixelScale Scale(string text)
    {
        double?[] numbers = [.. text.Split(' ').Select(word =>
            word == "-" ? (double?)null : double.Parse(word, CultureInfo.InvariantCulture))];
        return new((int?)numbers[0], numbers[1], numbers[2]);
    }
}
