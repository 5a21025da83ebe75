using System.Diagnostics;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Tests.Loop;

namespace Tinctor.Cli.Tests;

/// <summary>However a run is cut short, it ends with the weights and the log of one that was not.</summary>
[Collection("trained")]
public sealed class ResumeTests(TrainedRun trained)
{
    private const int Interrupt = 2, Kill = 9, Terminate = 15;

    [Fact]
    public void Resume_killed_run_gives_same_bytes()
    {
        string run = trained.At("killed");

        KillWhen(trained.Arguments(run), () => File.Exists(Path.Combine(run, "environment.json")), run);
        Process restarted = File.Exists(Path.Combine(run, "config.yaml")) ? Resume(run) : CommandLine.Start(trained.Arguments(run));
        KillWhen(restarted, () => Checkpoint(run, 4));
        for (int kill = 0; kill < 5; kill++)
        {
            KillWhen(Resume(run), () => Leftovers(run) > 0);
        }
        KillWhen(Resume(run), () => Checkpoint(run, 24));
        Outcome end = CommandLine.Run("train", "--output", run, "--resume");

        Assert.Equal(0, end.Code);
        Assert.Equal(0, Leftovers(run));
        SameAsUninterrupted(run);
    }

    [Theory]
    [InlineData(Interrupt, 130), InlineData(Terminate, 143)]
    public void Signal_finishes_step_saves_and_names_resume(int signal, int code)
    {
        string run = trained.At($"signal{signal}");
        Process process = CommandLine.Start(trained.Arguments(run));
        CommandLine.Await(process, () => Checkpoint(run, 4));
        CommandLine.Signal(process, signal);
        Outcome stopped = CommandLine.Finish(process);

        Assert.Equal(code, stopped.Code);
        Assert.Contains($"tinctor train -o {run} --resume\n", stopped.Out);
        Assert.Equal("", stopped.Error);
        Outcome end = CommandLine.Run("train", "--output", run, "--resume");
        Assert.Equal(0, end.Code);
        Assert.Contains("resumed after step", end.All);
        SameWeights(run);
    }

    [Fact]
    public void Second_interrupt_ends_command_at_once()
    {
        string run = trained.At("long-step");
        // A step of half a minute, which the first signal does not interrupt, by many small parts of a batch.
        Process process = CommandLine.Start(trained.Arguments(
            run, "model.ngf=32", "data.load_size=256", "data.crop_size=256", "training.batch_size=64", "training.microbatch=1"));
        Assert.True(CommandLine.Await(process, () => File.Exists(Path.Combine(run, "environment.json"))));
        TimeSpan started = process.TotalProcessorTime;
        Assert.True(CommandLine.Await(process, () => process.TotalProcessorTime > started + TimeSpan.FromSeconds(5)));
        CommandLine.Signal(process, Interrupt);
        Thread.Sleep(300);
        Assert.False(process.HasExited);
        CommandLine.Signal(process, Interrupt);
        Outcome ended = CommandLine.Finish(process);

        Assert.Equal(130, ended.Code);
        Assert.Contains("Ctrl-C ends the command at once", ended.Messages);
        Assert.False(Checkpoint(run, 1));
    }

    [Fact]
    public void Resume_run_killed_while_writing_model_completes_it()
    {
        string run = trained.At("half-model");
        foreach (string file in Directory.GetFiles(trained.Run, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(run, Path.GetRelativePath(trained.Run, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        File.Delete(Path.Combine(run, "model", "model.onnx"));
        File.WriteAllText(Path.Combine(run, "model", ".unfinished"), "");
        Assert.Equal(0, CommandLine.Run("train", "--output", run, "--resume").Code);
        SameAsUninterrupted(run);
        Assert.Equal(Names(trained.Run, "model"), Names(run, "model"));
    }

    [Fact]
    public void Resume_finished_run_changes_nothing()
    {
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(trained.Model, "model.safetensors"));
        Outcome again = CommandLine.Run("train", "--output", trained.Run, "--resume");
        Assert.Equal(0, again.Code);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(trained.Model, "model.safetensors")));
    }

    [Fact]
    public void Train_into_used_folder_is_one_line()
    {
        Assert.Contains("--resume", trained.Train(trained.Run).OneError());
        Directory.CreateDirectory(trained.At("taken"));
        File.WriteAllText(trained.At("taken/thesis.txt"), "");
        Assert.Contains("is not empty", trained.Train(trained.At("taken")).OneError());
        Assert.Contains("contains no run to resume", CommandLine.Run("train", "--output", trained.At("nowhere"), "--resume").OneError());
        Assert.Contains("--seed does not go with --resume",
            CommandLine.Run("train", "--output", trained.Run, "--resume", "--seed", "1").OneError());
    }

    [Fact]
    public void Train_refused_start_leaves_folder_unlocked()
    {
        string run = trained.At("retried");
        Assert.Contains("input_channels=3", trained.Train(run, "model.input_channels=4").OneError());
        Assert.False(Directory.Exists(run));
    }

    private void SameAsUninterrupted(string run)
    {
        SameWeights(run);
        Assert.Equal(Losses(trained.Run), Losses(run));
        Assert.Equal(Curves(trained.Run), Curves(run));
        Assert.Equal(Names(trained.Run, "samples"), Names(run, "samples"));
        Assert.Equal(Names(trained.Run, "checkpoints"), Names(run, "checkpoints"));
        foreach (string picture in Directory.GetFiles(Path.Combine(run, "samples")))
            Assert.Equal(File.ReadAllBytes(picture), File.ReadAllBytes(picture.Replace(run, trained.Run)));
    }

    private void SameWeights(string run)
    {
        SameTensors(Path.Combine("model", "model.safetensors"), run);
        SameTensors(Path.Combine("checkpoints", $"step-{TrainedRun.Steps:D8}.safetensors"), run);
    }

    private void SameTensors(string file, string run)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(Path.Combine(trained.Run, file));
        OrderedDictionary<string, Tensor> actual = SafeTensors.Load(Path.Combine(run, file));
        Assert.Equal(expected.Keys, actual.Keys);
        foreach ((string name, Tensor tensor) in expected)
            Assert.True(tensor.bytes().SequenceEqual(actual[name].bytes()), $"{file}: {name} differs");
    }

    // All columns but the speed.
    private static string[] Losses(string run)
    {
        string[][] lines = [.. File.ReadLines(Path.Combine(run, "metrics.csv")).Select(line => line.Split(','))];
        int speed = Array.IndexOf(lines[0], "images_per_s");
        return [.. lines.Select(line => string.Join(',', line.Where((_, column) => column != speed)))];
    }

    private static IEnumerable<string> Curves(string run) => EventFile.Show(run)
        .Where(shown => shown.Tag is not ("images_per_s" or "config/text_summary"))
        .Select(shown => $"{shown.Tag} {shown.Step} {(shown.Value!.Has(2) ? shown.Value.Get<float>(2) : 0)}");

    private static IEnumerable<string?> Names(string run, string folder) =>
        Directory.GetFiles(Path.Combine(run, folder)).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private static Process Resume(string run) => CommandLine.Start("train", "--output", run, "--resume");

    private static bool Checkpoint(string run, int step) => File.Exists(Path.Combine(run, "checkpoints", $"step-{step:D8}.safetensors"));

    private static int Leftovers(string run)
    {
        string checkpoints = Path.Combine(run, "checkpoints");
        return Directory.Exists(checkpoints) ? Directory.EnumerateFiles(checkpoints, ".tinctor-*").Count() : 0;
    }

    private static void KillWhen(string[] arguments, Func<bool> so, string run)
    {
        KillWhen(CommandLine.Start(arguments), so);
        Assert.False(Directory.Exists(Path.Combine(run, "model")));
    }

    /// <returns>Whether the moment came before the end of the process.</returns>
    private static bool KillWhen(Process process, Func<bool> so)
    {
        bool came = CommandLine.Await(process, so);
        if (came) CommandLine.Signal(process, Kill);
        CommandLine.Finish(process);
        return came;
    }
}
