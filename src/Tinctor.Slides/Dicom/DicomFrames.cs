using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Tinctor.Slides.Dicom;

/// <summary>Encoded frames of a DICOM file (PS3.5, A.4). Safe for use by several threads.</summary>
internal sealed class DicomFrames : IDisposable
{
    private const int ItemHeader = 8, LargestFrame = 1 << 28;

    private readonly DicomInstance instance;
    private readonly SafeFileHandle file;
    private readonly long length;
    private readonly Lazy<(long Start, long End)[]> places;

    /// <summary>Opens the frames of a file.</summary>
    public DicomFrames(DicomInstance instance)
    {
        this.instance = instance;
        file = File.OpenHandle(instance.Path);
        length = RandomAccess.GetLength(file);
        places = new(Find);
    }

    /// <summary>Reads the bytes of a frame.</summary>
    /// <exception cref="TinctorException">The file is damaged there.</exception>
    public byte[] Read(int frame)
    {
        if (instance.Coding == DicomCoding.None)
            return Bytes(instance.Pixels.Start + ((long)frame * instance.FrameBytes), instance.FrameBytes);
        (long start, long end) = places.Value[frame];
        byte[][] parts = [.. Items(start, end).Where(item => item.Length > 0).Select(item => Bytes(item.Start, item.Length))];
        return parts.Length switch
        {
            0 => throw Damaged("an empty frame"),
            1 => parts[0],
            _ => [.. parts.SelectMany(part => part)],
        };
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    // Frames by one of the tables of the file, or by their first bytes if it has none.
    private (long Start, long End)[] Find()
    {
        if (Header(instance.Pixels.Start) is not (DicomTag.Item, uint size)) throw Damaged("no table of frames");
        int count = instance.Frames;
        long first = instance.Pixels.Start + ItemHeader + size;
        if (instance.ExtendedOffsets is ({ } offsets, { } lengths) && offsets.Length == 8L * count && lengths.Length == 8L * count)
        {
            long[] starts = Longs(offsets), bytes = Longs(lengths);
            return [.. starts.Zip(bytes, (start, many) => (first + start, first + start + ItemHeader + many))];
        }
        if (size == 4L * count)
        {
            byte[] table = Bytes(instance.Pixels.Start + ItemHeader, size);
            long[] starts = [.. Enumerable.Range(0, count)
                .Select(i => first + BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(4 * i)))];
            // Offsets above 4 GB do not fit and start over.
            if (starts.Zip(starts.Skip(1)).All(pair => pair.First < pair.Second)) return [.. starts.Zip([.. starts.Skip(1), length])];
        }
        (long Start, long Length)[] items = [.. Items(first, length)];
        (long Start, long Length)[] firsts = items.Length == count ? items : count == 1 ? items[..Math.Min(1, items.Length)]
            : [.. items.Where(IsStartOfImage)];
        if (firsts.Length != count) throw Damaged($"{firsts.Length} frames, but {count} are stated");
        long[] begins = [.. firsts.Select(item => item.Start - ItemHeader)];
        return [.. begins.Zip([.. begins[1..], length])];
    }

    // Of JPEG and JPEG 2000.
    private bool IsStartOfImage((long Start, long Length) item) =>
        item.Length >= 2 && Bytes(item.Start, 2) is [0xFF, 0xD8] or [0xFF, 0x4F];

    private IEnumerable<(long Start, long Length)> Items(long start, long end)
    {
        while (start < end)
        {
            (uint tag, uint size) = Header(start);
            if (tag == DicomTag.SequenceEnd) yield break;
            if (tag != DicomTag.Item) throw Damaged($"no frame at byte {start}");
            yield return (start + ItemHeader, size);
            start += ItemHeader + size;
        }
    }

    private (uint Tag, uint Length) Header(long at)
    {
        byte[] header = Bytes(at, ItemHeader);
        return (((uint)BinaryPrimitives.ReadUInt16LittleEndian(header) << 16) | BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(2)),
            BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)));
    }

    private long[] Longs(DicomElement element)
    {
        byte[] bytes = Bytes(element.Start, element.Length);
        return [.. Enumerable.Range(0, bytes.Length / 8).Select(i => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8 * i)))];
    }

    private byte[] Bytes(long start, long count)
    {
        if (start < 0 || count > LargestFrame || start > length - count)
            throw Damaged($"{length} bytes, and {count} are needed at {start}");
        var bytes = new byte[count];
        for (int read = 0; read < count;)
        {
            int more = RandomAccess.Read(file, bytes.AsSpan(read), start + read);
            read += more > 0 ? more : throw Damaged("fewer bytes than when it was opened");
        }
        return bytes;
    }

    private TinctorException Damaged(string found) =>
        new(instance.Path, $"damaged or truncated: it has {found}", "Copy or export the file again.");
}
