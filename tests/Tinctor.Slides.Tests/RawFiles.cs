using System.IO.Compression;
using System.Text;

namespace Tinctor.Slides.Tests;

/// <summary>Writes PNG and TIFF files that the library itself never writes: palettes, alpha, odd headers, pages.</summary>
internal static class RawFiles
{
    /// <summary>A PNG from its header fields, filtered rows and chunks between header and data.</summary>
    public static byte[] Png(int width, int height, byte bits, byte colour, byte[] rows, params (string Name, byte[] Data)[] chunks)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        Chunk(file, "IHDR", [.. BigEndian(width), .. BigEndian(height), bits, colour, 0, 0, 0]);
        foreach (var (name, data) in chunks)
        {
            Chunk(file, name, data);
        }
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(rows);
        }
        Chunk(file, "IDAT", packed.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>A little-endian, uncompressed TIFF with a strip a page. Tags given for a page replace the usual ones.</summary>
    public static byte[] Tiff(params (byte[] Pixels, (ushort Tag, uint Value)[] Tags)[] pages)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write("II*\0"u8);
        var link = 4L;
        writer.Write(0);
        foreach (var (pixels, tags) in pages)
        {
            var strip = (uint)file.Position;
            writer.Write(pixels);
            var all = new SortedDictionary<ushort, uint>
            {
                [258] = 8,
                [259] = 1,
                [262] = 1,
                [273] = strip,
                [277] = 1,
                [279] = (uint)pixels.Length,
            };
            foreach (var (tag, value) in tags)
            {
                all[tag] = value;
            }
            var page = (uint)file.Position;
            writer.Write((ushort)all.Count);
            foreach (var (tag, value) in all)
            {
                writer.Write(tag);
                writer.Write((ushort)4);
                writer.Write(1);
                writer.Write(value);
            }
            var next = file.Position;
            writer.Write(0);
            file.Position = link;
            writer.Write(page);
            link = next;
            file.Position = file.Length;
        }
        return file.ToArray();
    }

    /// <summary>
    /// A BigTIFF of uncompressed RGB tiles, its directory and tiles anywhere; what lies between is a hole in the file.
    /// </summary>
    public static void SparseBigTiff(string path, Image image, int tile, long tilesAt, long directoryAt)
    {
        using FileStream file = File.Create(path);
        using var writer = new BinaryWriter(file);
        int across = (image.Width + tile - 1) / tile, down = (image.Height + tile - 1) / tile, size = tile * tile * 3;
        writer.Write("II+\0\b\0\0\0"u8);
        writer.Write(directoryAt);
        file.Position = tilesAt;
        for (int i = 0; i < across * down; i++)
        {
            (int left, int top) = (i % across * tile, i / across * tile);
            var pixels = new Image(tile, tile, 3);
            pixels.Paste(image.Crop(left, top, Math.Min(tile, image.Width - left), Math.Min(tile, image.Height - top)), 0, 0);
            writer.Write(pixels.Data);
        }
        long offsets = file.Position, sizes = offsets + (across * down * 8);
        for (int i = 0; i < across * down; i++) writer.Write(tilesAt + ((long)i * size));
        for (int i = 0; i < across * down; i++) writer.Write((long)size);
        file.Position = directoryAt;
        (ushort Tag, long Count, long Value)[] tags =
        [
            (256, 1, image.Width), (257, 1, image.Height), (258, 3, 0x0008_0008_0008), (259, 1, 1), (262, 1, 2), (277, 1, 3),
            (322, 1, tile), (323, 1, tile), (324, across * down, offsets), (325, across * down, sizes),
        ];
        writer.Write((long)tags.Length);
        foreach ((ushort tag, long count, long value) in tags)
        {
            writer.Write(tag);
            writer.Write((ushort)(tag == 258 ? 3 : 16)); // 16-bit samples of BitsPerSample, else 64 bits
            writer.Write(count);
            writer.Write(value);
        }
        writer.Write(0L);
    }

    public static (ushort, uint)[] Size(int width, int height, params (ushort, uint)[] more) =>
        [(256, (uint)width), (257, (uint)height), (278, (uint)height), .. more];

    private static void Chunk(Stream file, string name, byte[] data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(name), .. data];
        file.Write(BigEndian(data.Length));
        file.Write(body);
        file.Write(BigEndian((int)Crc(body)));
    }

    private static byte[] BigEndian(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static uint Crc(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }
        return ~crc;
    }
}
