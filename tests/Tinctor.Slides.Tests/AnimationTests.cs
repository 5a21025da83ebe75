using System.Buffers.Binary;
using System.Text;

namespace Tinctor.Slides.Tests;

public sealed class AnimationTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("tinctor-animation-");

    [Fact]
    public void Write_webp_has_all_frames_and_durations()
    {
        string path = Path.Combine(folder.FullName, "a.webp");
        Animation.Write(Frames(5), path, milliseconds: 120);
        byte[] file = File.ReadAllBytes(path);
        Assert.Equal("RIFFWEBP", Encoding.ASCII.GetString([.. file[..4], .. file[8..12]]));
        var frames = new List<(int Width, int Height, int Duration)>();
        for (int at = 12; at < file.Length;)
        {
            int size = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at + 4));
            ReadOnlySpan<byte> chunk = file.AsSpan(at + 8, size);
            if (Encoding.ASCII.GetString(file.AsSpan(at, 4)) == "ANMF")
                frames.Add((Number(chunk[6..]) + 1, Number(chunk[9..]) + 1, Number(chunk[12..])));
            at += 8 + size + (size % 2);
        }
        Assert.Equal(Enumerable.Repeat((32, 24, 120), 5), frames);

        static int Number(ReadOnlySpan<byte> bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
    }

    [Fact]
    public void Write_gif_has_size_and_other_extensions_are_refused()
    {
        string path = Path.Combine(folder.FullName, "a.gif");
        Animation.Write(Frames(3), path);
        byte[] file = File.ReadAllBytes(path);
        Assert.Equal("GIF89a", Encoding.ASCII.GetString(file[..6]));
        Assert.Equal((32, 24), (BinaryPrimitives.ReadInt16LittleEndian(file.AsSpan(6)),
            BinaryPrimitives.ReadInt16LittleEndian(file.AsSpan(8))));
        Assert.Contains("NETSCAPE2.0", Encoding.Latin1.GetString(file)); // it starts again at its end
        Assert.Contains(".webp or .gif", Assert.Throws<TinctorException>(() => Animation.Write(Frames(2), path + ".mp4")).Message);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static Image[] Frames(int count) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var image = new Image(32, 24, 3);
        new Random(i).NextBytes(image.Data);
        return image;
    })];
}
