using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Tests;

/// <summary>Conditions of a published comparison: they define what is scored, and are recorded with the scores.</summary>
public sealed class ProtocolTests
{
    private static EvaluationProtocol Centre => EvaluationProtocol.All["centre-256"];

    [Fact]
    public void Run_with_centre_protocol_equals_evaluation_of_crops()
    {
        using var set = new ExampleImages(images: 4, size: 60);
        using var crops = new ExampleImages(images: 4, size: 60);
        foreach (string folder in new[] { crops.Real, crops.Stained, crops.Source })
            foreach (string file in Directory.GetFiles(folder)) Image.Read(file).Crop(14, 14, 32, 32).Write(file);
        EvaluationProtocol small = Centre with { Crop = 32 };
        EvaluationResult whole = Run(set.Options with { Protocol = small }), cropped = Run(crops.Options with { Protocol = small });
        Assert.Equal(["psnr", "ssim", "mae", "delta_e76", "dab_od_mae"], whole.Metrics.Select(metric => metric.Key));
        Assert.All(whole.Images.Zip(cropped.Images), pair =>
        {
            Assert.Equal((32, 32), (pair.First.Width, pair.First.Height));
            Assert.Equal(pair.Second.Scores["model"], pair.First.Scores["model"]);
            Assert.Equal(pair.Second.Scores["identity"], pair.First.Scores["identity"]);
        });
        double[] ssim = [.. whole.Images.Select(image => image.Scores["model"][1])];
        Assert.NotEqual(Run(set.Options with { Ssim = SsimVariant.Box11 }).Images.Select(image => image.Scores["model"][1]), ssim);
    }

    [Fact]
    public void Run_skips_images_that_protocol_excludes()
    {
        using var set = new ExampleImages(images: 2);
        TinctorException small = Assert.Throws<TinctorException>(() => Run(set.Options with { Protocol = Centre }));
        Assert.Equal("48x48 pixels, but the protocol centre-256 needs 256x256", small.Problem);
        EvaluationProtocol bci = EvaluationProtocol.All["bci"];
        TinctorException other = Assert.Throws<TinctorException>(() => Run(set.Options with { Protocol = bci }));
        Assert.Equal("48x48 pixels, but the protocol bci needs 1024x1024", other.Problem);
        EvaluationResult result = Run(set.Options with { Protocol = bci with { RequiredSize = 48 } });
        Assert.Equal(Run(set.Options).Images.Select(image => image.Scores["model"]), result.Images.Select(image => image.Scores["model"]));
    }

    [Fact]
    public void Apply_option_against_protocol_is_refused()
    {
        var options = new EvaluationOptions { Stained = [], Real = "" };
        OptionException refused = Assert.Throws<OptionException>(() => Centre.Apply(options with { Ssim = SsimVariant.Gaussian11 }));
        Assert.Equal(nameof(EvaluationOptions.Ssim), refused.Option);
        Assert.Contains("centre-256 uses box11", refused.Message);
        EvaluationOptions applied = Centre.Apply(options with { Metrics = ["ms_ssim", "mae"], Seed = 7 });
        Assert.Equal(["mae", "delta_e76", "dab_od_mae", "ms_ssim"], applied.Metrics);
        Assert.Equal((SsimVariant.Box11, 7, 42), (applied.Ssim, applied.Seed, Centre.Apply(options).Seed));
        Assert.Equal(options, EvaluationProtocol.Default.Apply(options) with { Metrics = options.Metrics });
    }

    [Fact]
    public void MetricsJson_records_protocol_and_test_set()
    {
        using var set = new ExampleImages(images: 2);
        string labels = set.File("labels.csv", "name,label\ntile00,a\ntile01,b\n");
        EvaluationResult result = Run(set.Options with { Protocol = Centre with { Crop = 40 }, Labels = labels });
        JsonNode json = MetricsJson.Of(result);
        Assert.Equal(("centre-256", 40, "box11", "alex", "lpips", 42), ((string?)json["protocol"]!["name"], (int)json["protocol"]!["crop"]!,
            (string?)json["protocol"]!["ssim"], (string?)json["protocol"]!["lpips_network"], (string?)json["protocol"]!["selection"],
            (int)json["protocol"]!["seed"]!));
        string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(Sha256("tile00\ntile01\n"), (string?)json["test_set"]!["names_sha256"]);
        Assert.Equal(Sha256(File.ReadAllText(labels)), (string?)json["test_set"]!["manifest_sha256"]);
        Assert.NotNull((string?)json["versions"]!["libvips"]);
    }

    [Fact]
    public void Section_of_dab_means_has_their_correlation()
    {
        using var set = new ExampleImages(images: 5);
        EvaluationResult result = Run(set.Options with { Metrics = ["dab_od_mae"] });
        double[] Means(string folder) => [.. set.Names.Select(name => StainHistograms.Mean(
            new ScoredImage(Image.Read(Path.Combine(folder, name + ".png"))).HaematoxylinEosinDab[2]))];
        double[] real = Means(set.Real), stained = Means(set.Stained);
        IReadOnlyList<object?> row = result.Sections.Single(section => section.Key == "dab_means").Tables[0].Rows[0];
        Assert.Equal(["Stained", 5], row.Take(2));
        Assert.Equal(real.Average(), (double)row[2]!, 1e-12);
        Assert.Equal(stained.Average(), (double)row[3]!, 1e-12);
        Assert.Equal(real.Zip(stained, (x, y) => Math.Abs(x - y)).Average(), (double)row[4]!, 1e-12);
        Assert.Equal(SampleStatistics.Pearson(real, stained), (double)row[5]!, 1e-12);
        Assert.Equal((double)row[4]!, result.Groups[0].Summaries["model"][2].Mean, 1e-12);
    }

    [Theory]
    [InlineData("lpips", 0, 42, 0)]
    [InlineData("lpips", 16, 42, 1)]
    [InlineData("psnr", 0, 1, 2)]
    public void Run_warns_if_training_differs_from_protocol(string best, int pairs, int seed, int warnings)
    {
        using var set = new ExampleImages(images: 1);
        string config = set.File("run/config.yaml",
            $"method: pix2pix\nseed: {seed}\ntraining:\n  best: {best}\n  best_pairs: {pairs}\n  lpips_trunk: a\n  lpips_lin: b\n");
        set.File("run/metrics.csv", "step,loss\n1,2\n");
        EvaluationResult result = Run(set.Options with { Protocol = Centre with { Crop = 40 }, Run = Path.GetDirectoryName(config) });
        Assert.Equal(warnings, result.Warnings.Count(warning => warning.StartsWith("The protocol centre-256", StringComparison.Ordinal)));
    }

    private static EvaluationResult Run(EvaluationOptions options) => Evaluator.Run(options, cancel: TestContext.Current.CancellationToken);
}
