using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Training.Configuration;

namespace Tinctor.Cli.Tests;

public sealed class CompareCommandTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-compare-").FullName;

    [Fact]
    public void Compare_methods_on_same_tiles_writes_one_report()
    {
        WriteData();
        Outcome compared = Compare("--reverse", "--seeds", "3", "--lpips", "vgg", "--lpips-unit", "--metrics", "all", "--detect-nuclei");
        Assert.Equal(("", 0), (compared.Failures, compared.Code));
        string table = File.ReadAllText(At("study/table.md"));
        Assert.All(["ΔE76", "DAB OD MAE", "Wasserstein DAB", "F1 of detected nuclei"], column => Assert.Contains(column, table));
        Assert.Equal(["i2sb", "pix2pix"], table.Split('\n')[2..4].Select(line => line.Split('|')[1].Trim()));
        Assert.Contains("ngf: 4", File.ReadAllText(At("study/seed3/pix2pix/run/config.yaml")));
        Assert.Contains("crop_size: 32", File.ReadAllText(At("study/seed3/i2sb/run/config.yaml")));
        // Reversed: the real images are the pairs' sources.
        Assert.Equal(Image.Read(At("data/source/s3.png")).Data, Image.Read(At("study/data/target/s3.png")).Data);
        Assert.True(File.Exists(At("study/seed3/report/report.html")));
        Assert.Contains("lpips_unit", File.ReadAllText(At("study/seed3/report/metrics.json")));
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
    public void Compare_with_budget_and_rates_trains_equal_time_at_chosen_rates()
    {
        WriteData(validation: true);
        string[] budget = ["--budget", "1s", "--tune-lr", "1e-5,0.9", "--tune-share", "0.5", "--jobs", "2"];
        string[] small = [.. Small.Skip(2)];
        string[] command = ["compare", "i2sb", "pix2pix", "--data", At("data/manifest.csv"), "-o", At("study"), .. small, .. budget];
        Outcome compared = CommandLine.Run(command);
        Assert.Equal(("", 0), (compared.Failures, compared.Code));
        CsvTable costs = CsvFile.Read(At("study/budget.csv")), tuning = CsvFile.Read(At("study/tuning.csv"));
        Assert.Equal(["i2sb", "pix2pix"], costs.Rows.Select(row => row.Text("method")));
        Assert.Equal(["1e-05", "0.9", "1e-05", "0.9"], tuning.Rows.Select(row => row.Text("lr").ToLowerInvariant()));
        foreach (string method in (string[])["i2sb", "pix2pix"])
        {
            double cost = costs.Rows.Single(row => row.Text("method") == method).Number("seconds_per_step")!.Value;
            string rate = tuning.Rows.Single(row => row.Text("method") == method && row.Text("chosen") == "yes").Text("lr");
            CsvRow[] trials = [.. tuning.Rows.Where(row => row.Text("method") == method)];
            Assert.Equal(trials.MaxBy(row => row.Number("value") ?? double.NegativeInfinity)!.Text("lr"), rate);
            RunConfig run = ConfigFile.Load(At($"study/seed0/{method}/run/config.yaml"));
            Assert.Equal(Math.Max(1, (int)(1 / cost)), run.Training.Steps);
            Assert.Equal(Math.Max(1, run.Training.Steps / 2),
                ConfigFile.Load(At($"study/tuning/{method}/lr-1E-05/run/config.yaml")).Training.Steps);
            Assert.Contains($"lr: {rate}", ConfigFile.Write(run), StringComparison.OrdinalIgnoreCase);
            Assert.Contains("$ tinctor train", File.ReadAllText(At($"study/logs/{method}-seed0.log")));
        }
        Outcome again = CommandLine.Run(command);
        Assert.Equal(0, again.Code);
        Assert.DoesNotContain("measuring", again.Messages);
        Assert.Equal(costs.Rows.Select(row => row.Text("seconds_per_step")),
            CsvFile.Read(At("study/budget.csv")).Rows.Select(row => row.Text("seconds_per_step")));
    }

    [Theory]
    [InlineData("--budget", "20", "--budget 20: expected a length such as 3000-steps, 90s, 20m or 2h")]
    [InlineData("--budget", "1.5-steps", "--budget 1.5-steps: expected a length")]
    [InlineData("--budget", "5m", "--steps and --budget both set the length")]
    [InlineData("--tune-lr", "1e-4,2", "--tune-lr 2: expected learning rates between 0 and 1")]
    [InlineData("--tune-lr", "1e-4", "there are no validation pairs to choose learning rates by")]
    [InlineData("--tune-share", "2", "--tune-share 2: expected a number above 0 and up to 1")]
    [InlineData("--jobs", "0", "--jobs 0: expected a whole number from 1 to 256")]
    public void Compare_refuses_bad_budgets(string option, string value, string problem)
    {
        WriteData();
        Assert.Contains(problem, Compare(option, value).OneError());
        Assert.False(Directory.Exists(At("study/seed0")));
    }

    [Theory]
    [InlineData("1", "error: i2sb-seed0: "), InlineData("2", "i2sb-seed0; log: ")]
    public void Compare_reports_failed_trainings_and_completes_the_others(string jobs, string failed)
    {
        WriteData();
        Directory.CreateDirectory(At("study/seed0/i2sb/run"));
        File.WriteAllText(At("study/seed0/i2sb/run/notes.txt"), "");
        Outcome compared = Compare("--jobs", jobs);
        Assert.Equal(1, compared.Code);
        Assert.Contains("not empty", compared.Failures);
        Assert.Contains(failed, Assert.Single(compared.Failures.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains("without results: i2sb-seed0; the same command tries them again", compared.Messages);
        string[] rows = File.ReadAllText(At("study/table.md")).Split('\n')[2..4];
        Assert.StartsWith("| i2sb | - | - |", rows[0]);
        Assert.DoesNotContain("| - |", string.Join('|', rows[1].Split('|')[..4]));
        Image pictures = Image.Read(At("study/examples.png"));
        Assert.Equal(((3 * 48) + (2 * 4), 48), (pictures.Width, pictures.Height));
    }

    [Fact]
    public void Compare_mistakes_are_reported_before_training()
    {
        WriteData();
        Assert.Contains("only one method is named, i2sb",
            CommandLine.Run("compare", "i2sb", "--data", At("data/manifest.csv"), "-o", At("study")).OneError());
        Assert.Contains("--set pix3pix: there is no such method", Compare("--set", "pix3pix:model.ngf=3").OneError());
        Assert.Contains("expected METHOD=FILE", Compare("--config", "i2sb").OneError());
        Assert.Contains("pix2pix: data.crop_size is 30, but", Compare("--set", "pix2pix:data.crop_size=30").OneError());
        Assert.Contains("(--set pix2pix:data.crop_size=", Compare("--set", "pix2pix:data.crop_size=30").OneError());
        Assert.Contains("gone.onnx: no such file. Correct --lpips-trunk", Compare("--lpips-trunk", At("gone.onnx")).OneError());
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

    private void WriteData(bool validation = false)
    {
        var pairs = new List<Pair>();
        foreach (string side in (string[])["source", "target"]) Directory.CreateDirectory(At($"data/{side}"));
        for (int i = 0; i < 4; i++)
        {
            string source = At($"data/source/s{i}.png"), target = At($"data/target/s{i}.png");
            TrainedRun.Noise(48, 48, i).Write(source);
            TrainedRun.Noise(48, 48, 100 + i).Write(target);
            string split = i == 3 ? "test" : i == 2 && validation ? "val" : "train";
            pairs.Add(new(source, target, split, null, $"slide{i}", PairLayout.TwoFiles));
        }
        ManifestFile.Write(At("data/manifest.csv"), pairs);
    }
}
