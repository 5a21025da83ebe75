using System.Globalization;
using System.Text.Json.Nodes;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Tests;

public sealed class EvaluatorTests
{
    [Fact]
    public void WritesItsFilesAndNothingElse()
    {
        using var set = new TestSet();
        var result = Evaluate(set.Options);
        var files = EvaluationFiles.Write(result, set.Out);
        Assert.Equal(["metrics.csv", "metrics.json", "report.html", "tables"],
            Directory.GetFileSystemEntries(set.Out).Select(Path.GetFileName).Order());
        Assert.True(result.BeatsBaselines(result.Models.Single()));
        Assert.InRange(new FileInfo(files.Html).Length, 500_000, 3_000_000);

        var json = JsonNode.Parse(File.ReadAllText(files.Json))!;
        Assert.Equal("tinctor.evaluation/2", (string?)json["schema"]);
        Assert.Equal(6, (int)json["n"]!);
        Assert.True((bool)json["beats_baselines"]!["model"]!);
        Assert.Equal(["psnr", "ssim", "mae", "rmse"], json["metrics"]!.AsArray().Take(4).Select(m => (string?)m!["key"]));
        Assert.Contains("dab", json["metrics"]!.AsArray().Select(m => (string?)m!["group"]));
        Assert.All(json["metrics"]!.AsArray(), m => Assert.NotEmpty((string)m!["definition"]!));
        Assert.Equal("image", (string?)json["bootstrap"]!["unit"]);
        var psnr = json["groups"]![0]!["summary"]!["model"]!["psnr"]!;
        Assert.InRange((double)psnr["mean"]!, (double)psnr["ci"]![0]!, (double)psnr["ci"]![1]!);
        Assert.Equal(6, json["images"]!.AsArray().Count);
        Assert.Equal(2 * result.Metrics.Count, json["comparisons"]!.AsArray().Count);
        Assert.Null(json["images"]![0]!["label"]);
    }

    [Fact]
    public void CsvRoundTripsTheScores()
    {
        using var set = new TestSet();
        var result = Evaluate(set.Options);
        string[][] lines = [.. MetricsCsv.Text(result).TrimEnd().Split('\n').Select(l => l.Split(','))];
        Assert.Equal(["name", "label", "slide_id", "width", "height", "psnr", "ssim", "mae", "rmse"], lines[0].Take(9));
        Assert.Contains("identity_psnr", lines[0]);
        Assert.Equal(7, lines.Length);
        Assert.Equal(result.Images[2].Scores[Method.Model][1], double.Parse(lines[3][6], CultureInfo.InvariantCulture));
    }

    [Fact]
    public void AnInfinitePsnrIsWrittenAndRead()
    {
        using var set = new TestSet(images: 3);
        foreach (string name in set.Names)
            File.Copy(Path.Combine(set.Real, name + ".png"), Path.Combine(set.Stained, name + ".png"), overwrite: true);
        var result = Evaluate(set.Options);
        var files = EvaluationFiles.Write(result, set.Out);
        var psnr = JsonNode.Parse(File.ReadAllText(files.Json))!["groups"]![0]!["summary"]!["model"]!["psnr"]!;
        Assert.Equal("Infinity", (string?)psnr["mean"]);
        Assert.Equal(3, (int)psnr["infinite"]!);
        Assert.Null(psnr["ci"]);
        Assert.True(result.BeatsBaselines(result.Models.Single()));
        Assert.Contains(",inf,1,0,0,", File.ReadAllText(files.Csv));
    }

    [Fact]
    public void ReturningTheSourceDoesNotBeatIdentity()
    {
        using var set = new TestSet(images: 3);
        var result = Evaluate(set.Options with { Stained = TestSet.Model(set.Source) });
        Assert.False(result.BeatsBaselines(result.Models.Single()));
        Assert.All(result.Comparisons.Where(c => c.B == Method.Identity && c.N > 0), c =>
        {
            Assert.Equal(0, c.Difference);
            Assert.Null(c.WilcoxonP);
            Assert.False(c.Significant);
        });
    }

    [Fact]
    public void SeveralModelsAreComparedPairByPair()
    {
        using var set = new TestSet(images: 8);
        string worse = Directory.CreateDirectory(Path.Combine(set.Real, "worse")).FullName;
        foreach (string name in set.Names)
            File.Copy(Path.Combine(set.Source, name + ".png"), Path.Combine(worse, name + ".png"));
        var result = Evaluate(set.Options with
        {
            Stained = [StainedFolder.Parse("good=" + set.Stained), StainedFolder.Parse("bad=" + worse)],
            Source = null,
        });
        Assert.Equal(["good", "bad"], result.Models.Select(m => m.Title));
        Assert.Equal(["bad", "mean_colour", "mean_colour"], result.Comparisons.Where(c => c.Metric == "psnr").Select(c => c.B));
        Comparison psnr = result.Comparisons.First();
        Assert.Equal(("good", "bad", "psnr", 8), (psnr.A, psnr.B, psnr.Metric, psnr.N));
        Assert.Equal(result.Groups[0].Summaries["good"][0].Mean - result.Groups[0].Summaries["bad"][0].Mean, psnr.Difference, 1e-9);
        // All 8 differences have one sign: p = 2 / 2^8, times 3 or less after Holm.
        Assert.Equal(2 / 256.0, psnr.WilcoxonP);
        Assert.True(psnr.Significant);
        Assert.InRange(psnr.AdjustedP!.Value, 2 / 256.0, 6 / 256.0);
        EvaluationFiles.Write(result, set.Out);
        Assert.Throws<TinctorException>(() => Evaluate(set.Options with { Stained = [.. set.Options.Stained, .. set.Options.Stained] }));
    }

    [Theory]
    [InlineData("identity=x"), InlineData("=x")]
    public void AModelCannotTakeABaselinesName(string text) =>
        Assert.Throws<TinctorException>(() => StainedFolder.Parse(text));

    [Fact]
    public void MeanColourComesFromTheTrainingTargets()
    {
        using var set = new TestSet(images: 2);
        foreach (string file in Directory.GetFiles(set.TrainReal))
            File.Delete(file);
        byte[] red = [.. Enumerable.Range(0, 10 * 20 * 3).Select(i => (byte)(i % 3 == 0 ? 200 : 50))];
        TestSet.Write(set.TrainReal, "red", new Image(10, 20, 3, SampleType.UInt8, red));
        var withTraining = Evaluate(set.Options);
        Assert.Contains("rgb(200, 50, 50)", withTraining.Methods[2].Definition);
        Assert.DoesNotContain(withTraining.Warnings, w => w.Contains("--train-real"));
        var without = Evaluate(set.Options with { TrainReal = null });
        Assert.Contains("favours the baseline", without.Methods[2].Definition);
        Assert.Contains(without.Warnings, w => w.Contains("--train-real"));
    }

    [Fact]
    public void ATestImageAmongTheTrainingImagesIsRefused()
    {
        using var set = new TestSet(images: 3);
        File.Copy(Path.Combine(set.Real, "tile01.png"), Path.Combine(set.TrainReal, "other.png"));
        var error = Assert.Throws<TinctorException>(() => Evaluate(set.Options));
        Assert.Contains("tile01.png", error.Message);
        Assert.Contains("other.png", error.Message);
    }

    [Fact]
    public void LabelsComeFromBciNames()
    {
        using var set = new TestSet(images: 8, bciNames: true);
        var result = Evaluate(set.Options);
        Assert.Equal([null, "0", "1+", "2+", "3+"], result.Groups.Select(g => g.Label));
        Assert.Equal([8, 2, 2, 2, 2], result.Groups.Select(g => g.N));
    }

    [Fact]
    public void LabelsAndSlidesComeFromACsv()
    {
        using var set = new TestSet(images: 6);
        var rows = set.Names.Select((name, i) => $"{name}.png,\"low, or {i % 2}\",s{i / 2}\n");
        string csv = set.File("labels.csv", "name,label,slide_id\n" + string.Concat(rows));
        var result = Evaluate(set.Options with { Labels = csv });
        Assert.Equal([null, "low, or 0", "low, or 1"], result.Groups.Select(g => g.Label));
        Assert.Equal(3, result.Groups[0].Slides);
        Assert.True(result.Bootstrap.BySlide);
        Assert.Contains("slides (n = 3)", result.Bootstrap.Description);
        Assert.Contains("\"low, or 0\"", MetricsCsv.Text(result));
        Assert.Contains(result.Warnings, w => w.Contains("too narrow"));
    }

    [Fact]
    public void AManifestSelectsTheTestSplitAndTheTrainingTargets()
    {
        using var set = new TestSet(images: 6);
        string[] splits = ["train", "train", "train", "val", "test", "test"];
        var rows = set.Names.Select((name, i) => $"source/{name}.png,target/{name}.png,{splits[i]},2+,s{i}\n");
        string csv = set.File("manifest.csv", "source,target,split,label,slide_id\n" + string.Concat(rows));
        File.Delete(Path.Combine(set.Stained, "tile00.png"));
        var result = Evaluate(set.Options with { Labels = csv, TrainReal = null });
        Assert.Equal(["tile04", "tile05"], result.Images.Select(i => i.Pair.Name));
        Assert.Equal(["s4", "s5"], result.Images.Select(i => i.Pair.SlideId));
        Assert.Contains("the 3 real images of the training set", result.Methods[2].Definition);
        Assert.DoesNotContain(result.Warnings, w => w.Contains("--train-real"));
    }

    [Theory]
    [InlineData("label\nx\n", "name")]
    [InlineData("name,label\ntile00,a\ntile00,b\n", "twice")]
    [InlineData("name,label\ntile00,a,b\n", "3 cells")]
    [InlineData("", "empty")]
    [InlineData("name,label\ntile00,a\n", "tile01.png: no row")]
    public void ABadLabelTableIsNamed(string text, string expected)
    {
        using var set = new TestSet(images: 2);
        string csv = set.File("labels.csv", text);
        var error = Assert.Throws<TinctorException>(() => Evaluate(set.Options with { Labels = csv }));
        Assert.Contains(csv, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void EverythingWrongWithTheFoldersIsNamedAtOnce()
    {
        using var set = new TestSet(images: 6);
        File.Delete(Path.Combine(set.Stained, "tile00.png"));
        File.Delete(Path.Combine(set.Real, "tile01.png"));
        File.Delete(Path.Combine(set.Source, "tile02.png"));
        TestSet.Write(set.Stained, "tile03", TestSet.Blobs(40, 1, [1, 1, 1]));
        File.WriteAllText(Path.Combine(set.Stained, "tile04.png"), "not an image");
        TestSet.Write(set.Source, "tile05", TestSet.Blobs(24, 1, [1, 1, 1]));
        var error = Assert.Throws<TinctorException>(() => Evaluate(set.Options));
        string[] lines = error.Message.Split('\n');
        Assert.StartsWith("6 problems with the images, nothing was computed:", lines[0]);
        for (int i = 0; i < 6; i++)
            Assert.Contains(lines, l => l.Contains($"tile0{i}.png"));
        Assert.False(Directory.Exists(set.Out));
    }

    [Fact]
    public void ImagesThatOnlyFailWhenDecodedAreAllNamed()
    {
        using var set = new TestSet(images: 4);
        foreach (string name in new[] { "tile01", "tile02" })
        {
            string path = Path.Combine(set.Stained, name + ".png");
            byte[] bytes = File.ReadAllBytes(path);
            File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        }
        var error = Assert.Throws<TinctorException>(() => Evaluate(set.Options));
        Assert.Contains("2 problems", error.Message);
        Assert.Contains("tile01.png", error.Message);
        Assert.Contains("tile02.png", error.Message);
    }

    [Fact]
    public void FoldersWithoutImagesOrCommonNamesAreRefused()
    {
        using var set = new TestSet(images: 1);
        Assert.Throws<DirectoryNotFoundException>(() => Evaluate(set.Options with { Real = set.Real + "-gone" }));
        var empty = Directory.CreateDirectory(Path.Combine(set.Real, "empty")).FullName;
        Assert.Throws<TinctorException>(() => Evaluate(set.Options with { Stained = TestSet.Model(empty) }));
        Assert.Contains("no file name in common", Assert.Throws<TinctorException>(
            () => Evaluate(set.Options with { Stained = TestSet.Model(set.TrainReal) })).Message);
    }

    [Fact]
    public void ASmallerSourceMeansNoIdentityBaseline()
    {
        using var set = new TestSet(images: 3);
        foreach (string name in set.Names)
            TestSet.Write(set.Source, name, TestSet.Blobs(12, 1, [1, 1, 1]));
        var result = Evaluate(set.Options);
        Assert.NotNull(result.Methods.Single(m => m.Key == Method.Identity).NotComputed);
        Assert.DoesNotContain(Method.Identity, result.Images[0].Scores.Keys);
        Assert.Contains(result.Warnings, w => w.StartsWith("Identity baseline not computed"));
        EvaluationFiles.Write(result, set.Out);
    }

    [Fact]
    public void FoldersOfPix2PixAndCycleGanNeedNoSorting()
    {
        using var set = new TestSet(images: 3);
        string all = Directory.CreateDirectory(Path.Combine(set.Real, "images")).FullName;
        foreach (string name in set.Names)
        {
            File.Copy(Path.Combine(set.Stained, name + ".png"), Path.Combine(all, name + "_fake_B.png"));
            File.Copy(Path.Combine(set.Real, name + ".png"), Path.Combine(all, name + "_real_B.png"));
            File.Copy(Path.Combine(set.Source, name + ".png"), Path.Combine(all, name + "_real_A.png"));
        }
        var result = Evaluate(set.Options with { Stained = TestSet.Model(all), Real = all, Source = all });
        Assert.Equal(set.Names, result.Images.Select(i => i.Pair.Name));
        Assert.Equal(Evaluate(set.Options).Images[0].Scores[Method.Model], result.Images[0].Scores[Method.Model]);
    }

    [Fact]
    public void TwiceTheSameIsTheSame()
    {
        using var set = new TestSet(images: 5);
        string Text()
        {
            var json = MetricsJson.Of(Evaluate(set.Options));
            json.Remove("created");
            return json.ToJsonString();
        }
        Assert.Equal(Text(), Text());
    }

    [Fact]
    public void HostileNamesCannotLeaveTheReportsData()
    {
        using var set = new TestSet(images: 2);
        string csv = set.File("labels.csv", "name,label\ntile00,</script><script>alert(1)</script>\ntile01,b\n");
        string html = HtmlReport.Text(Evaluate(set.Options with { Labels = csv, Title = "<img src=x onerror=alert(1)>{{js}}" }));
        Assert.DoesNotContain("alert(1)</script>", html);
        Assert.DoesNotContain("<img src=x", html);
    }

    private static EvaluationResult Evaluate(EvaluationOptions options) =>
        Evaluator.Evaluate(options, cancel: TestContext.Current.CancellationToken);
}
