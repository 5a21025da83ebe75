using System.Text.Json.Nodes;
using Google.Protobuf;
using Onnx;
using Tinctor.Cli.Startup;
using Tinctor.Slides;
using Tinctor.Training.Export;

namespace Tinctor.Cli.Tests;

public sealed class EvaluateCommandTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("evaluate-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task Evaluate_writes_report_and_metrics()
    {
        WriteImage("stained", "a", 100);
        WriteImage("real", "a", 110);
        Assert.Equal(0, await Run("--stained", At("stained"), "--real", At("real"), "-o", At("out"), "--ssim", "gaussian11"));
        Assert.Equal(["metrics.csv", "metrics.json", "report.html"], Directory.GetFiles(At("out")).Select(Path.GetFileName).Order());
        // Stained and real image have the same name, and are found by their contents.
        Assert.Contains($"http://127.0.0.1:8265/open?name=a.png\\u0026fingerprint={SlideContent.Fingerprint(At("stained/a.png"))}"
            + $"\\u0026compare=a.png\\u0026compareFingerprint={SlideContent.Fingerprint(At("real/a.png"))}", Report("out"));
        Assert.Equal(0, await Run("--stained", At("stained"), "--real", At("real"), "-o", At("unlinked"), "--viewer", "none"));
        Assert.DoesNotContain("open?name", Report("unlinked"));

        string Report(string folder) => File.ReadAllText(Path.Combine(At(folder), "report.html"));
    }

    [Fact]
    public async Task Evaluate_combines_models_repeated_runs_and_chosen_metrics()
    {
        foreach (string name in new[] { "a", "b", "c" })
        {
            WriteImage("real", name, 110);
            WriteImage("runs/1", name, 100);
            WriteImage("runs/2", name, 104);
            WriteImage("other", name, 140);
        }
        Assert.Equal(0, await Run("--stained", $"ours={At("runs/1")}", "--stained", $"theirs={At("other")}", "--real", At("real"),
            "--samples", $"ours={At("runs")}", "--metrics", "mae_dab", "--no-alignment", "-o", At("out")));
        JsonNode json = JsonNode.Parse(File.ReadAllText(Path.Combine(At("out"), "metrics.json")))!;
        Assert.Equal(["psnr", "ssim", "mae_dab"], Keys("metrics").Take(3));
        Assert.Equal(["ours", "theirs", "identity", "mean_colour"], Keys("methods"));
        Assert.Contains("uncertainty", Keys("sections"));
        Assert.DoesNotContain("alignment", Keys("sections"));
        Assert.StartsWith("no Inception weights were given",
            (string?)json["sections"]!.AsArray().Single(s => (string?)s!["key"] == "distribution")!["not_computed"]);
        Assert.True(File.Exists(Path.Combine(At("out"), "tables", "uncertainty_uncertainty.tex")));

        string[] Keys(string list) => [.. json[list]!.AsArray().Select(item => (string)item!["key"]!)];
    }

    [Fact]
    public void Evaluate_features_of_onnx_file_gives_fid_or_one_line()
    {
        foreach ((string name, byte grey) in new[] { ("a", (byte)90), ("b", (byte)110), ("c", (byte)130) })
        {
            WriteImage("real", name, grey);
            WriteImage("stained", name, (byte)(grey + 20));
        }
        var graph = new OnnxGraph();
        graph.Input("image", TensorProto.Types.DataType.Float, "N", 3, 16, 16);
        graph.Output("features", graph.Add("ReduceMean", ["image"], ("axes", new long[] { 2, 3 }), ("keepdims", 0L)), "N", 3);
        File.WriteAllBytes(At("means.onnx"), graph.Build("means", new Dictionary<string, string>()).ToByteArray());
        string[] evaluate = ["evaluate", "--stained", At("stained"), "--real", At("real"), "--no-alignment", "--features", At("means.onnx"),
            "--features-mean", "0,0,0", "--features-std", "1,1,1", "-o", At("out")];
        Assert.Equal(0, CommandLine.Run(evaluate).Code);
        JsonNode json = JsonNode.Parse(File.ReadAllText(Path.Combine(At("out"), "metrics.json")))!;
        JsonNode section = json["sections"]!.AsArray().Single(item => (string?)item!["key"] == "distribution")!;
        Assert.Equal(3 * Math.Pow(20 / 255.0, 2), (double)section["tables"]![0]!["rows"]![0]![1]!, 1e-5);

        Assert.EndsWith("the network takes images of 16x16 pixels, but the input size is 32. Use 16, or leave the size out "
            + "(--features-size).",
            CommandLine.Run([.. evaluate, "--features-size", "32"]).OneError());
        File.WriteAllText(At("means.onnx"), "no network");
        Assert.Contains("means.onnx: the file is damaged, or not an ONNX file.", CommandLine.Run(evaluate).OneError());
    }

    [Fact]
    public void Evaluate_writes_scores_to_stdout_and_all_notes_to_stderr()
    {
        foreach (string name in new[] { "a", "b", "c" })
        {
            WriteImage("real", name, 110);
            WriteImage("source", name, 30);
            WriteImage("ours", name, 32);
            WriteImage("theirs", name, 140);
        }
        Outcome outcome = CommandLine.Run("evaluate", "--stained", $"ours={At("ours")}", "--stained", $"theirs={At("theirs")}",
            "--real", At("real"), "--source", At("source"), "--no-alignment", "-o", At("out"));
        Assert.Equal(0, outcome.Code);
        string[] results = [.. outcome.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).SkipWhile(line => !line.StartsWith('╰'))
            .Skip(1)];
        Assert.All(results, line => Assert.Matches(
            "^(Means with intervals: |ours against theirs by |(ours|theirs) beats the baselines |Report: )", line));
        Assert.StartsWith("Report: ", results[^1]);
        // A suspicion about swapped folders, a test that is not possible, and metrics without weights.
        Assert.Contains("warning: ours: the colours of the stained images resemble the source images more", outcome.Messages);
        Assert.Matches("(?m)^LPIPS: not computed, .* \\(--lpips-trunk, --lpips-lin\\)\\.$", outcome.Messages);
        Assert.DoesNotContain("not computed", outcome.Out);
        Assert.DoesNotContain("note:", outcome.All);
    }

    [Fact]
    public void Evaluate_transparent_images_are_composited_on_white_and_named()
    {
        foreach (string name in new[] { "a", "b" })
        {
            WriteImage("real", name, 110);
            Directory.CreateDirectory(At("stained"));
            new Image(20, 20, 4, SampleType.UInt8, [.. Enumerable.Range(0, 20 * 20 * 4).Select(i => (byte)(i % 4 == 3 ? i % 200 : 100))])
                .Write(Path.Combine(At("stained"), name + ".png"));
        }
        Outcome outcome = CommandLine.Run("evaluate", "--stained", At("stained"), "--real", At("real"), "--no-alignment", "-o", At("out"));
        Assert.Equal(0, outcome.Code);
        Assert.Matches(@"warning: \S+stained\S[ab]\.png and 1 other image: .*composited on white", outcome.Messages);
        Assert.Contains("composited on white", File.ReadAllText(Path.Combine(At("out"), "metrics.json")));
    }

    [Fact]
    public void Evaluate_with_protocol_prints_and_records_it()
    {
        for (int i = 0; i < 3; i++)
        {
            WriteImage("real", $"{i}", (byte)(90 + (20 * i)), side: 260);
            WriteImage("stained", $"{i}", (byte)(80 + (20 * i)), side: 260);
        }
        string[] evaluate = ["evaluate", "--stained", At("stained"), "--real", At("real"), "--no-alignment", "--protocol", "centre-256",
            "-o", At("out")];
        Outcome outcome = CommandLine.Run(evaluate);
        Assert.Equal(("", 0), (outcome.Failures, outcome.Code));
        Assert.Contains("Protocol centre-256: crops of 256x256 pixels", outcome.Out);
        Assert.Matches(@"(?m)^Stained: PSNR 28\.\d+ dB, SSIM 0\.\d+, MAE 10\.000 grey levels, ΔE76 \d+\.\d+ CIELAB, "
            + @"DAB OD MAE 0\.\d+ rgb2hed, DAB correlation \d\.\d+$", outcome.Out);
        JsonNode json = JsonNode.Parse(File.ReadAllText(Path.Combine(At("out"), "metrics.json")))!;
        Assert.Equal(("centre-256", 256), ((string?)json["protocol"]!["name"], (int)json["images"]![0]!["width"]!));
        Assert.EndsWith(
            "LPIPS is vgg, but the protocol centre-256 uses alex. Leave the network out, or choose the protocol tinctor (--lpips).",
            CommandLine.Run([.. evaluate, "--lpips", "vgg"]).OneError());
    }

    [Fact]
    public async Task Evaluate_folders_without_common_names_is_error()
    {
        WriteImage("stained", "a", 100);
        WriteImage("real", "b", 110);
        var error = await Assert.ThrowsAsync<TinctorException>(
            () => Run("--stained", At("stained"), "--real", At("real"), "-o", At("out")));
        Assert.Contains("a.png", error.Message);
        Assert.Contains("b.png", error.Message);
        Assert.False(Directory.Exists(At("out")));
    }

    [Theory]
    [InlineData("--ssim", "uniform9")]
    [InlineData("--resamples", "10")]
    [InlineData("--protocol", "center")]
    public void Parse_unknown_value_gives_error(string option, string value) =>
        Assert.NotEmpty(CommandLineApp.Root.Parse(["evaluate", "--stained", "a", "--real", "b", "-o", "c", option, value]).Errors);

    private void WriteImage(string folder, string name, byte grey, int side = 20)
    {
        Directory.CreateDirectory(At(folder));
        byte[] data = [.. Enumerable.Range(0, side * side * 3).Select(i => (byte)(grey + i % 7))];
        new Image(side, side, 3, SampleType.UInt8, data).Write(Path.Combine(At(folder), name + ".png"));
    }

    private string At(string name) => Path.Combine(root, name);

    private static Task<int> Run(params string[] options) => CommandLine.Invoke(["evaluate", .. options]);
}
