using Tinctor.Data;
using Tinctor.Slides;

namespace Tinctor.Cli.Tests;

/// <summary>A small data set and one uninterrupted training run on it, made once for all tests that compare with it.</summary>
public sealed class TrainedRun : IDisposable
{
    public const int Steps = 40, CheckpointEvery = 2;

    private readonly string root = Directory.CreateTempSubdirectory("tinctor-run-").FullName;

    public TrainedRun()
    {
        WriteData(Data);
        Assert.Equal(0, Train(Run).Code);
    }

    public string Data => At("data");

    public string Run => At("run");

    public string Model => Path.Combine(Run, "model");

    public string At(string name) => Path.Combine(root, name);

    /// <summary>
    /// The arguments of a run that uses all that a checkpoint must hold: dropout, batch norm, an image pool, a running average.
    /// </summary>
    public string[] Arguments(string run, params string[] settings) =>
    [
        "train", "pix2pix", "--data", Data, "--output", run, "--steps", $"{Steps}", "--seed", "7",
        .. Set("model.generator=resnet_6blocks", "model.ngf=4", "model.ndf=8", "model.pool_size=3", "model.gan_mode=lsgan",
            "data.crop_size=32", "data.rotate=true", "data.stain_jitter=0.1", "training.ema=0.9",
            $"training.checkpoint_every={CheckpointEvery}", "training.log_every=3", "training.keep_checkpoints=2"),
        .. Set(settings),
    ];

    /// <summary>Copies the model folder to a new folder.</summary>
    public void CopyModel(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(Model)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    internal Outcome Train(string run, params string[] settings) => CommandLine.Run(Arguments(run, settings));

    public static string[] Set(params string[] settings) => [.. settings.SelectMany(setting => new[] { "--set", setting })];

    public static Image Noise(int width, int height, int seed, int channels = 3)
    {
        var image = new Image(width, height, channels);
        new Random(seed).NextBytes(image.Data);
        return image;
    }

    // Six pairs of three slides to train on, one for validation, and test pairs that nobody could open.
    private static void WriteData(string folder)
    {
        var pairs = new List<Pair>();
        for (int i = 0; i < 8; i++)
        {
            string source = Path.Combine(folder, "source", $"{i}.png"), target = Path.Combine(folder, "target", $"{i}.png");
            Directory.CreateDirectory(Path.GetDirectoryName(source)!);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (i < 7)
            {
                Noise(40, 36, i).Write(source);
                Noise(40, 36, 100 + i).Write(target);
            }
            else
            {
                File.WriteAllText(source, "no image");
                File.WriteAllText(target, "no image");
            }
            pairs.Add(new(source, target, i < 6 ? "train" : i < 7 ? "val" : "test", null, $"slide{i / 2 + i / 7}", PairLayout.TwoFiles));
        }
        ManifestFile.Write(Path.Combine(folder, "manifest.csv"), pairs);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);
}

[CollectionDefinition("trained")]
public sealed class TrainedCollection : ICollectionFixture<TrainedRun>;
