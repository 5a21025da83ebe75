using Tinctor.Training.Runs;

namespace Tinctor.Training.Tests.Loop;

public sealed class TensorBoardWriterTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void EventFile_checksum_equals_published_value() => Assert.Equal(0xe3069283u, EventFile.Crc32C("123456789"u8));

    [Fact]
    public void Create_file_has_version_and_name_of_TensorBoard()
    {
        using var writer = new TensorBoardWriter(folder);
        var name = Path.GetFileName(writer.Path);
        Assert.Matches(@"^events\.out\.tfevents\.\d{10}\..+\.\d+\.\d+$", name);
        Assert.Contains($".{Environment.MachineName}.{Environment.ProcessId}.", name);
        var first = Assert.Single(EventFile.Read(writer.Path));
        Assert.Equal("brain.Event:2", first.FileVersion);
        Assert.InRange(first.WallTime, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 60, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 60);
    }

    [Theory]
    [InlineData(0.125)]
    [InlineData(0)]
    [InlineData(-3e38)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void AddScalar_value_reads_back(double value)
    {
        var item = Written(writer => writer.AddScalar("loss/größe", value, 1L << 40));
        Assert.Equal("loss/größe", item.Tag);
        Assert.Equal(1L << 40, item.Step);
        Assert.Equal((float)value, item.Value!.Get<float>(2));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(4, 2)]
    [InlineData(2, 3)]
    [InlineData(3, 3)]
    [InlineData(6, 4)]
    public void AddImage_reads_back_with_size_and_channels(byte colourType, long channels)
    {
        byte[] header = [0, 0, 1, 4, 0, 0, 0, 7, 8, colourType, 0, 0, 0];
        byte[] png = [0x89, .. "PNG\r\n\u001a\n"u8, 0, 0, 0, 13, .. "IHDR"u8, .. header, .. new byte[100]];
        var item = Written(writer => writer.AddImage("samples/real", png, 3));
        var image = item.Value!.Message(4);
        Assert.Equal("samples/real", item.Tag);
        Assert.Equal((7L, 260L, channels), (image.Get<long>(1), image.Get<long>(2), image.Get<long>(3)));
        Assert.Equal(png, image.Get<byte[]>(4));
    }

    [Fact]
    public void AddImage_other_than_png_throws()
    {
        using var writer = new TensorBoardWriter(folder);
        Assert.Throws<ArgumentException>(() => writer.AddImage("x", new byte[100], 0));
        Assert.Throws<ArgumentException>(() => writer.AddImage("x", Array.Empty<byte>(), 0));
    }

    [Fact]
    public void AddText_reads_back_in_format_of_text_plugin()
    {
        const int typeString = 7;
        var item = Written(writer => writer.AddText("config", "a: 1\nb: ü", 0));
        Assert.Equal("config/text_summary", item.Tag);
        var tensor = item.Value!.Message(8);
        Assert.Equal(typeString, tensor.Get<long>(1));
        Assert.Equal(1, tensor.Message(2).Message(2).Get<long>(1));
        Assert.Equal("a: 1\nb: ü", tensor.Text(8));
        Assert.Equal("text", item.Value.Message(9).Message(1).Text(1));
    }

    [Fact]
    public void Flush_makes_records_readable_while_open()
    {
        using var writer = new TensorBoardWriter(folder);
        writer.AddScalar("a", 1, 1);
        writer.Flush();
        Assert.Equal(2, EventFile.Read(writer.Path).Count);
    }

    [Fact]
    public void Create_for_resumed_run_replaces_repeated_steps()
    {
        // A run that is killed after step 9; its last checkpoint was made before step 6.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            using var writer = attempt == 0 ? new TensorBoardWriter(folder) : new TensorBoardWriter(folder, resumeAt: 6);
            for (var step = attempt == 0 ? 0 : 6; step < 10; step++)
            {
                writer.AddScalar("loss", attempt * 100 + step, step);
            }
        }

        Assert.Equal(3, Directory.GetFiles(folder).Length);
        Assert.Equal(
            [0, 1, 2, 3, 4, 5, 206, 207, 208, 209],
            EventFile.Show(folder).Select(item => item.Value!.Get<float>(2)));
    }

    [Fact]
    public void AddScalar_on_several_threads_keeps_records_whole()
    {
        var writer = new TensorBoardWriter(folder);
        Parallel.For(0, 1000, step => writer.AddScalar("loss", step, step));
        writer.Dispose();
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (long)i), EventFile.Show(folder).Select(item => item.Step).Order());
    }

    private BoardEvent Written(Action<TensorBoardWriter> write)
    {
        var writer = new TensorBoardWriter(folder);
        write(writer);
        writer.Dispose();
        return EventFile.Read(writer.Path)[1];
    }
}
