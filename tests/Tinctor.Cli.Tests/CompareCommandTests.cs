using Tinctor.Data;
using Tinctor.Slides;

namespace Tinctor.Cli.Tests;

public sealed class CompareCommandTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-compare-").FullName;

    [Fact]
    public void Compare_methods_on_same_tiles_writes_one_report()
    {
        WriteData();
        Outcome compared = Compare("--reverse", "--seeds", "3");
        Assert.Equal(("", 0), (compared.Failures, compared.Code));
        string table = File.ReadAllText(At("study/table.md"));
        Assert.Equal(["i2sb", "pix2pix"], table.Split('\n')[2..4].Select(line => line.Split('|')[1].Trim()));
        Assert.Contains("ngf: 4", File.ReadAllText(At("study/seed3/pix2pix/run/config.yaml")));
        Assert.Contains("crop_size: 32", File.ReadAllText(At("study/seed3/i2sb/run/config.yaml")));
        // Reversed: the real images are the pairs' sources.
        Assert.Equal(Image.Read(At("data/source/s3.png")).Data, Image.Read(At("study/data/target/s3.png")).Data);
        Assert.True(File.Exists(At("study/seed3/report/report.html")));
        Image pictures = Image.Read(At("study/examples.png"));
        Assert.Equal(((4 * 48) + (3 * 4), 48), (pictures.Width, pictures.Height));
        Outcome again = Compare("--reverse", "--seeds", "3");
        Assert.Equal(0, again.Code);
        Assert.DoesNotContain("step 2/2", again.Out);
    }

    [Fact]
    public void Compare_with_register_cuts_tiles_first()
    {
        Assert.Equal(0, CommandLine.Run("phantom", "-o", At("sections"), "--slides", "4", "--size", "192x192", "--misalign", "4", "--test",
            "0.25",
            "--val", "0", "--on-tumour").Code);
        Outcome compared = CommandLine.Run(["compare", "i2sb", "pix2pix", "--data", At("sections/manifest.csv"), "-o", At("study"),
            "--register",
            "--tile-size", "96", .. Small]);
        Assert.Equal(("", 0), (compared.Failures, compared.Code));
        Assert.True(File.Exists(At("study/pairs/manifest.csv")));
        Assert.True(File.Exists(At("study/table.md")));
    }

    [Fact]
    public void Compare_mistakes_are_reported_before_training()
    {
        WriteData();
        Assert.Contains("only one method is named, i2sb",
            CommandLine.Run("compare", "i2sb", "--data", At("data/manifest.csv"), "-o", At("study")).OneError());
        Assert.Contains("--set pix3pix: there is no such method", Compare("--set", "pix3pix:model.ngf=3").OneError());
        Assert.Contains("expected METHOD=FILE", Compare("--config", "i2sb").OneError());
        Assert.False(Directory.Exists(At("study")));
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static readonly string[] Small =
    [
        "--steps", "2", "--set", "data.crop_size=32", "--set", "pix2pix:model.generator=resnet_6blocks", "--set", "pix2pix:model.ngf=4",
        "--set", "pix2pix:model.ndf=4", "--set", "i2sb:model.network.model_channels=32", "--set", "i2sb:model.network.channel_mult=1,1,1",
        "--set", "i2sb:model.network.num_res_blocks=1", "--set", "i2sb:model.network.num_head_channels=32",
        "--set", "i2sb:model.network.attention_resolutions=4", "--set", "i2sb:model.sampling.evaluations=2", "--device", "cpu", "--threads",
            "1",
    ];

    private Outcome Compare(params string[] more) =>
        CommandLine.Run(["compare", "i2sb", "pix2pix", "--data", At("data/manifest.csv"), "-o", At("study"), .. Small, .. more]);

    private string At(string name) => Path.Combine(root, name);

    private void WriteData()
    {
        var pairs = new List<Pair>();
        foreach (string side in (string[])["source", "target"]) Directory.CreateDirectory(At($"data/{side}"));
        for (int i = 0; i < 4; i++)
        {
            string source = At($"data/source/s{i}.png"), target = At($"data/target/s{i}.png");
            TrainedRun.Noise(48, 48, i).Write(source);
            TrainedRun.Noise(48, 48, 100 + i).Write(target);
            pairs.Add(new(source, target, i == 3 ? "test" : "train", null, $"slide{i}", PairLayout.TwoFiles));
        }
        ManifestFile.Write(At("data/manifest.csv"), pairs);
    }
}
