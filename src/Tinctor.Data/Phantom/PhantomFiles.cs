using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Tinctor.Slides;

namespace Tinctor.Data.Phantom;

/// <summary>Writes label masks and displacement fields of the ground truth.</summary>
internal static class PhantomFiles
{
    /// <summary>
    /// Writes instance labels [height, width] as a one-channel TIFF: 16 bit up to label 65,535, 32 bit beyond (QuPath, ImageJ and
    /// tifffile read both).
    /// </summary>
    public static void WriteLabels(string path, int[] labels, int width, int height)
    {
        if (labels.Max() > ushort.MaxValue)
        {
            AtomicFile.Write(path, stream => WriteTiff32(stream, labels, width, height));
            return;
        }
        var image = new Image(width, height, 1, SampleType.UInt16);
        Span<ushort> samples = image.Samples16;
        for (int i = 0; i < labels.Length; i++)
            samples[i] = (ushort)labels[i];
        image.Write(path);
    }

    /// <summary>
    /// Writes the planes dx and dy as the float32 tensor "displacement" [2, height, width] of a safetensors file with descriptive metadata.
    /// </summary>
    public static void WriteDisplacement(string path, float[] displacement, int width, int height)
    {
        string header = JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["__metadata__"] = new Dictionary<string, string>
            {
                ["meaning"] = "tissue at target pixel (x, y) lies at source pixel (x + dx, y + dy)",
                ["unit"] = "full-resolution pixels, centres at whole numbers",
                ["order"] = "dx, dy",
            },
            ["displacement"] = new
            {
                dtype = "F32",
                shape = new[] { 2, height, width },
                data_offsets = new[] { 0, 4L * displacement.Length },
            },
        });
        header = header.PadRight((header.Length + 7) / 8 * 8);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(Encoding.ASCII.GetBytes(header));
            stream.Write(MemoryMarshal.AsBytes(displacement.AsSpan()));
        });
    }

    // TIFF 6.0: header, one deflated strip, one directory of twelve-byte entries (tag, type 3 = SHORT or 4 = LONG, count, value).
    internal static void WriteTiff32(Stream stream, int[] labels, int width, int height)
    {
        using var strip = new MemoryStream();
        using (var deflate = new ZLibStream(strip, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(MemoryMarshal.AsBytes(labels.AsSpan()));
        const int start = 8;
        (ushort Tag, ushort Type, uint Value)[] entries =
        [
            (256, 4, (uint)width), (257, 4, (uint)height), (258, 3, 32), (259, 3, 8), (262, 3, 1), (273, 4, start),
            (277, 3, 1), (278, 4, (uint)height), (279, 4, (uint)strip.Length), (339, 3, 1),
        ];
        using var writer = new BinaryWriter(stream, Encoding.ASCII, leaveOpen: true);
        writer.Write("II*\0"u8);
        writer.Write((uint)(start + strip.Length + (strip.Length & 1)));
        writer.Write(strip.GetBuffer().AsSpan(0, (int)(strip.Length + (strip.Length & 1))));
        writer.Write((ushort)entries.Length);
        foreach ((ushort tag, ushort type, uint value) in entries)
        {
            writer.Write(tag);
            writer.Write(type);
            writer.Write(1u);
            writer.Write(value);
        }
        writer.Write(0u);
    }
}
