using System.Buffers.Binary;
using System.Text;

namespace Tinctor.Slides.Tests;

/// <summary>Page of a TIFF that a test writes: uncompressed 8-bit samples in one strip.</summary>
internal sealed record RawPage(int Width, int Height, int Samples, byte[] Pixels)
{
    public string Description { get; init; } = "";

    /// <summary>Pixels per unit, without the name of the unit; 0 for none.</summary>
    public int Resolution { get; init; }

    /// <summary>Kind of the samples beyond grey and RGB; null for none.</summary>
    public int? ExtraSamples { get; init; }

    public byte[] ImageJ { get; init; } = [];

    public int[] ImageJCounts { get; init; } = [];

    public byte[] IccProfile { get; init; } = [];
}

/// <summary>Writes TIFF files of other programs, with the tags that tests need.</summary>
internal static class RawTiff
{
    private const ushort Byte = 1, Ascii = 2, Short = 3, Long = 4, Rational = 5, Undefined = 7;

    public static void Write(string path, IEnumerable<RawPage> pages, bool littleEndian = true)
    {
        using FileStream file = File.Create(path);
        file.Write(littleEndian ? "II*\0"u8 : "MM\0*"u8);
        long link = file.Position;
        file.Write(Number(0, 4, littleEndian));
        foreach (RawPage page in pages)
        {
            long strip = file.Position;
            file.Write(page.Pixels);
            SortedDictionary<ushort, (ushort Type, int Count, byte[] Value)> tags = Tags(page, (int)strip, littleEndian);
            List<byte[]> entries = [];
            foreach ((ushort tag, (ushort type, int count, byte[] value)) in tags)
            {
                byte[] field = value.Length <= 4 ? [.. value, .. new byte[4 - value.Length]] : Number(file.Position, 4, littleEndian);
                if (value.Length > 4) file.Write(value);
                entries.Add([.. Number(tag, 2, littleEndian), .. Number(type, 2, littleEndian), .. Number(count, 4, littleEndian),
                    .. field]);
            }
            long directory = file.Position;
            file.Write(Number(entries.Count, 2, littleEndian));
            foreach (byte[] entry in entries) file.Write(entry);
            long next = file.Position;
            file.Write(Number(0, 4, littleEndian));
            file.Position = link;
            file.Write(Number(directory, 4, littleEndian));
            link = next;
            file.Position = file.Length;
        }
    }

    private static SortedDictionary<ushort, (ushort Type, int Count, byte[] Value)> Tags(RawPage page, int strip, bool little)
    {
        int colours = page.ExtraSamples is null ? page.Samples : page.Samples - 1;
        var tags = new SortedDictionary<ushort, (ushort, int, byte[])>
        {
            [256] = (Long, 1, Number(page.Width, 4, little)),
            [257] = (Long, 1, Number(page.Height, 4, little)),
            [258] = (Short, page.Samples, [.. Enumerable.Repeat(Number(8, 2, little), page.Samples).SelectMany(bytes => bytes)]),
            [259] = (Short, 1, Number(1, 2, little)),
            [262] = (Short, 1, Number(colours == 3 ? 2 : 1, 2, little)),
            [273] = (Long, 1, Number(strip, 4, little)),
            [277] = (Short, 1, Number(page.Samples, 2, little)),
            [278] = (Long, 1, Number(page.Height, 4, little)),
            [279] = (Long, 1, Number(page.Pixels.Length, 4, little)),
        };
        if (page.Description.Length > 0)
        {
            byte[] text = Encoding.UTF8.GetBytes(page.Description + "\0");
            tags[270] = (Ascii, text.Length, text);
        }
        if (page.Resolution > 0)
        {
            tags[282] = tags[283] = (Rational, 1, [.. Number(page.Resolution, 4, little), .. Number(1, 4, little)]);
            tags[296] = (Short, 1, Number(1, 2, little));
        }
        if (page.ExtraSamples is int kind) tags[338] = (Short, 1, Number(kind, 2, little));
        if (page.IccProfile.Length > 0) tags[34675] = (Undefined, page.IccProfile.Length, page.IccProfile);
        if (page.ImageJ.Length > 0)
        {
            tags[50838] = (Long, page.ImageJCounts.Length, [.. page.ImageJCounts.SelectMany(count => Number(count, 4, little))]);
            tags[50839] = (Byte, page.ImageJ.Length, page.ImageJ);
        }
        return tags;
    }

    private static byte[] Number(long value, int size, bool little)
    {
        var bytes = new byte[8];
        if (little) BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        else BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return little ? bytes[..size] : bytes[^size..];
    }
}
