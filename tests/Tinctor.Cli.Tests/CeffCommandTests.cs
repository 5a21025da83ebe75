using Tinctor.Data;
using Tinctor.Slides;

namespace Tinctor.Cli.Tests;

public sealed class CeffCommandTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-ceff-").FullName;

    [Fact]
    public void Train_ceff_with_encoders_stains_and_evaluates()
    {
        WriteData();
        Outcome encoders = CommandLine.Run("train", "ceff-encoder", "--data", At("data/manifest.csv"), "--output", At("encoders"),
            "--folds", "2",
            "--crop-size", "32", "--steps", "2", "--batch-size", "4", "--chunk", "2", "--set", "ngf=2", "--set", "feature_dim=8",
                "--device", "cpu");
        Assert.Equal(("", 0), (encoders.Error, encoders.Code));
        Assert.Contains("validation: retrieval", encoders.Out);
        string settings = File.ReadAllText(At("encoders/config.yaml"));
        foreach (string official in (string[])["schedule: linear", "decay_share: 0.333", "rotate: false", "flip: true"])
            Assert.Contains(official, settings);

        Assert.Contains("CEFF needs trained encoders", Train("refused").OneError());
        Assert.Contains("Use model.ngf=2", Train("refused", "--encoders", At("encoders"), "--set", "model.ngf=4").OneError());
        Outcome trained = Train("model", "--encoders", At("encoders"));
        Assert.Equal(("", 0), (trained.Error, trained.Code));
        Assert.Contains($"path: {At("encoders")}", File.ReadAllText(At("model/config.yaml")));
        // Single pairs: batch norm of staining has the statistics of the image.
        Assert.Contains("statistics: batch", File.ReadAllText(At("model/config.yaml")));

        // Whoever stains needs the model alone.
        Directory.Move(At("encoders"), At("moved"));
        Assert.Equal(("", 0), Errors("stain", At("model"), At("data/source"), "-o", At("stained"), "--device", "cpu"));
        Assert.Equal((70, 54), (Image.Read(At("stained/0.png")).Width, Image.Read(At("stained/0.png")).Height));

        Assert.Equal(("", 0), Errors("evaluate", "--stained", At("stained"), "--real", At("data/target"), "--source", At("data/source"),
            "--encoder", At("moved"), "-o", At("report"), "--device", "cpu", "--no-alignment", "--resamples", "100"));
        string report = File.ReadAllText(At("report/metrics.json"));
        foreach (string part in (string[])["CEFF's encoder of source images", "CEFF's encoder of target images", "32x32 pixels on a grid"])
            Assert.Contains(part, report);
    }

    [Fact]
    public void Ablate_ceff_has_published_and_named_variants()
    {
        WriteData();
        string[] study = ["ablate", "ceff", "--data", At("data/manifest.csv"), "-o", At("study"), "--steps", "1", "--only-train",
            "--device", "cpu",
            "--set", "model.ngf=2", "--set", "model.ndf=2", "--set", "model.feature_dim=8", "--set", "model.encoder_start=random",
                "--config",
            At("small.yaml")];
        File.WriteAllText(At("small.yaml"), "data:\n  crop_size: 48\ntraining:\n  batch_size: 2\n");
        Assert.Equal(("", 0), Errors([.. study, "--variants", "without_vmfe,paper"]));
        Assert.Contains("vmfe: false", File.ReadAllText(At("study/seed0/without_vmfe/run/config.yaml")));
        Assert.Contains("variant: paper", File.ReadAllText(At("study/seed0/paper/run/config.yaml")));
        Assert.True(File.Exists(At("study/seed0/paper/stained/9.png")));
        Assert.Contains("contains no ceff-encoder", CommandLine.Run([.. study, "--variants", "full", "--encoders", At("data")]).OneError());
    }

    [Fact]
    public void Ablate_ceff_runs_on_mist_layout_with_val_as_test_set()
    {
        foreach (string split in (string[])["train", "val"])
        {
            for (int i = 0; i < (split == "train" ? 6 : 2); i++)
            {
                string name = $"{split}{i}_{i}.jpg".Replace("train", "t").Replace("val", "v");
                foreach (string side in (string[])["A", "B"])
                {
                    Directory.CreateDirectory(At($"MIST/HER2/TrainValAB/{split}{side}"));
                    TrainedRun.Noise(48, 48, (2 * i) + side[0]).Write(At($"MIST/HER2/TrainValAB/{split}{side}/{name}"));
                }
            }
        }
        File.WriteAllText(At("small.yaml"), "data:\n  crop_size: 48\ntraining:\n  batch_size: 2\n");
        Assert.Equal(("", 0), Errors("ablate", "ceff", "--data", At("MIST/HER2/TrainValAB"), "-o", At("study"), "--steps", "1", "--device",
            "cpu", "--set", "model.ngf=2", "--set", "model.ndf=2", "--set", "model.feature_dim=8", "--set", "model.encoder_start=random",
            "--config", At("small.yaml"), "--variants", "full"));
        Assert.Contains("ceff (full)", File.ReadAllText(At("study/table.md")));
        Assert.Equal(2, Directory.GetFiles(At("study/seed0/full/stained"), "v*").Length);
        // Two pairs a step: batch norm of staining has the statistics of training.
        Assert.Contains("statistics: running", File.ReadAllText(At("study/seed0/full/run/config.yaml")));
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private Outcome Train(string run, params string[] more) =>
        CommandLine.Run(["train", "ceff", "--data", At("data/manifest.csv"), "--output", At(run),
        "--steps", "2", "--set", "model.ngf=2", "--set", "model.ndf=2", "--set", "data.crop_size=48", "--device", "cpu", .. more]);

    private static (string, int) Errors(params string[] arguments)
    {
        Outcome outcome = CommandLine.Run(arguments);
        return (outcome.Failures, outcome.Code);
    }

    private string At(string name) => Path.Combine(root, name);

    // Nine slides to train on and one to test, of 70x54 pixels.
    private void WriteData()
    {
        var pairs = new List<Pair>();
        foreach (string side in (string[])["source", "target"]) Directory.CreateDirectory(At($"data/{side}"));
        for (int i = 0; i < 10; i++)
        {
            string source = At($"data/source/{i}.png"), target = At($"data/target/{i}.png");
            TrainedRun.Noise(70, 54, i).Write(source);
            TrainedRun.Noise(70, 54, 100 + i).Write(target);
            pairs.Add(new(source, target, i == 9 ? "test" : "train", null, $"slide{i}", PairLayout.TwoFiles));
        }
        ManifestFile.Write(At("data/manifest.csv"), pairs);
    }
}
