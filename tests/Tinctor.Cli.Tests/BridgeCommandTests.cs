using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Cli.Tests;

[Collection("trained")]
public sealed class BridgeCommandTests(TrainedRun trained) : IDisposable
{
    private const int Side = 18;
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-bridge-").FullName;

    [Fact]
    public void Stain_i2sb_writes_trajectory_and_variation()
    {
        Train("i2sb");
        Assert.Equal(("", 0), Errors("stain", At("i2sb"), At("data/pairs.csv"), "--split", "test", "-o", At("way"), "--trajectory"));
        Image source = Image.Read(At("data/source/3.png")), stained = Image.Read(At("way/3.png")),
            strip = Image.Read(At("way/trajectory/3.png"));
        Assert.Equal((Side, Side), (stained.Width, stained.Height));
        Assert.Equal((8 * Side, Side), (strip.Width, strip.Height));
        Assert.InRange(Difference(source, strip.Crop(0, 0, Side, Side)), 0, 1);
        Assert.InRange(Difference(stained, strip.Crop(7 * Side, 0, Side, Side)), 0, 1);
        Assert.Equal("RIFF"u8, File.ReadAllBytes(At("way/trajectory/3.webp"))[..4]);

        string[] repeated = ["stain", At("i2sb"), At("data/source/3.png"), "-o", At("repeats"), "--samples", "3", "--seed", "5"];
        Assert.Equal(("", 0), Errors(repeated));
        Image variation = Image.Read(At("repeats/variation/3.png"));
        Assert.Equal((Side, Side, 1, SampleType.UInt16), (variation.Width, variation.Height, variation.Channels, variation.SampleType));
        Assert.InRange(variation.Samples16.ToArray().Average(value => value), 1, 65534);
        byte[] first = Image.Read(At("repeats/3.png")).Data;
        Assert.Equal(("", 0), Errors([.. repeated, "--overwrite"]));
        Assert.Equal(first, Image.Read(At("repeats/3.png")).Data);
        Assert.Equal(("", 0), Errors([.. repeated[..^1], "6", "--overwrite"]));
        Assert.NotEqual(first, Image.Read(At("repeats/3.png")).Data);
    }

    [Fact]
    public void Variance_bbdm_on_autofluorescence_writes_table()
    {
        string[] model = ["--set", "model.factor=5", "--set", "model.input_channels=4", "--set", "model.matcher_width=8"];
        Assert.Equal(0, CommandLine.Run("phantom", "-o", At("af"), "--stains", "af,he", "--size", "80x80", "--slides", "4", "--test",
            "0.25",
            "--val", "0", "--threads", "1").Code);
        Outcome wrong = CommandLine.Run(Arguments("bbdm", "af", [.. model, "--set", "model.factor=4"]));
        Assert.Equal(1, wrong.Code);
        Assert.Contains("Use model.factor=5 with a method that has this setting", wrong.Messages);
        Assert.Equal(("", 0), Errors(Arguments("bbdm", "af", model)));

        string[] variance = ["variance", At("bbdm"), At("af"), "-o", At("table"), "--images", "1", "--samples", "2", "--average", "1,2",
            "--strategies", "vanilla,skip", "--steps", "4", "--exit-step", "4", "--device", "cpu"];
        Outcome table = CommandLine.Run(variance);
        Assert.Equal(("", 0), (table.Error, table.Code));
        string[] lines = File.ReadAllLines(At("table/table.md"));
        Assert.Equal("| Sampling | N | Coefficient of variation | PSNR (dB) | SSIM |", lines[0]);
        Assert.Equal(["vanilla 1", "vanilla 2", "skip 1", "skip 2"],
            lines[2..].Select(line => $"{line.Split('|')[1].Trim()} {line.Split('|')[2].Trim()}"));
        Assert.Contains(lines[2], table.Out);
        DateTime made = File.GetLastWriteTimeUtc(At("table/results.json"));
        Assert.Equal(("", 0), Errors(variance));
        Assert.Equal(made, File.GetLastWriteTimeUtc(At("table/results.json")));
        Assert.Contains("begun with other settings", CommandLine.Run([.. variance, "--seed", "3"]).OneError());

        string[] sweep = ["variance", At("bbdm"), At("af"), "-o", At("sweep"), "--images", "1", "--samples", "2", "--average", "1",
            "--steps", "4", "--device", "cpu"];
        Assert.Equal(("", 0), Errors([.. sweep, "--exit-step", "900,0"]));
        string[][] rows = [.. File.ReadAllLines(At("sweep/table.csv")).Select(line => line.Split(','))];
        Assert.Equal(["image", "strategy", "exit_step", "runs", "cv", "psnr", "ssim"], rows[0]);
        Assert.Equal(["vanilla ", "mean 0", "mean 900", "skip 0", "skip 900"], rows[1..].Select(row => $"{row[1]} {row[2]}"));
        Assert.Equal(rows[1][4..], rows[2][4..]); // no step below 0 without noise
        Assert.NotEqual(rows[2][4..], rows[3][4..]);
        Assert.Equal(("", 0), Errors([.. sweep, "--exit-step", "0,500,900", "--strategies", "mean"]));
        Assert.Contains(File.ReadAllLines(At("sweep/table.csv")), line => line.Contains(",mean,500,"));
    }

    [Fact]
    public void Variance_continues_after_full_disk()
    {
        // A disk of one page has space for the results of one image.
        using var disk = new SmallDisk(4);
        Train("i2sb");
        string[] variance = ["variance", At("i2sb"), At("data/pairs.csv"), "--split", "train", "--images", "2", "--samples", "2",
            "--average", "1,2", "--strategies", "vanilla", "--device", "cpu", "-o"], small = [.. variance, disk.At("table")];
        Assert.Contains("results.json: cannot be written: no space left on the disk", CommandLine.Run(small).OneError());
        Assert.All(disk.Files, file => Assert.DoesNotContain(".tinctor-", file));
        disk.Resize(100);
        Assert.Equal(0, CommandLine.Run(small).Code);
        Assert.Equal(0, CommandLine.Run([.. variance, At("table")]).Code);
        Assert.Equal(File.ReadAllLines(At("table/table.md")), File.ReadAllLines(disk.At("table/table.md")));
    }

    [Fact]
    public void Stain_unsupported_bridge_options_are_one_line()
    {
        WriteData();
        string[] stain = ["stain", trained.Run, At("data/source/0.png"), "-o", At("out")];
        Assert.Contains("is deterministic. Leave out --seed, --samples, which apply to models of bbdm and i2sb",
            CommandLine.Run([.. stain, "--seed", "1", "--samples", "2"]).OneError());
        Assert.Contains("is deterministic",
            CommandLine.Run("variance", trained.Run, trained.Data, "-o", At("out"), "--split", "train").OneError());
        Assert.Contains("--average 0: write whole numbers", CommandLine.Run("variance", "m", "d", "-o", "o", "--average", "0").OneError());
        Assert.Contains("expected vanilla, mean or skip",
            CommandLine.Run("variance", "m", "d", "-o", "o", "--strategies", "jump").OneError());
        Assert.Contains("--samples must be 2 or more", CommandLine.Run("variance", "m", "d", "-o", "o", "--samples", "1").OneError());
        Assert.Contains("model.objective=noise needs model.variant=bbdm",
            CommandLine.Run(Arguments("bbdm", "data", "--set", "model.objective=noise")).OneError());
        Assert.Contains("Grad, Noise, SourceMinusImage",
            CommandLine.Run(Arguments("bbdm", "data", "--set", "model.objective=scaledgrad")).OneError());
        Assert.Contains("model.steps is 11", CommandLine.Run(Arguments("i2sb", "data", "--set", "model.steps=11")).OneError());

        Train("i2sb");
        string[] bridge = ["stain", At("i2sb"), At("data/source/0.png"), "-o", At("out")];
        Assert.Contains("--samples must be 1 or more", CommandLine.Run([.. bridge, "--samples", "0"]).OneError());
        Assert.Contains("--trajectory shows a single run", CommandLine.Run([.. bridge, "--average", "2", "--trajectory"]).OneError());
        Assert.Contains("sampling.evaluations is 50, but the bridge has 9 steps", CommandLine.Run([.. bridge, "--steps", "50"]).OneError());
        Assert.False(File.Exists(At("out/0.png")));
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private void Train(string method)
    {
        WriteData();
        Assert.Equal(("", 0), Errors(Arguments(method, "data")));
    }

    private string[] Arguments(string method, string data, params string[] more)
    {
        if (data == "data") WriteData();
        return ["train", method, "--data", At(data == "data" ? "data/pairs.csv" : data), "--output", At(method), "--steps", "2", "--device",
            "cpu", .. TrainedRun.Set(
            "model.steps=10", "model.sampling.evaluations=0", "model.sampling.solver=posterior", "model.sampling.spacing=even",
            "model.network.model_channels=32", "model.network.channel_mult=1,1", "model.network.num_res_blocks=1",
            "model.network.attention_resolutions=2", "model.network.num_heads=1", "model.network.num_head_channels=-1",
            $"data.crop_size={(data == "data" ? 16 : 40)}"), .. more];
    }

    private static (string, int) Errors(params string[] arguments)
    {
        Outcome outcome = CommandLine.Run(arguments);
        return (outcome.Error, outcome.Code);
    }

    private string At(string name) => Path.Combine(root, name);

    private static double Difference(Image a, Image b) => a.Data.Zip(b.Data, (x, y) => Math.Abs(x - y)).Max();

    // Three slides to train on and one to test; no multiple of what the network takes.
    private void WriteData()
    {
        var pairs = new List<Pair>();
        foreach (string side in (string[])["source", "target"]) Directory.CreateDirectory(At($"data/{side}"));
        for (int i = 0; i < 4; i++)
        {
            string source = At($"data/source/{i}.png"), target = At($"data/target/{i}.png");
            TrainedRun.Noise(Side, Side, i).Write(source);
            TrainedRun.Noise(Side, Side, 100 + i).Write(target);
            pairs.Add(new(source, target, i == 3 ? "test" : "train", null, $"slide{i}", PairLayout.TwoFiles));
        }
        ManifestFile.Write(At("data/pairs.csv"), pairs);
    }
}
