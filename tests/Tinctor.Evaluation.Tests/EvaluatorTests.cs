using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Report;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Tests;

public sealed class EvaluatorTests
{
    [Fact]
    public void Write_creates_only_documented_files()
    {
        using var set = new ExampleImages();
        var result = Evaluate(set.Options);
        var files = EvaluationFiles.Write(result, set.Out);
        Assert.Equal(["metrics.csv", "metrics.json", "report.html", "tables"],
            Directory.GetFileSystemEntries(set.Out).Select(Path.GetFileName).Order());
        Assert.True(result.BeatsBaselines(result.Models.Single()));
        Assert.InRange(new FileInfo(files.Html).Length, 500_000, 3_000_000);

        var json = JsonNode.Parse(File.ReadAllText(files.Json))!;
        Assert.Equal(("tinctor.evaluation", 3), ((string?)json["format"], (int)json["version"]!));
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
    public void MetricsCsv_scores_round_trip()
    {
        using var set = new ExampleImages();
        var result = Evaluate(set.Options);
        string[][] lines = [.. MetricsCsv.Text(result).TrimEnd().Split('\n').Select(l => l.Split(','))];
        Assert.Equal(["name", "label", "slide_id", "width", "height", "psnr", "ssim", "mae", "rmse"], lines[0].Take(9));
        Assert.Contains("identity_psnr", lines[0]);
        Assert.Equal(7, lines.Length);
        Assert.Equal(result.Images[2].Scores[ScoredMethod.Model][1], double.Parse(lines[3][6], CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Write_infinite_psnr_to_json_and_csv()
    {
        using var set = new ExampleImages(images: 3);
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
    public void Run_several_data_sets_have_equal_weight_in_their_mean()
    {
        using var set = new ExampleImages(images: 5);
        string[] stains = ["HER2", "HER2", "HER2", "Ki67", ""];
        string csv = set.File("labels.csv", "name,slide_id,stain\n"
            + string.Concat(set.Names.Zip(stains, (name, stain) => $"{name},{name},{stain}\n")));
        EvaluationResult result = Evaluate(set.Options with { Labels = csv });
        ReportSection section = Assert.Single(result.Sections, section => section.Key == "datasets");
        double[] psnr = [.. result.Images.Select(image => image.Scores[ScoredMethod.Model][0])];
        double her2 = psnr[..3].Average(), ki67 = psnr[3];
        IReadOnlyList<object?>[] rows = [.. section.Tables[0].Rows.Take(4)];
        Assert.Equal(["HER2", "Ki67", "mean of the data sets", "all images"], rows.Select(row => row[1]));
        Assert.Equal([3, 1, 4, 5], rows.Select(row => row[2]));
        Assert.Equal([her2, ki67, (her2 + ki67) / 2, psnr.Average()], rows.Select(row => (double)row[3]!),
            (x, y) => Math.Abs(x - y) < 1e-9);
        Assert.Contains("1 of 5 images belong to no data set", Assert.Single(section.Warnings));
        EvaluationFiles.Write(result, set.Out);
        Assert.Equal(1 + section.Tables[0].Rows.Count,
            File.ReadAllLines(Path.Combine(set.Out, "tables", "datasets_datasets.csv")).Length);
    }

    [Fact]
    public void Run_model_that_returns_source_does_not_beat_identity()
    {
        using var set = new ExampleImages(images: 3);
        var result = Evaluate(set.Options with { Stained = ExampleImages.Model(set.Source) });
        Assert.False(result.BeatsBaselines(result.Models.Single()));
        Assert.All(result.Comparisons.Where(c => c.B == ScoredMethod.Identity && c.N > 0), c =>
        {
            Assert.Equal(0, c.Difference);
            Assert.Null(c.WilcoxonP);
            Assert.False(c.Significant);
        });
    }

    [Fact]
    public void Run_several_models_are_compared_pairwise()
    {
        using var set = new ExampleImages(images: 8);
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
        Assert.Throws<OptionException>(() => Evaluate(set.Options with { Stained = [.. set.Options.Stained, .. set.Options.Stained] }));
    }

    [Theory]
    [InlineData("identity=x"), InlineData("=x")]
    public void StainedFolder_name_of_baseline_is_refused(string text) =>
        Assert.Throws<TinctorException>(() => StainedFolder.Parse(text));

    [Fact]
    public void Run_mean_colour_comes_from_training_targets()
    {
        using var set = new ExampleImages(images: 2);
        foreach (string file in Directory.GetFiles(set.TrainReal))
            File.Delete(file);
        byte[] red = [.. Enumerable.Range(0, 10 * 20 * 3).Select(i => (byte)(i % 3 == 0 ? 200 : 50))];
        ExampleImages.Write(set.TrainReal, "red", new Image(10, 20, 3, SampleType.UInt8, red));
        var withTraining = Evaluate(set.Options);
        Assert.Contains("rgb(200, 50, 50)", withTraining.Methods[2].Definition);
        Assert.DoesNotContain(withTraining.Warnings, w => w.Contains("no training images"));
        var without = Evaluate(set.Options with { TrainReal = null });
        Assert.Contains("favours the baseline", without.Methods[2].Definition);
        Assert.Contains(without.Warnings, w => w.Contains("no training images"));
    }

    [Fact]
    public void Run_test_image_among_training_images_is_refused()
    {
        using var set = new ExampleImages(images: 3);
        File.Copy(Path.Combine(set.Real, "tile01.png"), Path.Combine(set.TrainReal, "other.png"));
        var error = Assert.Throws<TinctorException>(() => Evaluate(set.Options));
        Assert.Contains("tile01.png", error.Message);
        Assert.Contains("other.png", error.Message);
    }

    [Fact]
    public void Run_bci_names_give_labels()
    {
        using var set = new ExampleImages(images: 8, bciNames: true);
        var result = Evaluate(set.Options);
        Assert.Equal([null, "0", "1+", "2+", "3+"], result.Groups.Select(g => g.Label));
        Assert.Equal([8, 2, 2, 2, 2], result.Groups.Select(g => g.N));
    }

    [Fact]
    public void Run_csv_gives_labels_and_slides()
    {
        using var set = new ExampleImages(images: 6);
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
    public void Run_manifest_selects_test_split_and_training_targets()
    {
        using var set = new ExampleImages(images: 6);
        string[] splits = ["train", "train", "train", "val", "test", "test"];
        var rows = set.Names.Select((name, i) => $"source/{name}.png,target/{name}.png,{splits[i]},2+,s{i}\n");
        string csv = set.File("manifest.csv", "source,target,split,label,slide_id\n" + string.Concat(rows));
        File.Delete(Path.Combine(set.Stained, "tile00.png"));
        var result = Evaluate(set.Options with { Labels = csv, TrainReal = null });
        Assert.Equal(["tile04", "tile05"], result.Images.Select(i => i.Pair.Name));
        Assert.Equal(["s4", "s5"], result.Images.Select(i => i.Pair.SlideId));
        Assert.Contains("the 3 real images of the training set", result.Methods[2].Definition);
        Assert.DoesNotContain(result.Warnings, w => w.Contains("no training images"));
    }

    [Theory]
    [InlineData("label\nx\n", "name")]
    [InlineData("name,label\ntile00,a\ntile00,b\n", "twice")]
    [InlineData("name,label\ntile00,a,b\n", "3 cells")]
    [InlineData("", "empty")]
    [InlineData("name,label\ntile00,a\n", "tile01.png: no row")]
    public void Run_malformed_label_table_is_named(string text, string expected)
    {
        using var set = new ExampleImages(images: 2);
        string csv = set.File("labels.csv", text);
        var error = Assert.Throws<TinctorException>(() => Evaluate(set.Options with { Labels = csv }));
        Assert.Contains(csv, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Run_mismatched_folders_report_all_problems_at_once()
    {
        using var set = new ExampleImages(images: 6);
        File.Delete(Path.Combine(set.Stained, "tile00.png"));
        File.Delete(Path.Combine(set.Real, "tile01.png"));
        File.Delete(Path.Combine(set.Source, "tile02.png"));
        ExampleImages.Write(set.Stained, "tile03", ExampleImages.Blobs(40, 1, [1, 1, 1]));
        File.WriteAllText(Path.Combine(set.Stained, "tile04.png"), "not an image");
        ExampleImages.Write(set.Source, "tile05", ExampleImages.Blobs(24, 1, [1, 1, 1]));
        var error = Assert.Throws<TinctorException>(() => Evaluate(set.Options));
        Assert.StartsWith($"{set.Real}: 6 problems: ", error.Message);
        for (int i = 0; i < 6; i++) Assert.Contains($"tile0{i}.png", error.Message);
        Assert.False(Directory.Exists(set.Out));
    }

    [Fact]
    public void Run_undecodable_images_are_all_named()
    {
        using var set = new ExampleImages(images: 4);
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
    public void Run_folders_without_images_or_common_names_are_refused()
    {
        using var set = new ExampleImages(images: 1);
        Assert.Throws<TinctorException>(() => Evaluate(set.Options with { Real = set.Real + "-gone" }));
        var empty = Directory.CreateDirectory(Path.Combine(set.Real, "empty")).FullName;
        Assert.Throws<TinctorException>(() => Evaluate(set.Options with { Stained = ExampleImages.Model(empty) }));
        Assert.Contains("no file name in common", Assert.Throws<TinctorException>(
            () => Evaluate(set.Options with { Stained = ExampleImages.Model(set.TrainReal) })).Message);
    }

    [Fact]
    public void Run_smaller_source_has_no_identity_baseline()
    {
        using var set = new ExampleImages(images: 3);
        foreach (string name in set.Names)
            ExampleImages.Write(set.Source, name, ExampleImages.Blobs(12, 1, [1, 1, 1]));
        var result = Evaluate(set.Options);
        Assert.NotNull(result.Methods.Single(m => m.Key == ScoredMethod.Identity).NotComputed);
        Assert.DoesNotContain(ScoredMethod.Identity, result.Images[0].Scores.Keys);
        Assert.Contains(result.Warnings, w => w.StartsWith("Identity baseline not computed"));
        EvaluationFiles.Write(result, set.Out);
    }

    [Fact]
    public void Run_folders_of_pix2pix_and_cyclegan_are_matched()
    {
        using var set = new ExampleImages(images: 3);
        string all = Directory.CreateDirectory(Path.Combine(set.Real, "images")).FullName;
        foreach (string name in set.Names)
        {
            File.Copy(Path.Combine(set.Stained, name + ".png"), Path.Combine(all, name + "_fake_B.png"));
            File.Copy(Path.Combine(set.Real, name + ".png"), Path.Combine(all, name + "_real_B.png"));
            File.Copy(Path.Combine(set.Source, name + ".png"), Path.Combine(all, name + "_real_A.png"));
        }
        var result = Evaluate(set.Options with { Stained = ExampleImages.Model(all), Real = all, Source = all });
        Assert.Equal(set.Names, result.Images.Select(i => i.Pair.Name));
        Assert.Equal(Evaluate(set.Options).Images[0].Scores[ScoredMethod.Model], result.Images[0].Scores[ScoredMethod.Model]);
    }

    [Fact]
    public void Run_twice_gives_same_json()
    {
        using var set = new ExampleImages(images: 5);
        string Text()
        {
            var json = MetricsJson.Of(Evaluate(set.Options));
            json.Remove("created");
            return json.ToJsonString();
        }
        Assert.Equal(Text(), Text());
    }

    [Fact]
    public void HtmlReport_escapes_hostile_names()
    {
        using var set = new ExampleImages(images: 2);
        string csv = set.File("labels.csv", "name,label\ntile00,</script><script>alert(1)</script>\ntile01,b\n");
        string html = HtmlReport.Text(Evaluate(set.Options with { Labels = csv, Title = "<img src=x onerror=alert(1)>{{js}}" }));
        Assert.DoesNotContain("alert(1)</script>", html);
        Assert.DoesNotContain("<img src=x", html);
    }

    [Fact]
    public void HtmlReport_script_is_one_element_and_names_its_packages()
    {
        string html = HtmlReport.Text("A page", "test", "", []);
        Assert.Equal(2, Regex.Count(html, "<script|<!--", RegexOptions.IgnoreCase)); // data and script
        Assert.Equal(2, Regex.Count(html, "</script", RegexOptions.IgnoreCase));
        Assert.Matches(@"/\* Contains echarts [\d.]+ \(Apache-2\.0\), .*zrender [\d.]+ \(BSD-3-Clause\)\. \*/", html);
    }

    [Fact]
    public void Run_image_smaller_than_ssim_window_is_skipped()
    {
        using var set = new ExampleImages(images: 4);
        foreach (string folder in new[] { set.Stained, set.Real, set.Source })
            ExampleImages.Write(folder, "tile01", ExampleImages.Blobs(8, 1, [1, 1, 1]));
        Assert.Equal(4, Evaluate(set.Options).Images.Count);
        var result = Evaluate(set.Options with { Ssim = Metrics.SsimVariant.Gaussian11 });
        Assert.Equal(["tile00", "tile02", "tile03"], result.Images.Select(i => i.Pair.Name));
        var skipped = Assert.Single(result.Skipped);
        Assert.Equal(("tile01", "8x8 pixels, but the window of SSIM needs 11x11"), (skipped.Name, skipped.Reason));
        Assert.Contains(result.Warnings, w => w.StartsWith("1 of 4 images were not scored: tile01"));
        Assert.Equal("tile01", (string?)MetricsJson.Of(result)["skipped"]![0]!["name"]);
    }

    [Fact]
    public void Run_only_too_small_images_are_refused()
    {
        using var set = new ExampleImages(images: 2, size: 6);
        Assert.Contains("needs 7x7", Assert.Throws<TinctorException>(() => Evaluate(set.Options)).Message);
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Run_partly_stained_real_folder_advises_manifest(bool manifest)
    {
        using var set = new ExampleImages(images: 30);
        foreach (string name in set.Names.Take(25)) File.Delete(Path.Combine(set.Stained, name + ".png"));
        if (manifest) set.File("manifest.csv", "source,target,split\n");
        var error = Assert.Throws<TinctorException>(() => Evaluate(set.Options));
        Assert.Equal(nameof(EvaluationOptions.Labels), error.Option);
        Assert.Contains($"25 files: no stained image of this name in {set.Stained} (tile00.png, tile01.png, tile02.png and 22 more)",
            error.Message);
        Assert.Contains(manifest ? "manifest.csv as labels" : "the manifest of the data set as labels", error.Remedy);
    }

    [Fact]
    public void Run_swapped_source_and_real_folders_warns()
    {
        using var set = new ExampleImages(images: 4);
        bool Suspects(EvaluationOptions options) => Evaluate(options).Warnings.Any(w => w.Contains("swapped"));
        Assert.False(Suspects(set.Options));
        Assert.False(Suspects(set.Options with { Source = null }));
        Assert.True(Suspects(set.Options with { Real = set.Source, Source = set.Real, TrainReal = null }));
    }

    [Theory]
    [InlineData(1, false), InlineData(2, false), InlineData(5, false), InlineData(6, true)]
    public void Run_too_few_images_are_compared_without_tests(int images, bool tested)
    {
        using var set = new ExampleImages(images: images);
        var result = Evaluate(set.Options);
        Assert.Equal(tested, result.NotTested is null);
        Assert.All(result.Comparisons.Where(c => c.Metric == "psnr"), c =>
        {
            Assert.Equal(tested, c.WilcoxonP is not null);
            Assert.Equal(tested, c.AdjustedP is not null);
            Assert.Equal(tested, c.BootstrapP is not null);
        });
        if (!tested) Assert.Contains($"With {images} image", result.NotTested);
    }

    [Fact]
    public void Title_without_option_names_models_and_data()
    {
        using var set = new ExampleImages(images: 2);
        string data = Path.GetFileName(Path.GetDirectoryName(set.Real))! + "/real";
        Assert.EndsWith($"stained on {data}", Evaluate(set.Options).Title);
        Assert.Equal($"Careful & Co, quick on {data}", Evaluate(set.Options with { Stained = set.TwoModels }).Title);
    }

    [Fact]
    public void TargetHasDab_is_true_for_brown_images_only()
    {
        using var set = new ExampleImages(images: 2);
        Assert.True(Evaluate(set.Options).TargetHasDab);
        foreach (string name in set.Names) // eosin: green is absorbed most
            ExampleImages.Write(set.Real, name, ExampleImages.Blobs(48, 1, [0.2, 1, 0.3]));
        Assert.False(Evaluate(set.Options).TargetHasDab);
    }

    [Fact]
    public void Run_with_extra_metric_scores_and_writes_it()
    {
        using var set = new ExampleImages(images: 2);
        var result = Evaluate(set.Options with { ExtraMetrics = [new LargestError()] });
        Assert.Equal("largest_error", result.Metrics[^1].Key);
        Assert.All(result.Images, image => Assert.InRange(image.Scores[ScoredMethod.Model][^1], 1, 255));
        Assert.Contains(",largest_error,", MetricsCsv.Text(result));
        var error = Assert.Throws<OptionException>(() =>
            Evaluate(set.Options with { ExtraMetrics = [new LargestError(), new LargestError()] }));
        Assert.Equal(nameof(EvaluationOptions.ExtraMetrics), error.Option);
    }

    private sealed class LargestError : Metrics.PairMetric
    {
        public override string Key => "largest_error";

        public override string Title => "Largest error";

        public override bool HigherIsBetter => false;

        public override string Definition => "largest absolute difference of a sample";

        public override double Compute(Metrics.ScoredImage image, Metrics.ScoredImage reference) =>
            image.Image.Data.Zip(reference.Image.Data, (a, b) => Math.Abs(a - b)).Max();
    }

    private static EvaluationResult Evaluate(EvaluationOptions options) =>
        Evaluator.Run(options, cancel: TestContext.Current.CancellationToken);
}
