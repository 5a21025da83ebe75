using System.Buffers.Binary;
using System.Text;
using static Tinctor.Slides.Tiff.TiffTag;

namespace Tinctor.Slides.Tiff;

/// <summary>Reader of TIFF tags, for information that libtiff does not give: lost pages, mislabelled colours, pages of a pyramid.</summary>
internal sealed class TiffFile(Stream file)
{
    private const int Jpeg = 7, Rgb = 2, MostValues = 1 << 26;

    private readonly byte[] header = Bytes(file, 0, 16);

    /// <summary>Whether numbers have their least significant byte first.</summary>
    public bool Little => header[0] == 'I';

    private bool Big => header[Little ? 2 : 3] == 43;

    /// <summary>
    /// Whether the first page is labelled RGB although its JPEG tiles have a JFIF marker, which means YCbCr. Bio-Formats writes such files;
    /// libtiff trusts the tag and returns green and pink.
    /// </summary>
    public bool HoldsYCbCrAsRgb() => HoldsYCbCrAsRgb(FirstPage());

    /// <summary>Whether a file starts as TIFF and BigTIFF do, and is long enough to have a page.</summary>
    public static bool IsTiff(Stream file) => file.Length >= 16
        && Bytes(file, 0, 4) is [(byte)'I', (byte)'I', 42 or 43, 0] or [(byte)'M', (byte)'M', 0, 42 or 43];

    /// <summary>Reads the ICC profile of the first page; null if it has none.</summary>
    public byte[]? ReadIccProfile()
    {
        (long start, int size, long count) = Place(FirstPage(), IccProfile);
        return count > 0 && size == 1 ? Bytes(file, start, (int)count) : null;
    }

    /// <summary>Transparency of the first page.</summary>
    public TiffAlpha Alpha() => AlphaOf(FirstPage());

    /// <summary>Reads all pages in the order of the file, each with its SubIFDs.</summary>
    public IReadOnlyList<TiffPage> Pages() => [.. PageOffsets().Select(page => Page(page, nested: false))];

    private TiffPage Page(long page, bool nested)
    {
        long Size(int tag) => Tag(page, tag) is > 0 and <= int.MaxValue and long value ? value
            : throw new TinctorException("a page has no size");
        return new((int)Size(Width), (int)Size(Height), (int)(Tag(page, SamplesPerPixel) ?? 1), (int)(Tag(page, BitsPerSample) ?? 1))
        {
            Smaller = nested ? [] : [.. Values(page, SubIfds).Select(smaller => Page(smaller, nested: true))],
            Description = Text(page, Description),
            Resolution = Ratio(page, XResolution),
            ResolutionUnit = (int)(Tag(page, ResolutionUnit) ?? 2),
            HoldsYCbCrAsRgb = HoldsYCbCrAsRgb(page),
            Alpha = AlphaOf(page),
            Tile = Tag(page, TileWidth) is long width && Tag(page, TileLength) is long height ? (width, height) : null,
            ImageJMetadata = nested ? [] : Parts(page),
        };
    }

    // Metadata of ImageJ: blocks of bytes, the first of which lists the types of the others.
    private byte[][] Parts(long page)
    {
        (long start, int size, long count) = Place(page, ImageJData);
        if (count == 0 || size != 1) return [];
        var parts = new List<byte[]>();
        foreach (long length in Values(page, ImageJByteCounts))
        {
            if (length < 0 || length > count) throw new TinctorException($"a block of ImageJ's metadata has {length} bytes");
            parts.Add(Bytes(file, start, (int)length));
            start += length;
        }
        return [.. parts];
    }

    private bool HoldsYCbCrAsRgb(long page)
    {
        if (Tag(page, Compression) != Jpeg || Tag(page, Photometric) != Rgb)
        {
            return false;
        }
        var offset = Tag(page, TileOffsets) ?? Tag(page, StripOffsets);
        return offset is { } start && Bytes(file, start, 10) is [0xFF, 0xD8, 0xFF, 0xE0, _, _, (byte)'J', (byte)'F', (byte)'I', (byte)'F'];
    }

    private TiffAlpha AlphaOf(long page) => Tag(page, SamplesPerPixel) is 2 or 4 && Tag(page, ExtraSamples) is long kind and (1 or 2)
        ? (TiffAlpha)kind : TiffAlpha.None;

    private List<long> PageOffsets()
    {
        var seen = new List<long>();
        var known = new HashSet<long>();
        for (var page = FirstPage(); page != 0; page = Number(TagsEnd(page), Big ? 8 : 4))
        {
            if (!known.Add(page))
            {
                throw new TinctorException("its pages form a circle");
            }
            seen.Add(page);
        }
        if (seen.Count == 0) throw new TinctorException("it has no pages");
        return seen;
    }

    private long FirstPage() => Number(Big ? 8 : 4, Big ? 8 : 4);

    private long TagsStart(long page) => page + (Big ? 8 : 2);

    private long TagsEnd(long page)
    {
        var tags = Number(page, Big ? 8 : 2);
        return tags is >= 0 and <= ushort.MaxValue
            ? TagsStart(page) + tags * (Big ? 20 : 12)
            : throw new TinctorException($"a page has {tags} tags");
    }

    /// <summary>Returns the first value of a tag; null if the page has none.</summary>
    private long? Tag(long page, int wanted)
    {
        var (start, size, count) = Place(page, wanted);
        return count > 0 ? Number(start, size) : null;
    }

    private IEnumerable<long> Values(long page, int wanted)
    {
        var (start, size, count) = Place(page, wanted);
        return Enumerable.Range(0, (int)count).Select(i => Number(start + i * size, size));
    }

    private string? Text(long page, int wanted)
    {
        var (start, size, count) = Place(page, wanted);
        return count == 0 ? null : Encoding.UTF8.GetString(Bytes(file, start, (int)count * size)).TrimEnd('\0');
    }

    private double? Ratio(long page, int wanted)
    {
        var (start, size, count) = Place(page, wanted);
        return count > 0 && size == 8 && Number(start + 4, 4) is > 0 and long below ? (double)Number(start, 4) / below : null;
    }

    /// <summary>Returns position, size in bytes and number of the values of a tag; the number is 0 if the page has none.</summary>
    private (long Start, int Size, long Count) Place(long page, int wanted)
    {
        for (var tag = TagsStart(page); tag < TagsEnd(page); tag += Big ? 20 : 12)
        {
            if (Number(tag, 2) == wanted)
            {
                var (type, count) = (Number(tag + 2, 2), Number(tag + 4, Big ? 8 : 4));
                if (count is < 0 or > MostValues)
                {
                    throw new TinctorException($"a tag has {count} values");
                }
                var size = type switch { 1 or 2 or 6 or 7 => 1, 3 => 2, 4 or 13 => 4, _ => 8 };
                var value = tag + (Big ? 12 : 8);
                return (count * size <= (Big ? 8 : 4) ? value : Number(value, Big ? 8 : 4), size, count);
            }
        }
        return (0, 0, 0);
    }

    private long Number(long offset, int size)
    {
        var bytes = Bytes(file, offset, size);
        return (size, Little) switch
        {
            (1, _) => bytes[0],
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
            throw new TinctorException($"a page lies beyond the end of the file ({file.Length} bytes)");
        }
        var bytes = new byte[count];
        file.Position = offset;
        file.ReadExactly(bytes);
        return bytes;
    }
}
