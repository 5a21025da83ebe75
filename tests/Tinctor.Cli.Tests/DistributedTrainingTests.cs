using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Cli.Tests;

/// <summary>Training by several processes: the same weights as by one, and one end for all.</summary>
public sealed class DistributedTrainingTests : IClassFixture<DistributedTrainingTests.OneProcess>
{
    private const int Kill = 9, Terminate = 15, Steps = 20;
    private readonly OneProcess one;

    public DistributedTrainingTests(OneProcess one)
    {
        if (!ProcessGroup.IsAvailable) Assert.Skip("this libtorch has no Gloo");
        this.one = one;
    }

    [Fact]
    public void Processes_two_have_weights_and_log_of_one()
    {
        Outcome two = CommandLine.Run([.. one.Arguments("two"), "--processes", "2"]);
        Assert.Equal((0, ""), (two.Code, two.Error));
        Assert.Contains("ranks: 2, 2 of the 4 images of a step each", two.Messages);
        Assert.Equal($"model: {one.At("two")}/model\n", two.Out[two.Out.IndexOf("model:", StringComparison.Ordinal)..]);
        SameWeights("two");
        double[][] expected = Losses("one"), actual = Losses("two");
        Assert.Equal(expected.Length, actual.Length);
        foreach ((double[] first, double[] second) in expected.Zip(actual))
            Assert.All(first.Zip(second), pair => Assert.Equal(pair.First, pair.Second, 1e-4 * Math.Max(1, Math.Abs(pair.First))));
    }

    [Fact]
    public void Terminated_job_saves_and_one_process_resumes_it()
    {
        Process process = CommandLine.Start([.. one.Arguments("stopped"), "--processes", "2"]);
        Assert.True(CommandLine.Await(process, () => Directory.Exists(Path.Combine(one.At("stopped"), "checkpoints"))));
        CommandLine.Signal(process, Terminate);
        Outcome stopped = CommandLine.Finish(process);
        Assert.Contains(stopped.Code, new[] { 130, 143 });
        Assert.Equal("", stopped.Error);
        Assert.Contains("--resume", stopped.Out);

        Outcome end = CommandLine.Run("train", "--output", one.At("stopped"), "--resume");
        Assert.Equal(0, end.Code);
        Assert.Contains("the run started with 2 ranks and resumes with 1", end.Messages);
        SameWeights("stopped");
    }

    [Theory]
    [InlineData(0), InlineData(1)]
    public void Killed_rank_ends_the_job_with_a_line_that_names_it(int rank)
    {
        string run = $"killed{rank}";
        Process process = CommandLine.Start([.. one.Arguments(run, steps: 100000), "--processes", "2"]);
        Assert.True(CommandLine.Await(process, () => File.Exists(Path.Combine(one.At(run), "checkpoints", "step-00000004.safetensors"))));
        using Process victim = Process.GetProcessById(ChildOf(process.Id, rank));
        var watch = Stopwatch.StartNew();
        CommandLine.Signal(victim, Kill);
        Outcome end = CommandLine.Finish(process);

        // About 10 s where the processor is busy. Ranks that waited for the dead one would take half an hour.
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 30);
        Assert.NotEqual(0, end.Code);
        string line = Assert.Single(end.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains($"because rank {rank} ({Environment.MachineName}, process {victim.Id}) ended", line);
    }

    [Fact]
    public void Ranks_of_torchrun_meet_although_it_listens_on_their_port()
    {
        using var torchrun = new TcpListener(IPAddress.Any, 0);
        torchrun.Start();
        Process[] ranks = [.. Enumerable.Range(0, 2).Select(rank =>
            CommandLine.StartWith(Torchrun(rank, ((IPEndPoint)torchrun.LocalEndpoint).Port), one.Arguments("torchrun")))];
        foreach (Process rank in ranks) Assert.Equal((0, ""), CommandLine.Finish(rank) is var end ? (end.Code, end.Error) : default);
        SameWeights("torchrun");
    }

    [Fact]
    public void Terminated_rank_that_waits_for_the_others_ends()
    {
        using var torchrun = new TcpListener(IPAddress.Any, 0);
        torchrun.Start();
        Process rank = CommandLine.StartWith(Torchrun(1, ((IPEndPoint)torchrun.LocalEndpoint).Port), one.Arguments("alone"));
        Thread.Sleep(TimeSpan.FromSeconds(3));
        Assert.False(rank.HasExited);
        var watch = Stopwatch.StartNew();
        CommandLine.Signal(rank, Terminate);
        Assert.Equal(143, CommandLine.Finish(rank).Code);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 20); // the limit of a job that waits is 5 minutes
    }

    [Fact]
    public void Error_of_all_ranks_is_one_line()
    {
        Assert.Contains("training.batch_size is 3, but the images of a step are spread over 2 ranks. Use a multiple of 2, as in "
            + "training.batch_size=4", CommandLine.Run([.. one.Arguments("odd", batch: 3), "--processes", "2"]).OneError());
        Assert.False(Directory.Exists(one.At("odd")));
        Assert.Contains("Resume it, or choose another folder",
            CommandLine.Run([.. one.Arguments("one"), "--processes", "2"]).OneError());
    }

    [Fact]
    public void Processes_within_a_launched_job_are_refused() => Assert.Contains("torchrun has started this process as rank 0 of 2",
        CommandLine.RunWith([("RANK", "0"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "localhost")],
            [.. one.Arguments("nested"), "--processes", "2"]).OneError());

    // The environment of `torchrun --no_python --nproc_per_node 2`.
    private static (string, string)[] Torchrun(int rank, int port) =>
    [
        ("RANK", $"{rank}"), ("LOCAL_RANK", $"{rank}"), ("WORLD_SIZE", "2"), ("LOCAL_WORLD_SIZE", "2"), ("MASTER_ADDR", "127.0.0.1"),
        ("MASTER_PORT", $"{port}"), ("TORCHELASTIC_USE_AGENT_STORE", "True"), ("TORCHELASTIC_RESTART_COUNT", "0"),
        ("TORCHELASTIC_RUN_ID", "none"),
    ];

    private void SameWeights(string run)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        string file = Path.Combine("checkpoints", $"step-{Steps:D8}.safetensors");
        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(Path.Combine(one.At("one"), file));
        OrderedDictionary<string, Tensor> actual = SafeTensors.Load(Path.Combine(one.At(run), file));
        Assert.Equal(expected.Keys, actual.Keys);
        foreach ((string name, Tensor tensor) in expected.Where(pair => pair.Key.StartsWith("networks.", StringComparison.Ordinal)))
        {
            double difference = (tensor - actual[name]).to(ScalarType.Float64).abs().max().item();
            Assert.True(difference < 1e-5, $"{name} differs by {difference}");
        }
    }

    // Without the last column but one, the speed.
    private double[][] Losses(string run)
    {
        string[][] lines = [.. File.ReadLines(Path.Combine(one.At(run), "metrics.csv")).Select(line => line.Split(','))];
        int speed = Array.IndexOf(lines[0], "images_per_s");
        return [.. lines.Skip(1).Select(line => line.Where((cell, column) => column != speed && cell.Length > 0)
            .Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray())];
    }

    // Ranks are children of the process with their number in the environment.
    private static int ChildOf(int parent, int rank) => Directory.GetDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), out int id) ? id : 0)
        .First(id => id > 0 && ParentOf(id) == parent && File.ReadAllText($"/proc/{id}/environ").Contains($"\0RANK={rank}\0"));

    private static int ParentOf(int process)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 4)..].Split(' ')[0], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>A data set, and a training on it by one process.</summary>
    public sealed class OneProcess : IDisposable
    {
        private readonly string root = Directory.CreateTempSubdirectory("tinctor-ranks-").FullName;

        public OneProcess()
        {
            // Tissue: batch norm of images without structure, such as glass, amplifies rounding.
            Assert.Equal(0, CommandLine.Run("phantom", "--output", At("data"), "--slides", "8", "--fields", "2", "--size", "64x64",
                "--on-tumour").Code);
            Assert.Equal(0, CommandLine.Run(Arguments("one")).Code);
        }

        public string At(string name) => Path.Combine(root, name);

        /// <summary>Arguments of a training with batch norm, dropout, a pool of images and a running average.</summary>
        public string[] Arguments(string run, int steps = Steps, int batch = 4) =>
        [
            "train", "pix2pix", "--data", At("data"), "--output", At(run), "--steps", $"{steps}", "--batch-size", $"{batch}",
            .. TrainedRun.Set("model.generator=resnet_6blocks", "model.ngf=4", "model.ndf=8", "model.pool_size=3", "data.crop_size=32",
                "data.load_size=0", "training.ema=0.9", "training.checkpoint_every=4", "training.log_every=5",
                "training.keep_checkpoints=3"),
        ];

        public void Dispose() => Directory.Delete(root, recursive: true);
    }
}
