using System.Buffers.Binary;

namespace Tinctor.Slides;

/// <summary>Follows the chain of pages in a TIFF file, because libtiff passes over the pages that a truncated file has lost.</summary>
internal static class TiffPages
{
    /// <summary>Throws <see cref="InvalidDataException"/> with a reason (without the file's name) if a page lies outside the file.</summary>
    public static void Check(Stream file)
    {
        var header = Bytes(file, 0, 16);
        var little = header[0] == 'I';
        var big = header[little ? 2 : 3] == 43;
        var (countSize, entrySize, offsetSize) = big ? (8, 20, 8) : (2, 12, 4);
        var seen = new HashSet<long>();
        var page = Number(header.AsSpan(big ? 8 : 4, offsetSize), little);
        while (page != 0)
        {
            if (!seen.Add(page))
            {
                throw new InvalidDataException("its pages run in a circle");
            }
            var entries = Number(Bytes(file, page, countSize), little);
            if (entries is < 0 or > ushort.MaxValue)
            {
                throw new InvalidDataException($"page {seen.Count} has {entries} tags");
            }
            page = Number(Bytes(file, page + countSize + entries * entrySize, offsetSize), little);
        }
    }

    private static byte[] Bytes(Stream file, long offset, int count)
    {
        if (offset < 0 || offset > file.Length - count)
        {
            throw new InvalidDataException($"a page lies behind the end of the file ({file.Length} bytes)");
        }
        var bytes = new byte[count];
        file.Position = offset;
        file.ReadExactly(bytes);
        return bytes;
    }

    private static long Number(ReadOnlySpan<byte> bytes, bool little) => bytes.Length switch
    {
        2 => little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes),
        4 => little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes),
        _ => little ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : BinaryPrimitives.ReadInt64BigEndian(bytes),
    };
}
