using System.Buffers.Binary;

namespace Tinctor.Slides.Tests;

/// <summary>Files as broken copies and full disks leave them: one line that names the file, no crash, no grey filling.</summary>
public sealed class DamageTests : InTemporaryFolder
{
    public static TheoryData<string> Files => ["a.png", "a.jpg", "a.tif", "plain.tif", "four.tif", "wide.png"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_truncated_file_is_refused_or_complete(string name)
    {
        var (bytes, whole) = MakeFile(name);
        for (var i = 0; i < 100; i++)
        {
            var length = i < 30 ? i : i < 50 ? bytes.Length - (i - 29) : (int)((long)bytes.Length * (i - 50) / 50);
            File.WriteAllBytes(At("cut"), bytes[..length]);
            if (TryRead(At("cut")) is { } image)
            {
                Assert.Equal(whole.Data, image.Data);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_flipped_bytes_never_crashes(string name)
    {
        var (bytes, _) = MakeFile(name);
        var random = new Random(7);
        for (var i = 0; i < 160; i++)
        {
            var broken = (byte[])bytes.Clone();
            var end = i % 2 == 0 ? Math.Min(200, bytes.Length) : bytes.Length;
            var start = name.EndsWith("tif") && i % 4 == 2 ? Math.Max(0, bytes.Length - 300) : 0; // TIFF keeps its tags at the end
            for (var flips = random.Next(1, 4); flips > 0; flips--)
            {
                broken[random.Next(start, Math.Max(start + 1, end))] ^= (byte)random.Next(1, 256);
            }
            File.WriteAllBytes(At("broken"), broken);
            TryRead(At("broken"));
        }
    }

    [Fact]
    public void Read_truncated_file_on_several_threads_is_refused()
    {
        var (bytes, _) = MakeFile("a.jpg");
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            var path = At($"cut{i}.jpg");
            File.WriteAllBytes(path, bytes[..^(20 + i)]);
            Assert.Contains(path, Assert.Throws<TinctorException>(() => Image.Read(path)).Message);
        });
    }

    [Fact]
    public void Read_tiff_with_lost_page_is_refused()
    {
        var pages = Enumerable.Range(0, 4).Select(i => (new byte[100], RawFiles.Size(10, 10))).ToArray();
        var bytes = RawFiles.Tiff(pages);
        File.WriteAllBytes(At("four.tif"), bytes);
        Assert.Equal(4, Image.Read(At("four.tif")).Channels);
        File.WriteAllBytes(At("cut.tif"), bytes[..^150]);
        Assert.Contains("beyond the end of the file", Assert.Throws<TinctorException>(() => Image.Read(At("cut.tif"))).Message);
    }

    [Fact]
    public void Read_other_files_gives_specific_errors()
    {
        Directory.CreateDirectory(At("folder.png"));
        File.WriteAllBytes(At("empty.png"), []);
        File.WriteAllText(At("page.jpg"), "<html>404</html>");
        File.WriteAllBytes(At("short.png"), [0x89]);
        File.WriteAllBytes(At("zero.png"), RawFiles.Png(0, 0, 8, 2, [0]));
        foreach (var (name, reason) in new[]
        {
            ("folder.png", "is a folder"), ("empty.png", "is empty"), ("page.jpg", "is not a known image or slide format"),
            ("short.png", "is not a known image or slide format"), ("zero.png", "damaged or truncated PNG"),
        })
        {
            AssertOneLine<TinctorException>(At(name), reason);
        }
        AssertOneLine<TinctorException>(At("missing.png"), "no such file");
        AssertOneLine<TinctorException>(At("nowhere/missing.png"), "no such file");
    }

    [Fact]
    public void Read_file_without_permission_is_named()
    {
        if (OperatingSystem.IsWindows() || Environment.UserName == "root")
        {
            Assert.Skip("root may read everything");
            return;
        }
        MakeFile("a.png");
        File.SetUnixFileMode(At("a.png"), UnixFileMode.None);
        AssertOneLine<TinctorException>(At("a.png"), "cannot be read: permission denied");
    }

    [Fact]
    public void Read_impossible_sizes_is_refused()
    {
        File.WriteAllBytes(At("big.png"), RawFiles.Png(1_000_000, 1_000_000, 16, 6, [0]));
        AssertOneLine<TinctorException>(At("big.png"), "");
        File.WriteAllBytes(At("bigger.png"), RawFiles.Png(int.MaxValue, int.MaxValue, 8, 2, [0]));
        AssertOneLine<TinctorException>(At("bigger.png"), "");
        File.WriteAllBytes(At("big.tif"), RawFiles.Tiff(([1], RawFiles.Size(900_000, 900_000))));
        AssertOneLine<TinctorException>(At("big.tif"), "");
        File.WriteAllBytes(At("liar.png"), RawFiles.Png(30_000, 30_000, 8, 0, [0, 1, 2, 3]));
        AssertOneLine<TinctorException>(At("liar.png"), "damaged or truncated PNG");
        File.WriteAllBytes(At("loop.tif"), Looped());
        AssertOneLine<TinctorException>(At("loop.tif"), "circle");
    }

    [Fact]
    public void Write_failure_keeps_old_file_only()
    {
        var old = TestImages.Make(5, 5, 3, SampleType.UInt8);
        old.Write(At("a.png"));
        Assert.Throws<TinctorException>(() => TestImages.Make(5, 5, 5, SampleType.UInt8).Write(At("a.png")));
        Directory.CreateDirectory(At("folder.png"));
        Assert.Contains(At("folder.png"), Assert.Throws<TinctorException>(() => old.Write(At("folder.png"))).Message);
        Assert.Equal(old.Data, Image.Read(At("a.png")).Data);
        Assert.Single(Directory.GetFiles(Folder, "*", new EnumerationOptions { AttributesToSkip = 0 }));
    }

    [Fact]
    public void Write_to_unwritable_folder_names_file()
    {
        Assert.SkipUnless(Directory.Exists("/proc"), "needs /proc, where nobody can write");
        var path = "/proc/tinctor.png";
        Assert.Contains(path, Assert.Throws<TinctorException>(() => TestImages.Make(5, 5, 3, SampleType.UInt8).Write(path)).Message);
    }

    private static byte[] Looped()
    {
        var bytes = RawFiles.Tiff(([1], RawFiles.Size(1, 1)));
        var page = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(4));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), page);
        return bytes;
    }

    private static void AssertOneLine<T>(string path, string reason)
        where T : Exception
    {
        var message = Assert.Throws<T>(() => Image.Read(path)).Message;
        Assert.StartsWith(path + ": ", message);
        Assert.Contains(reason, message);
        Assert.DoesNotContain('\n', message);
    }

    private static Image? TryRead(string path)
    {
        try
        {
            Image.ReadInfo(path);
            return Image.Read(path);
        }
        catch (TinctorException error)
        {
            Assert.StartsWith(path + ": ", error.Message);
            Assert.DoesNotContain('\n', error.Message);
            return null;
        }
    }

    private (byte[] Bytes, Image Image) MakeFile(string name)
    {
        var image = name switch
        {
            "four.tif" => TestImages.Make(40, 30, 4, SampleType.UInt16),
            "wide.png" => TestImages.Make(40, 30, 3, SampleType.UInt16),
            _ => TestImages.Smooth(180, 130, 3),
        };
        image.Write(At(name), compression: name == "plain.tif" ? TiffCompression.None : TiffCompression.Deflate);
        return (File.ReadAllBytes(At(name)), Image.Read(At(name)));
    }
}
