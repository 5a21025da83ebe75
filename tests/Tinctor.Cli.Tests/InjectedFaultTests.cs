using System.Diagnostics;
using System.Globalization;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Transforms;

namespace Tinctor.Cli.Tests;

/// <summary>Full disks, read errors, folders that vanish, short memory and a clock that jumps: one line, nothing half-written.</summary>
[Collection("trained")]
public sealed class InjectedFaultTests(TrainedRun trained) : IDisposable
{
    private const string DayBack = "-86400";

    // Of the aligned allocations, the largest are the activations of the batch.
    private static readonly string[] BatchOfFour =
        ["training.batch_size=4", "training.steps=4", "training.checkpoint_every=4", "model.ndf=2"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string, int> WritingCommands => new()
    {
        { "phantom -o OUT/out --slides 2 --size 96x96 --threads 1", 60 },
        { "convert IMAGE -o OUT/out.ome.tif", 4 },
        { "tissue IMAGE -o OUT/out", 8 },
        { "stain MODEL IMAGES -o OUT/out", 12 },
        { "stain MODEL IMAGE -o OUT/out --tile-size 96 --halo 16", 24 },
        { "stains separate IMAGES -o OUT/out", 8 },
        { "evaluate --stained IMAGES --real IMAGES -o OUT/out --no-alignment", 24 },
        { "pair IMAGES IMAGES -o OUT/out --tile 32", 12 },
        { "warp SHIFT IMAGE -o OUT/out.png --accept-failed", 8 },
        { "import pix2pix WEIGHTS -o OUT/out", 60 },
        { "compare pyramid-pix2pix cut --data DATA -o OUT/out --steps 2 --seeds 0 --set data.crop_size=32", 400 },
        { "ablate pix2pix --data DATA -o OUT/out --steps 2 --seeds 0 --set data.crop_size=32 --set model.generator=resnet_6blocks", 400 },
        { "train pix2pix --data DATA -o OUT/run --steps 2 --crop-size 32 --set model.generator=resnet_6blocks --set model.ngf=4", 200 },
    };

    [Theory]
    [MemberData(nameof(WritingCommands))]
    public void Write_to_full_disk_is_one_line_and_leaves_whole_files(string command, int kilobytes)
    {
        using var disk = new SmallDisk(kilobytes);
        for (int i = 0; i < 3; i++) TrainedRun.Noise(96, 80, i).Write(folder.File($"images/{i}.png"));
        string shift = WriteShift();
        Outcome outcome = CommandLine.Run([.. command.Split(' ').Select(word => word.Replace("OUT", disk.At("").TrimEnd('/'))
            .Replace("IMAGES", folder.File("images")).Replace("IMAGE", folder.File("images/0.png")).Replace("MODEL", trained.Model)
            .Replace("DATA", trained.Data).Replace("SHIFT", shift).Replace("WEIGHTS", TestVectors.Path("p2p_resnet6_batch/weights.pth")))]);

        Assert.Equal(1, outcome.Code);
        string[] errors = outcome.Failures.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(errors);
        Assert.All(errors, line => Assert.Contains(disk.At(""), line));
        Assert.All(errors, line => Assert.True(line.Contains("no space left") || line.Contains("are free"), line));
        Assert.DoesNotContain("   at ", outcome.All);
        Assert.All(disk.Files, file => Assert.DoesNotContain(".tinctor-", file));
        Assert.All(disk.Files.Where(file => file.EndsWith(".png") && new FileInfo(file).LinkTarget is null), file => Image.Read(file));
        Assert.DoesNotContain(disk.Files, file => file.EndsWith(".safetensors"));
    }

    [Fact]
    public void Export_to_full_disk_is_one_line_and_keeps_model()
    {
        using var disk = new SmallDisk(600);
        trained.CopyModel(disk.At("model"));
        string[] before = disk.Files;
        File.WriteAllBytes(disk.At("filler"), new byte[600_000 - before.Sum(file => (int)new FileInfo(file).Length) - 50_000]);
        string error = CommandLine.Run("export", disk.At("model"), "--tile", "64").OneError();
        Assert.Contains("model-64.onnx: cannot be written: no space left on the disk", error);
        error = CommandLine.Run("export", disk.At("model"), "--overwrite").OneError();
        Assert.Contains("model.onnx: cannot be written: no space left on the disk", error);
        File.Delete(disk.At("filler"));
        Assert.Equal(before.Order(), disk.Files.Order());
        foreach (string file in before)
            Assert.Equal(File.ReadAllBytes(Path.Combine(trained.Model, Path.GetFileName(file))), File.ReadAllBytes(file));
        Assert.Equal(0, CommandLine.Run("export", disk.At("model"), "--tile", "64").Code);
    }

    [Theory]
    [InlineData("stain MODEL IMAGE -o OUT --tile-size 64 --halo 16", "images/0.png:1", "images/0.png")]
    [InlineData("stain MODEL IMAGE -o OUT", "model/model.onnx:1", "model.onnx")]
    [InlineData("train pix2pix --data DATA -o OUT --steps 2 --crop-size 32 --set model.generator=resnet_6blocks", "source/1.png:1",
        "source/1.png")]
    public void Read_error_is_one_line_with_file(string command, string fault, string file)
    {
        TrainedRun.Noise(96, 80, 1).Write(folder.File("images/0.png"));
        Outcome outcome = InjectedFaults.Run("FAULT_READ", fault, [.. command.Split(' ').Select(word =>
            word.Replace("OUT", folder.File("out")).Replace("IMAGE", folder.File("images/0.png")).Replace("MODEL", trained.Model)
            .Replace("DATA", trained.Data))]);

        Assert.Equal(1, outcome.Code);
        // Problems with several pairs are listed below the error.
        Assert.Single(outcome.Failures.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(file + ":", outcome.Messages);
        Assert.Contains("Input/output error", outcome.Messages);
        Assert.DoesNotContain("   at ", outcome.All);
        Assert.False(Directory.Exists(folder.File("out")) && Directory.GetFiles(folder.File("out"), "*.png").Length > 0);
    }

    [Fact]
    public void Run_folder_that_vanishes_ends_training_and_resumes_when_back()
    {
        string run = folder.File("run"), away = folder.File("away");
        Process process = CommandLine.Start(trained.Arguments(run));
        Assert.True(CommandLine.Await(process, () => File.Exists(Path.Combine(run, "checkpoints", "step-00000004.safetensors"))));
        Directory.Move(run, away);
        Outcome ended = CommandLine.Finish(process);

        Assert.StartsWith($"error: {run}", ended.OneError());
        // Nothing was written into a folder of the same name on another disk.
        Assert.False(Directory.Exists(Path.Combine(run, "checkpoints")) && Directory.GetFiles(Path.Combine(run, "checkpoints")).Length > 0);
        if (Directory.Exists(run)) Directory.Delete(run, recursive: true);
        Directory.Move(away, run);
        Assert.Equal(0, CommandLine.Run("train", "--output", run, "--resume").Code);
        AssertSameWeights(trained.Run, run);
    }

    [Fact]
    public void Tiles_that_vanish_end_staining_and_it_completes_when_back()
    {
        TrainedRun.Noise(1200, 900, 1).Write(folder.File("a.png"));
        string[] arguments = ["stain", trained.Model, folder.File("a.png"), "--tile-size", "96", "--halo", "16", "--batch-size", "1",
            "--format", "tif", "-o"];
        string output = folder.File("out"), tiles = Path.Combine(output, ".a.tif.tiles"), away = folder.File("away");
        Process process = CommandLine.Start([.. arguments, output]);
        Assert.True(CommandLine.Await(process, () => Directory.Exists(tiles) && Directory.GetFiles(tiles, "*.png").Length > 2));
        Directory.Move(tiles, away);
        Outcome ended = CommandLine.Finish(process);

        Assert.Equal(1, ended.Code);
        Assert.Contains("the folder of stained tiles has vanished", Assert.Single(ended.Failures.Trim().Split('\n')));
        Assert.False(Directory.Exists(tiles) || File.Exists(Path.Combine(output, "a.tif")));
        Directory.Move(away, tiles);
        Assert.Equal(0, CommandLine.Run([.. arguments, output]).Code);
        Assert.Equal(0, CommandLine.Run([.. arguments, folder.File("whole")]).Code);
        Assert.Equal(File.ReadAllBytes(folder.File("whole/a.tif")), File.ReadAllBytes(Path.Combine(output, "a.tif")));
    }

    [Fact]
    public void Train_with_short_memory_uses_smaller_parts_of_the_same_batch()
    {
        Outcome limited = InjectedFaults.Run("FAULT_MEMORY", "100000:1", trained.Arguments(folder.File("limited"), BatchOfFour));
        Assert.Equal(0, limited.Code);
        Assert.Contains("memory is too short for 4 pairs at a time", limited.Messages);
        Assert.Contains("the same batch of 4 pairs", limited.Messages);
        string[] config = File.ReadAllLines(folder.File("limited/config.yaml"));
        string microbatch = config.Single(line => line.Contains("microbatch:")).Trim().Split(' ')[1];
        Assert.InRange(int.Parse(microbatch, CultureInfo.InvariantCulture), 1, 2);
        Assert.Contains("  batch_size: 4", config);

        Assert.Equal(0, trained.Train(folder.File("chosen"), [.. BatchOfFour, $"training.microbatch={microbatch}"]).Code);
        AssertSameWeights(folder.File("chosen"), folder.File("limited"));
    }

    [Fact]
    public void Train_with_memory_too_short_for_one_pair_is_one_line()
    {
        Outcome outcome = InjectedFaults.Run("FAULT_MEMORY", "60000:1000", trained.Arguments(folder.File("run"), BatchOfFour));
        string error = outcome.OneError();
        Assert.StartsWith($"error: {folder.File("run")}: memory is too short to train on one pair at a time", error);
        Assert.Contains("data.crop_size", error);
    }

    [Fact]
    public void Stain_with_short_memory_uses_smaller_batches()
    {
        TrainedRun.Noise(300, 200, 1).Write(folder.File("a.png"));
        string[] arguments = ["stain", trained.Model, folder.File("a.png"), "--tile-size", "96", "--halo", "16", "--batch-size", "8",
            "--format", "tif", "--threads", "1", "-o"];
        Assert.Equal(0, CommandLine.Run([.. arguments, folder.File("whole")]).Code);
        Outcome limited = InjectedFaults.Run("FAULT_MEMORY", "1000000:100", [.. arguments, folder.File("limited")]);
        Assert.Equal(0, limited.Code);
        Assert.Contains("memory was too short for the batch", limited.Error);
        byte[] expected = Image.Read(folder.File("whole/a.tif")).Data, actual = Image.Read(folder.File("limited/a.tif")).Data;
        Assert.True(expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max() <= 1);

        string error = InjectedFaults.Run("FAULT_MEMORY", "20000:1000", [.. arguments, folder.File("none")]).OneError();
        Assert.Contains("memory", error);
        Assert.Contains("smaller tiles", error);
    }

    [Fact]
    public void Clock_that_jumps_changes_no_result()
    {
        Outcome outcome = InjectedFaults.Run("FAULT_CLOCK", $"1:{DayBack}", trained.Arguments(folder.File("run")));
        Assert.Equal(0, outcome.Code);
        Assert.DoesNotMatch(@"\| -\d", outcome.Messages);
        AssertSameWeights(trained.Run, folder.File("run"));
    }

    [Fact]
    public void Stain_killed_between_slide_and_report_completes_the_report()
    {
        TrainedRun.Noise(300, 200, 1).Write(folder.File("a.png"));
        string[] arguments = ["stain", trained.Model, folder.File("a.png"), "--tile-size", "96", "--halo", "16",
            "--format", "ome.tif", "-o"];
        Assert.Equal(0, CommandLine.Run([.. arguments, folder.File("whole")]).Code);
        string output = folder.File("killed"), tiles = Path.Combine(output, ".a.ome.tif.tiles");
        Process process = CommandLine.Start([.. arguments, output]);
        Assert.True(CommandLine.Await(process, () => Directory.Exists(tiles) && Directory.GetFiles(tiles, "*.png").Length > 2));
        process.Kill();
        CommandLine.Finish(process);
        Assert.False(File.Exists(Path.Combine(output, "a.ome.tif")));
        // The slide is written, its report is not, and its tiles are still there.
        File.Copy(folder.File("whole/a.ome.tif"), Path.Combine(output, "a.ome.tif"));

        Assert.Equal(0, CommandLine.Run([.. arguments, output]).Code);
        string[] expected = Directory.GetFiles(folder.File("whole"));
        Assert.Equal(expected.Select(Path.GetFileName).Order(), Directory.GetFiles(output).Select(Path.GetFileName).Order());
        Assert.Equal(File.ReadAllBytes(folder.File("whole/a.ome.tif")), File.ReadAllBytes(Path.Combine(output, "a.ome.tif")));
        Assert.False(Directory.Exists(tiles));
    }

    // A transform between two images of 96 x 80 pixels.
    private string WriteShift()
    {
        ImageFrame Frame(int i) => new(folder.File($"images/{i}.png"), 96, 80);
        TransformFile.Write(folder.File("shift.json"), RegistrationTransform.FromPixelSizes(Frame(0), Frame(1)));
        return folder.File("shift.json");
    }

    private static void AssertSameWeights(string expected, string actual)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> a = SafeTensors.Load(Path.Combine(expected, "model", "model.safetensors")),
            b = SafeTensors.Load(Path.Combine(actual, "model", "model.safetensors"));
        Assert.Equal(a.Keys, b.Keys);
        foreach ((string name, Tensor tensor) in a) Assert.True(tensor.bytes().SequenceEqual(b[name].bytes()), $"{name} differs");
    }
}
