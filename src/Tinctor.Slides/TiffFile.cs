using System.Buffers.Binary;

namespace Tinctor.Slides;

/// <summary>The tags of a TIFF file, for the two things that libtiff passes over: lost pages and mislabelled colours.</summary>
internal sealed class TiffFile(Stream file)
{
    private const int Compression = 259, Photometric = 262, StripOffsets = 273, TileOffsets = 324;
    private const int Jpeg = 7, Rgb = 2;

    private readonly byte[] header = Bytes(file, 0, 16);

    private bool Little => header[0] == 'I';

    private bool Big => header[Little ? 2 : 3] == 43;

    /// <summary>Throws <see cref="InvalidDataException"/>, which does not name the file, if a page lies outside of it.</summary>
    public void CheckPages()
    {
        var seen = new HashSet<long>();
        for (var page = FirstPage(); page != 0; page = Number(TagsEnd(page), Big ? 8 : 4))
        {
            if (!seen.Add(page))
            {
                throw new InvalidDataException("its pages run in a circle");
            }
        }
    }

    /// <summary>
    /// True if the first page says RGB but its JPEG tiles carry a JFIF marker, that is YCbCr. Bio-Formats writes such files;
    /// libtiff believes the tag and hands out green and pink.
    /// </summary>
    public bool HoldsYCbCrAsRgb()
    {
        var page = FirstPage();
        if (Tag(page, Compression) != Jpeg || Tag(page, Photometric) != Rgb)
        {
            return false;
        }
        var offset = Tag(page, TileOffsets) ?? Tag(page, StripOffsets);
        return offset is { } start && Bytes(file, start, 10) is [0xFF, 0xD8, 0xFF, 0xE0, _, _, (byte)'J', (byte)'F', (byte)'I', (byte)'F'];
    }

    private long FirstPage() => Number(Big ? 8 : 4, Big ? 8 : 4);

    private long TagsStart(long page) => page + (Big ? 8 : 2);

    private long TagsEnd(long page)
    {
        var tags = Number(page, Big ? 8 : 2);
        return tags is >= 0 and <= ushort.MaxValue
            ? TagsStart(page) + tags * (Big ? 20 : 12)
            : throw new InvalidDataException($"a page has {tags} tags");
    }

    /// <summary>The first value of a tag, or null if the page has no such tag.</summary>
    private long? Tag(long page, int wanted)
    {
        for (var tag = TagsStart(page); tag < TagsEnd(page); tag += Big ? 20 : 12)
        {
            if (Number(tag, 2) == wanted)
            {
                var (type, count) = (Number(tag + 2, 2), Number(tag + 4, Big ? 8 : 4));
                var size = type switch { 3 => 2, 4 => 4, _ => 8 };
                var value = tag + (Big ? 12 : 8);
                return Number(count * size <= (Big ? 8 : 4) ? value : Number(value, Big ? 8 : 4), size);
            }
        }
        return null;
    }

    private long Number(long offset, int size)
    {
        var bytes = Bytes(file, offset, size);
        return (size, Little) switch
        {
            (2, true) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            (2, false) => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            (4, true) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            (4, false) => BinaryPrimitives.ReadUInt32BigEndian(bytes),
            (_, true) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            (_, false) => BinaryPrimitives.ReadInt64BigEndian(bytes),
        };
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
}
