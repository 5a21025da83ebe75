using Tinctor.Tests;

namespace Tinctor.Core.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Target => folder.File("run/config.yaml");

    private string[] Files => Directory.GetFiles(Path.GetDirectoryName(Target)!);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void WriteText_creates_missing_folders_and_replaces_files()
    {
        AtomicFile.WriteText(Target, "größe: 1\n");
        Assert.Equal("größe: 1\n"u8.ToArray(), File.ReadAllBytes(Target));
        AtomicFile.WriteText(Target, "2");
        Assert.Equal("2", File.ReadAllText(Target));
        Assert.Equal([Target], Files);
    }

    [Fact]
    public void Write_failing_writer_keeps_old_file_only()
    {
        AtomicFile.WriteText(Target, "old");
        Assert.Throws<FormatException>(() => AtomicFile.Write(Target, stream =>
        {
            stream.Write("half of the new"u8);
            throw new FormatException();
        }));
        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal([Target], Files);
    }

    [Fact]
    public void Replace_temporary_path_has_same_folder_and_extension()
    {
        AtomicFile.Replace(Target, temporary =>
        {
            Assert.Equal(Path.GetDirectoryName(Target), Path.GetDirectoryName(temporary));
            Assert.Equal(".yaml", Path.GetExtension(temporary));
            Assert.True(AtomicFile.IsLeftover(temporary));
            Assert.EndsWith($"-{Environment.ProcessId}-", Path.GetFileName(temporary)[..^"12345678-config.yaml".Length]);
            File.WriteAllText(temporary, "x");
        });
        Assert.Equal("x", File.ReadAllText(Target));
        Assert.False(AtomicFile.IsLeftover(Target));
    }

    [Theory]
    [InlineData("ß")]
    [InlineData("\U0001F52C")]
    public void Write_longest_file_name_succeeds(string character)
    {
        string target = folder.File(string.Concat(Enumerable.Repeat(character, 240 / System.Text.Encoding.UTF8.GetByteCount(character)))
            + ".yaml");
        AtomicFile.WriteText(target, "x");
        Assert.Equal([target], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Replace_without_output_throws() =>
        Assert.Throws<FileNotFoundException>(() => AtomicFile.Replace(Target, _ => { }));

    [Fact]
    public void Write_to_link_replaces_its_target()
    {
        AtomicFile.WriteText(Target, "old");
        string link = folder.File("latest.yaml");
        File.CreateSymbolicLink(link, Target);
        AtomicFile.WriteText(link, "new");
        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Equal("new", File.ReadAllText(Target));
    }

    [Fact]
    public void DeleteLeftovers_keeps_finished_files()
    {
        AtomicFile.WriteText(Target, "kept");
        string? leftover = null;
        AtomicFile.Replace(Target, temporary =>
        {
            leftover = temporary + ".copy";
            File.WriteAllText(leftover, "x");
            File.WriteAllText(temporary, "kept");
        });
        AtomicFile.DeleteLeftovers(Path.GetDirectoryName(Target)!);
        Assert.False(File.Exists(leftover));
        Assert.True(File.Exists(Target));
    }

    [Fact]
    public void Write_deletes_leftovers_of_killed_writers_only()
    {
        using OtherProcess killed = OtherProcess.Write(Target), running = OtherProcess.Write(Target);
        Assert.Equal("writing", killed.ReadLine());
        Assert.Equal("writing", running.ReadLine());
        string elsewhere = folder.File($"run/.tinctor-ffffffff-{killed.Id}-12345678-config.yaml", "x"u8);
        Assert.Equal(3, Files.Length);
        killed.Kill();
        Assert.Equal(3, Files.Length);

        AtomicFile.WriteText(Target, "new");
        Assert.Equal(3, Files.Length);
        Assert.Contains(Target, Files);
        Assert.Contains(elsewhere, Files);
        Assert.Single(Files, file => file.Contains($"-{running.Id}-"));

        running.Continue();
        Assert.Null(running.ReadLine());
        Assert.Equal("half of", File.ReadAllText(Target));
    }

    [Fact]
    public void Write_by_racing_threads_shows_whole_files_only()
    {
        AtomicFile.WriteText(Target, new string('a', 100_000));
        Parallel.For(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 6 }, i =>
        {
            AtomicFile.WriteText(Target, new string((char)('a' + i % 26), 100_000));
            string read = File.ReadAllText(Target);
            Assert.Equal(100_000, read.Length);
            Assert.Equal(read[0], Assert.Single(read.Distinct()));
        });
        Assert.Equal([Target], Files);
    }

    [Fact]
    public void Write_to_folder_or_below_file_is_refused()
    {
        AssertRefused(folder.Path, "is a folder, but a file is expected. Add a file name.");
        AssertRefused(folder.Path + "/", "is a folder, but a file is expected. Add a file name.");
        string file = folder.File("file", []);
        AssertRefused(Path.Combine(file, "a", "b.txt"), $"cannot be written: {file} is a file, not a folder. Choose another output.");
        AssertRefused(folder.File(new string('x', 300)),
            "cannot be written: the name is too long for this file system. Choose a shorter name.");
        AssertRefused("a\0b", "is not a valid file name. Choose another output.");
    }

    [Fact]
    public void Write_on_full_disk_names_cause_and_keeps_old_file()
    {
        AtomicFile.WriteText(Target, "old");
        int diskFull = OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28;
        var error = Assert.Throws<TinctorException>(() =>
            AtomicFile.Write(Target, _ => throw new IOException("No space left on device", diskFull)));
        Assert.Equal($"{Target}: cannot be written: no space left on the disk. "
            + "Free some space, or choose another disk; an earlier version of the file is unchanged.", error.Message);
        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal([Target], Files);
    }

    [Fact]
    public void Write_error_of_input_passes_unchanged()
    {
        var error = new IOException("slide.svs: read error");
        Assert.Same(error, Assert.Throws<IOException>(() => AtomicFile.Write(Target, _ => throw error)));
    }

    [Fact]
    public void Writing_without_permission_names_folder() => Assert.Equal(
        "/data/x.txt: cannot be written: permission denied. Choose another output, or check the permissions of /data.",
        FileErrors.Writing("/data/x.txt", new UnauthorizedAccessException()).Message);

    private static void AssertRefused(string path, string reason)
    {
        var error = Assert.Throws<TinctorException>(() => AtomicFile.WriteText(path, "x"));
        Assert.Equal(path, error.File);
        Assert.EndsWith($": {reason}", error.Message);
    }
}
