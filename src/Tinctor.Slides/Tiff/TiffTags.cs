using System.Buffers.Binary;
using System.Text;

namespace Tinctor.Slides.Tiff;

/// <summary>Numbers of TIFF tags.</summary>
internal static class TiffTag
{
    public const int NewSubfileType =
        254, Width = 256, Height = 257, BitsPerSample = 258, Compression = 259, Photometric = 262, Description = 270,
        StripOffsets = 273, SamplesPerPixel = 277, RowsPerStrip = 278, StripByteCounts = 279, XResolution = 282, YResolution = 283,
        PlanarConfiguration = 284, ResolutionUnit = 296, Predictor = 317,
        TileWidth = 322, TileLength = 323, TileOffsets = 324, TileByteCounts = 325, SubIfds = 330, ExtraSamples = 338, SampleFormat = 339,
        YCbCrSubSampling = 530, IccProfile = 34675, ImageJByteCounts = 50838, ImageJData = 50839;
}

/// <summary>Tags of a page of a BigTIFF to write, little-endian.</summary>
internal sealed class TiffTags
{
    private const int Ascii = 2, Undefined = 7, Short = 3, Long4 = 4, Rational = 5, Long8 = 16, Ifd8 = 18, FirstPageAt = 8, ValueBytes = 8;

    private readonly SortedDictionary<int, (int Type, long Count, byte[] Value)> tags = [];

    /// <summary>First bytes of a file; the position of the first page is set later.</summary>
    public static ReadOnlySpan<byte> Header => [(byte)'I', (byte)'I', 43, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Sets the position of the first page in the header.</summary>
    public static void SetFirstPage(Stream file, long offset)
    {
        file.Position = FirstPageAt;
        file.Write(Bytes([offset]));
    }

    public void Shorts(int tag, params int[] values)
    {
        var bytes = new byte[values.Length * 2];
        for (int i = 0; i < values.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * 2), (ushort)values[i]);
        tags[tag] = (Short, values.Length, bytes);
    }

    public void Long(int tag, int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        tags[tag] = (Long4, 1, bytes);
    }

    public void Longs(int tag, long[] values) => tags[tag] = (Long8, values.Length, Bytes(values));

    /// <summary>Sets positions of other pages.</summary>
    public void Pages(int tag, long[] offsets) => tags[tag] = (Ifd8, offsets.Length, Bytes(offsets));

    public void Text(int tag, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes($"{text}\0");
        tags[tag] = (Ascii, bytes.Length, bytes);
    }

    /// <summary>Sets bytes of undefined type.</summary>
    public void Raw(int tag, byte[] bytes) => tags[tag] = (Undefined, bytes.Length, bytes);

    /// <summary>Sets a fraction, with as many digits as fit.</summary>
    public void Ratio(int tag, double value)
    {
        uint below = 1;
        while (below < 1_000_000_000 && value * below * 10 < uint.MaxValue && value * below % 1 != 0) below *= 10;
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Math.Round(value * below));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), below);
        tags[tag] = (Rational, 1, bytes);
    }

    /// <summary>Writes the page at the current position, after its long values, and returns its position.</summary>
    /// <param name="file">Seekable stream.</param>
    /// <param name="next">Position of the next page; 0 for none.</param>
    public long WriteTo(Stream file, long next)
    {
        using var entries = new MemoryStream();
        entries.Write(Bytes([tags.Count]));
        Span<byte> entry = stackalloc byte[20];
        foreach ((int tag, (int type, long count, byte[] value)) in tags)
        {
            entry.Clear();
            BinaryPrimitives.WriteUInt16LittleEndian(entry, (ushort)tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], (ushort)type);
            BinaryPrimitives.WriteInt64LittleEndian(entry[4..], count);
            if (value.Length <= ValueBytes) value.CopyTo(entry[12..]);
            else
            {
                BinaryPrimitives.WriteInt64LittleEndian(entry[12..], Even(file));
                file.Write(value);
            }
            entries.Write(entry);
        }
        entries.Write(Bytes([next]));
        long start = Even(file);
        file.Write(entries.ToArray());
        return start;
    }

    // Values and pages begin at even positions.
    private static long Even(Stream file)
    {
        if (file.Position % 2 != 0) file.WriteByte(0);
        return file.Position;
    }

    private static byte[] Bytes(long[] values)
    {
        var bytes = new byte[values.Length * 8];
        for (int i = 0; i < values.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * 8), values[i]);
        return bytes;
    }
}
