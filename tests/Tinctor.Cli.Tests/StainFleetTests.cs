using System.Diagnostics;
using System.Text.Json;
using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Cli.Tests;

/// <summary>Many processes that stain into one folder.</summary>
[Collection("trained")]
public sealed class StainFleetTests : IDisposable
{
    private static readonly Lazy<Image> Section = new(() =>
        PhantomSlide.Render(new() { Width = 300, Height = 260, Stains = [PhantomStain.He] }).Images[0].Image);

    private readonly TrainedRun trained;
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-fleet-").FullName;

    public StainFleetTests(TrainedRun trained)
    {
        this.trained = trained;
        torch.set_num_threads(1);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Stain_shards_make_each_result_once()
    {
        for (int i = 0; i < 5; i++) WriteImage($"{i}.png", 20 + (10 * i));
        Assert.Equal(0, Stain("--shard", "2/3").Code);
        string[] second = Written("*.png");
        Outcome status = Status();
        Assert.Equal(1, status.Code);
        Assert.Contains($"{second.Length} done, 0 running, 0 failed, {5 - second.Length} missing.", status.Out);
        Assert.Equal(0, Stain("--shard", "1/3").Code);
        Assert.Equal(0, Stain("--shard", "3/3").Code);

        Assert.Equal(["0.png", "1.png", "2.png", "3.png", "4.png"], Written("*.png"));
        // Each process has listed its own results.
        string[] rows = [.. Written("stained.*.csv").SelectMany(table => File.ReadLines(At("out", table)).Skip(1))];
        Assert.Equal(["0.png", "1.png", "2.png", "3.png", "4.png"], rows.Select(row => row.Split(',')[0]).Order());
        Assert.Equal((0, "5 done, 0 running, 0 failed, 0 missing.\n"), (Status().Code, Status().Out));
        DateTime[] times = [.. Written("*.png").Select(name => File.GetLastWriteTimeUtc(At("out", name)))];
        Assert.Contains("Existing results are kept", Stain("--shard", "2/3").All);
        Assert.Equal(times, Written("*.png").Select(name => File.GetLastWriteTimeUtc(At("out", name))));
        Outcome extra = Stain("--shard", "9/9");
        Assert.Equal(0, extra.Code);
        Assert.Contains("Part 9/9 has no inputs: there are 5", extra.All);
    }

    [Fact]
    public void Stain_bands_in_processes_equals_one_process()
    {
        string slide = WriteSlide("a.ome.tif");
        Assert.Equal(0, Stain("--tile-size", "64", "--lossless").Code);
        byte[] whole = Image.Read(At("out", "a.ome.tif")).Data;
        string report = File.ReadAllText(At("out", "a.json"));
        Directory.Delete(At("out"), recursive: true);

        Process[] processes = [.. Enumerable.Range(1, 3).Select(band => CommandLine.Start("stain", trained.Model, slide, "-o", At("out"),
            "--device", "cpu", "--tile-size", "64", "--lossless", "--band", $"{band}/3"))];
        Outcome[] outcomes = [.. processes.Select(CommandLine.Finish)];
        Assert.All(outcomes, outcome => Assert.Equal((0, ""), (outcome.Code, outcome.Error)));
        // One process writes the slide; another one may find it written, if it ends late.
        Assert.Equal(2, outcomes.Count(outcome => outcome.All.Contains("The process that stains the last band writes the slide")
            || outcome.All.Contains("another process has stained it")));
        Assert.Equal(whole, Image.Read(At("out", "a.ome.tif")).Data);
        Assert.Equal(report, File.ReadAllText(At("out", "a.json")));
        Assert.Equal([".jobs.csv", "a.html", "a.json", "a.ome.tif", "stained.csv"], Written("*"));
        Assert.Contains("Existing results are kept", Stain("--tile-size", "64", "--lossless", "--band", "1/3").All);
    }

    [Fact]
    public void Stain_second_process_of_a_fleet_skips_slide()
    {
        string slide = WriteSlide("a.ome.tif");
        WriteSlide("b.ome.tif");
        using (FileLock.Acquire(Lock("a"), slide))
        {
            Assert.Contains("is in use by process", OneFailure(Stain()));
            Assert.True(File.Exists(At("out", "b.ome.tif")));
            Assert.False(File.Exists(At("out", "a.failed.json")));
            File.Delete(At("out", "b.ome.tif"));
            Outcome skipped = Stain("--shard", "1/1");
            Assert.Equal((0, ""), (skipped.Code, skipped.Error));
            Assert.Contains($"is in use by process {Environment.ProcessId} on {Environment.MachineName}", skipped.All);
            Assert.Contains("Stained 1 image", skipped.Out);
            Outcome status = Status();
            Assert.Equal(1, status.Code);
            Assert.Contains($"running  a.ome.tif process {Environment.ProcessId} on {Environment.MachineName}\n", status.Out);
            Assert.Contains("1 done, 1 running, 0 failed, 0 missing.", status.Out);
        }
        Assert.Equal(0, Stain("--shard", "1/1").Code);
        Assert.Equal(0, Status().Code);
    }

    [Fact]
    public void Status_shows_failure_until_it_is_mended()
    {
        string slide = WriteSlide("a.ome.tif");
        File.WriteAllBytes(At("in", "b.ome.tif"), File.ReadAllBytes(slide)[..5000]);
        string error = OneFailure(Stain("--shard", "1/1"));
        using JsonDocument record = JsonDocument.Parse(File.ReadAllText(At("out", "b.failed.json")));
        Assert.Equal(error, "error: " + record.RootElement.GetProperty("error").GetString());

        Outcome status = Status();
        Assert.Equal(1, status.Code);
        Assert.Contains($"failed   b.ome.tif {error["error: ".Length..]} ({Environment.MachineName}, ", status.Out);
        using JsonDocument json = JsonDocument.Parse(Status("--json").Out);
        Assert.Equal(1, json.RootElement.GetProperty("failed").GetInt32());
        JsonElement result = json.RootElement.GetProperty("results")[1];
        Assert.Equal("failed", result.GetProperty("state").GetString());
        Assert.Equal(Path.GetFullPath(At("in", "b.ome.tif")), result.GetProperty("source").GetString());

        File.Copy(slide, At("in", "b.ome.tif"), overwrite: true);
        Assert.Equal(0, Stain("--shard", "1/1").Code);
        Assert.False(File.Exists(At("out", "b.failed.json")));
        Assert.Equal((0, "2 done, 0 running, 0 failed, 0 missing.\n"), (Status().Code, Status().Out));
    }

    [Fact]
    public void Stain_killed_process_is_missing_and_restarts()
    {
        string slide = WriteSlide("a.ome.tif");
        Process process = CommandLine.Start("stain", trained.Model, slide, "-o", At("out"), "--device", "cpu", "--tile-size", "64",
            "--shard", "1/1");
        Assert.True(CommandLine.Await(process, () => Tiles() > 1));
        process.Kill();
        process.WaitForExit();
        process.Dispose();
        Assert.Matches(@"missing  a\.ome\.tif interrupted after \d+ tiles\n", Status().Out);
        Assert.Equal(0, Stain("--tile-size", "64", "--shard", "1/1").Code);
        Assert.Equal(0, Status().Code);

        int Tiles() => At("out", ".a.ome.tif.tiles") is var tiles && Directory.Exists(tiles)
            ? Directory.GetFiles(tiles, "0*.png").Length : 0;
    }

    [Fact]
    public void Stain_reads_part_from_environment()
    {
        for (int i = 0; i < 4; i++) WriteImage($"{i}.png", 20);
        Outcome outcome = CommandLine.RunWith("JOB_COMPLETION_INDEX", "1", "stain", trained.Model, At("in"), "-o", At("out"),
            "--device", "cpu", "--shard", "auto/4");
        Assert.Equal(0, outcome.Code);
        Assert.Equal(["1.png"], Written("*.png"));
        Assert.True(File.Exists(At("out", "stained.2-of-4.csv")));
    }

    [Theory]
    [InlineData("part 9 of 8 does not exist", "--shard", "9/8")]
    [InlineData("\"many\" is no part", "--shard", "many")]
    [InlineData("is set. State the part, as in 2/8 (--shard)", "--shard", "auto")]
    [InlineData("the inputs are images", "--band", "1/2")]
    [InlineData("Add --status DIR (--json)", "--json")]
    [InlineData("each would start over", "--band", "1/2", "--format", "ome.tif", "--overwrite")]
    public void Stain_wrong_parts_are_one_line(string problem, params string[] options)
    {
        WriteImage("a.png", 20);
        Assert.Contains(problem, Stain(options).OneError());
        Assert.False(Directory.Exists(At("out")));
    }

    [Fact]
    public void Status_of_wrong_folder_is_one_line()
    {
        Assert.Contains("there is no such folder", Status().OneError());
        Directory.CreateDirectory(At("out"));
        Assert.Contains("no results of staining were asked for", Status().OneError());
        Assert.Contains("--status needs the output folder", CommandLine.Run("stain", "--status").OneError());
        File.WriteAllText(At("out", ".jobs.csv"), "a,b\n1,2\n");
        Assert.Contains("the column file is missing", Status().OneError());
    }

    // A job that failed beside others that did not.
    private static string OneFailure(Outcome outcome)
    {
        Assert.Equal(1, outcome.Code);
        return Assert.Single(outcome.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private string Lock(string name) => At("out", $".{name}.ome.tif.tiles.lock");

    private void WriteImage(string name, int side) => TrainedRun.Noise(side, side, side).Write(At("in", name));

    private string WriteSlide(string name)
    {
        string path = At("in", name);
        SlideWriter.Write(path, new SlideSpec(300, 260) { Mpp = 0.5, Tile = 128, JpegQuality = null }, Section.Value);
        return path;
    }

    private Outcome Stain(params string[] options) =>
        CommandLine.Run(["stain", trained.Model, At("in"), "-o", At("out"), "--device", "cpu", .. options]);

    private Outcome Status(params string[] options) => CommandLine.Run(["stain", "--status", At("out"), .. options]);

    private string[] Written(string pattern) => [.. Directory.EnumerateFileSystemEntries(At("out"), pattern)
        .Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private string At(params string[] parts) => Path.Combine([folder, .. parts]);
}
