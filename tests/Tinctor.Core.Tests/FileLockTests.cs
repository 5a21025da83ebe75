using System.Text.Json;
using Tinctor.Tests;

namespace Tinctor.Core.Tests;

public sealed class FileLockTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string LockFile => folder.File("run/train.lock");

    private string Note => LockFile + ".json";

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Acquire_held_lock_names_host_and_process()
    {
        using FileLock held = FileLock.Acquire(LockFile, "runs/a");
        var error = Assert.Throws<TinctorException>(() => FileLock.Acquire(LockFile, "runs/a"));
        Assert.StartsWith($"runs/a: is in use by process {Environment.ProcessId} on {Environment.MachineName}. Wait until", error.Message);
    }

    [Fact]
    public void Acquire_lock_of_running_process_names_it()
    {
        using OtherProcess other = OtherProcess.Lock(LockFile);
        Assert.Equal("ready", other.ReadLine());
        other.Continue();
        Assert.Equal("held", other.ReadLine());
        var error = Assert.Throws<TinctorException>(() => FileLock.Acquire(LockFile, "data"));
        Assert.StartsWith($"data: is in use by process {other.Id} on", error.Message);
    }

    [Fact]
    public void Acquire_lock_of_killed_process_takes_it_over()
    {
        using OtherProcess other = OtherProcess.Lock(LockFile);
        Assert.Equal("ready", other.ReadLine());
        other.Continue();
        Assert.Equal("held", other.ReadLine());
        other.Kill();
        Assert.True(File.Exists(Note));
        FileLock.Acquire(LockFile, "data").Dispose();
    }

    [Fact]
    public void Dispose_deletes_all_files_and_frees_lock()
    {
        for (int i = 0; i < 3; i++)
        {
            FileLock held = FileLock.Acquire(LockFile, "data");
            Assert.Equal([LockFile, Note], Directory.GetFiles(Path.GetDirectoryName(LockFile)!).Order());
            held.Dispose();
            held.Dispose();
            Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(LockFile)!));
        }
    }

    [Fact]
    public void Acquire_note_of_other_host_waits_for_its_heartbeat()
    {
        WriteNote("elsewhere", process: 1, age: FileLock.Stale / 2);
        var error = Assert.Throws<TinctorException>(() => FileLock.Acquire(LockFile, "data"));
        Assert.StartsWith("data: is in use by process 1 on elsewhere.", error.Message);
        Assert.Equal([Note], Directory.GetFiles(Path.GetDirectoryName(LockFile)!));

        WriteNote("elsewhere", process: 1, age: FileLock.Stale * 2);
        using FileLock held = FileLock.Acquire(LockFile, "data");
        Assert.Contains($"\"process\":{Environment.ProcessId}", File.ReadAllText(Note));
    }

    [Fact]
    public void IsHeld_is_true_while_a_process_runs()
    {
        Assert.False(FileLock.IsHeld(LockFile));
        using (FileLock.Acquire(LockFile, "data")) Assert.True(FileLock.IsHeld(LockFile));
        Assert.False(FileLock.IsHeld(LockFile));
        WriteNote(LocalProcess.Host, process: int.MaxValue, TimeSpan.Zero);
        Assert.False(FileLock.IsHeld(LockFile));
        WriteNote("elsewhere", process: 1, age: FileLock.Stale / 2);
        Assert.True(FileLock.IsHeld(LockFile));
        WriteNote("elsewhere", process: 1, age: FileLock.Stale * 2);
        Assert.False(FileLock.IsHeld(LockFile));
    }

    [Fact]
    public void Acquire_takes_over_note_of_dead_process_only()
    {
        // A file system without locks shows only the note.
        WriteNote(LocalProcess.Host, Environment.ProcessId, TimeSpan.Zero);
        Assert.Throws<TinctorException>(() => FileLock.Acquire(LockFile, "data"));
        WriteNote(LocalProcess.Host, process: int.MaxValue, TimeSpan.Zero);
        FileLock.Acquire(LockFile, "data").Dispose();
    }

    [Fact]
    public void Acquire_damaged_note_is_taken_over_when_stale()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Note)!);
        File.WriteAllText(Note, "{");
        var error = Assert.Throws<TinctorException>(() => FileLock.Acquire(LockFile, "data"));
        Assert.StartsWith("data: is in use by another process.", error.Message);
        File.SetLastWriteTimeUtc(Note, DateTime.UtcNow - (FileLock.Stale * 2));
        FileLock.Acquire(LockFile, "data").Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Acquire_by_racing_processes_has_one_winner(bool abandoned)
    {
        if (abandoned) WriteNote(LocalProcess.Host, process: int.MaxValue, TimeSpan.Zero);
        OtherProcess[] racers = [.. Enumerable.Range(0, 4).Select(_ => OtherProcess.Lock(LockFile))];
        try
        {
            foreach (OtherProcess racer in racers) Assert.Equal("ready", racer.ReadLine());
            Parallel.ForEach(racers, racer => racer.Continue());
            Assert.Equal(["held", "refused", "refused", "refused"], racers.Select(racer => racer.ReadLine()).Order());
        }
        finally
        {
            foreach (OtherProcess racer in racers) racer.Dispose();
        }
    }

    [Fact]
    public void Acquire_by_racing_threads_never_has_two_holders()
    {
        int holders = 0, most = 0, acquired = 0;
        Parallel.For(0, 100, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            try
            {
                using FileLock held = FileLock.Acquire(LockFile, "data");
                most = Math.Max(most, Interlocked.Increment(ref holders));
                acquired++;
                Interlocked.Decrement(ref holders);
            }
            catch (TinctorException)
            {
                // Another thread holds the lock.
            }
        });
        Assert.Equal(1, most);
        Assert.InRange(acquired, 1, 100);
    }

    [Fact]
    public void Acquire_below_file_names_file()
    {
        string file = folder.File("file", []);
        var error = Assert.Throws<TinctorException>(() => FileLock.Acquire(Path.Combine(file, "x.lock"), "data"));
        Assert.Contains($"{file} is a file, not a folder", error.Message);
    }

    private void WriteNote(string host, int process, TimeSpan age)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Note)!);
        var note = new { host, process, id = Guid.NewGuid().ToString("N"), @namespace = LocalProcess.Namespace };
        File.WriteAllText(Note, JsonSerializer.Serialize(note));
        File.SetLastWriteTimeUtc(Note, DateTime.UtcNow - age);
    }
}
