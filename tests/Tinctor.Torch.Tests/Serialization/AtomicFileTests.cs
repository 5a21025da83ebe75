
namespace Tinctor.Torch.Tests.Serialization;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.File("run/config.yaml");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_text_and_makes_missing_folders()
    {
        AtomicFile.WriteText(Target, "größe: 1\n");
        Assert.Equal("größe: 1\n"u8.ToArray(), File.ReadAllBytes(Target));
        AtomicFile.WriteText(Target, "2");
        Assert.Equal("2", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFiles(Path.GetDirectoryName(Target)!));
    }

    [Fact]
    public void A_failing_writer_leaves_the_old_file_and_nothing_else()
    {
        AtomicFile.WriteText(Target, "old");
        Assert.Throws<FormatException>(() => AtomicFile.Write(Target, stream =>
        {
            stream.Write("half of the new"u8);
            throw new FormatException();
        }));
        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFiles(Path.GetDirectoryName(Target)!));
    }

    [Fact]
    public void Replace_gives_a_temporary_path_beside_with_the_same_extension()
    {
        AtomicFile.Replace(Target, temporary =>
        {
            Assert.Equal(Path.GetDirectoryName(Target), Path.GetDirectoryName(temporary));
            Assert.Equal(".yaml", Path.GetExtension(temporary));
            File.WriteAllText(temporary, "x");
        });
        Assert.Equal("x", File.ReadAllText(Target));
    }

    [Fact]
    public void A_writer_that_writes_nothing_is_an_error() =>
        Assert.Throws<FileNotFoundException>(() => AtomicFile.Replace(Target, _ => { }));

    [Fact]
    public void A_folder_is_refused_by_name()
    {
        var error = Assert.Throws<IOException>(() => AtomicFile.WriteText(_folder.Path, "x"));
        Assert.StartsWith(_folder.Path, error.Message);
    }

    [Fact]
    public void A_link_stays_a_link()
    {
        AtomicFile.WriteText(Target, "old");
        var link = _folder.File("latest.yaml");
        File.CreateSymbolicLink(link, Target);
        AtomicFile.WriteText(link, "new");
        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Equal("new", File.ReadAllText(Target));
    }

    [Fact]
    public void Leftovers_of_a_killed_writer_are_removed()
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
    public void Concurrent_writers_and_readers_only_ever_see_whole_files()
    {
        AtomicFile.WriteText(Target, new string('a', 100_000));
        Parallel.For(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 6 }, i =>
        {
            AtomicFile.WriteText(Target, new string((char)('a' + i % 26), 100_000));
            var read = File.ReadAllText(Target);
            Assert.Equal(100_000, read.Length);
            Assert.Equal(read[0], Assert.Single(read.Distinct()));
        });
        Assert.Equal([Target], Directory.GetFiles(Path.GetDirectoryName(Target)!));
    }
}
