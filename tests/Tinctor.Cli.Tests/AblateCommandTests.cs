using System.Globalization;
using Tinctor.Slides;

namespace Tinctor.Cli.Tests;

public sealed class AblateCommandTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-ablate-").FullName;

    [Fact]
    public void Ablate_trains_stains_evaluates_and_resumes()
    {
        WriteData();
        Outcome study = Ablate("--variants", "full,without_dab", "--peers", "pix2pix", "--peer-set", "model.generator=resnet_6blocks",
            "--peer-set", "pix2pix:model.ngf=4", "--peer-set", "model.ndf=4", "--ihc", "--nuclei", "haematoxylin");
        Assert.Equal(("", 0), (study.Failures, study.Code));
        string table = File.ReadAllText(At("study/table.md"));
        string[] columns = [.. table.Split('\n')[0].Split('|')[1..^1].Select(column => column.Trim())];
        Assert.Equal(["Method", "SSIM", "PSNR (dB)"], columns[..3]);
        Assert.Superset(new HashSet<string>(["MAE of DAB (OD)", "Level accuracy", "Concordance of DAB density"]), columns.ToHashSet());
        Assert.Equal(["derestainer (full)", "w/o L_DAB", "pix2pix"], table.Split('\n')[2..5].Select(line => line.Split('|')[1].Trim()));
        Assert.All(table.Split('\n')[2..5], line => Assert.InRange(double.Parse(line.Split('|')[3], CultureInfo.InvariantCulture), 1, 60));
        Assert.Equal(3, File.ReadAllLines(At("study/table.csv")).Length - 1);
        Assert.Contains("\\toprule", File.ReadAllText(At("study/table.tex")));
        Image pictures = Image.Read(At("study/examples.png"));
        Assert.Equal(((5 * 64) + (4 * 4), (2 * 64) + 4), (pictures.Width, pictures.Height));
        Assert.Contains("lambda_dab: 0", File.ReadAllText(At("study/seed0/without_dab/run/config.yaml")));
        Assert.Contains("crop_size: 64", File.ReadAllText(At("study/seed0/pix2pix/run/config.yaml")));
        string[] levels = File.ReadAllLines(At("study/seed0/full/stained/levels.csv"));
        Assert.Equal("name,level,probability,p_0,p_1+,p_2+,p_3+", levels[0]);
        Assert.Equal(["s3_a", "s3_b"], levels[1..].Select(line => line.Split(',')[0]));

        Assert.Equal(0, Ablate("--seeds", "1", "--variants", "pix2pix", "--only-train", "--peer-set", "model.generator=resnet_6blocks",
            "--peer-set", "model.ngf=4", "--peer-set", "model.ndf=4").Code);
        Assert.True(File.Exists(At("study/seed1/pix2pix/stained/s3_a.png")));
        Assert.False(Directory.Exists(At("study/seed1/full")) || Directory.Exists(At("study/seed1/report")));

        string weights = At("study/seed0/full/run/model/model.safetensors");
        DateTime trained = File.GetLastWriteTimeUtc(weights);
        Assert.Equal(0, Ablate("--variants", "full").Code);
        Assert.Equal(trained, File.GetLastWriteTimeUtc(weights));
        Assert.Contains("started with other settings", Ablate("--variants", "full", "--set", "model.lr=0.5").OneError());
    }

    [Fact]
    public void Ablate_mistakes_are_reported_before_training()
    {
        WriteData();
        Assert.Contains("of derestainer are full, without_stain, without_dab, product, literal_h",
            Ablate("--variants", "without_h").OneError());
        Assert.Contains("Choose among pix2pix", Ablate("--peers", "derestainer").OneError());
        Assert.Contains("there is no setting model.x", Ablate("--set", "model.x=1").OneError());
        Assert.Contains("contains no classifier", Ablate("--variants", "full", "--comparator", At("data")).OneError());
        Assert.False(Directory.Exists(At("study/seed0/full/run")));
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private Outcome Ablate(params string[] more) =>
        CommandLine.Run(["ablate", "derestainer", "--data", At("data/manifest.csv"), "-o", At("study"),
        "--steps", "2", "--set", "model.ngf=4", "--set", "model.ndf=4", "--set", "model.n_blocks=1", "--set", "data.crop_size=64",
        "--device", "cpu", "--threads", "1", .. more]);

    // Three slides of two fields; the test slide has two levels.
    private void WriteData()
    {
        var manifest = new List<string> { "source,target,split,label,slide_id" };
        foreach ((string slide, string split) in new[] { ("s1", "train"), ("s2", "train"), ("s3", "test") })
        {
            foreach ((string field, string label) in new[] { ("a", "0"), ("b", "3+") })
            {
                foreach (string side in new[] { "source", "target" }) WriteImage(side, $"{slide}_{field}", label);
                manifest.Add($"source/{slide}_{field}.png,target/{slide}_{field}.png,{split},{label},{slide}");
            }
        }
        File.WriteAllLines(At("data/manifest.csv"), manifest);
    }

    private void WriteImage(string side, string name, string label)
    {
        Directory.CreateDirectory(At($"data/{side}"));
        var image = new Image(64, 64, 3, SampleType.UInt8);
        var random = new Random(name.GetHashCode(StringComparison.Ordinal));
        int blue = side == "target" && label == "3+" ? 60 : 200;
        for (int i = 0; i < image.Data.Length; i++) image.Data[i] = (byte)((i % 3 == 2 ? blue : 180) + random.Next(-40, 40));
        image.Write(At($"data/{side}/{name}.png"));
    }

    private string At(string path) => Path.Combine(root, path);
}
