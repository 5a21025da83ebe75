using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Tinctor.Slides.Dicom;

/// <summary>Data element of a DICOM file.</summary>
/// <param name="Tag">Group and element.</param>
/// <param name="Sequence">Tag of the outermost sequence that holds it; 0 for none.</param>
/// <param name="Item">Index of the item of that sequence.</param>
/// <param name="Start">Position of the value in the file.</param>
/// <param name="Length">Length of the value in bytes; -1 if it is not stated, as of encapsulated pixels.</param>
internal readonly record struct DicomElement(uint Tag, uint Sequence, int Item, long Start, long Length);

/// <summary>
/// Reader of the data elements of a DICOM file (PS3.5, little-endian, with explicit or implicit value representations), one by one, so
/// that values that nobody asks for are skipped.
/// </summary>
internal sealed class DicomReader(Stream file)
{
    private const int PreambleLength = 128, DeepestSequence = 16, LongestValue = 1 << 26;
    private const long Undefined = -1;
    private const string ImplicitLittleEndian = "1.2.840.10008.1.2", DeflatedLittleEndian = "1.2.840.10008.1.2.1.99",
        ExplicitBigEndian = "1.2.840.10008.1.2.2";

    // Value representations with a length of four bytes, after two that are reserved.
    private static readonly HashSet<string> LongForms = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"];

    // Sequences whose elements are wanted; without value representations nothing else tells them from other values.
    private static readonly HashSet<uint> Sequences =
        [DicomTag.SharedGroups, DicomTag.FrameGroups, DicomTag.OpticalPaths, DicomTag.PlanePosition, PixelMeasures, OpticalPathOfFrame];

    private const uint PixelMeasures = 0x0028_9110, OpticalPathOfFrame = 0x0048_0207;

    private readonly long size = file.Length;

    /// <summary>Whether a file has the marker of DICOM.</summary>
    public static bool IsDicom(Stream file)
    {
        Span<byte> start = stackalloc byte[PreambleLength + 4];
        file.Position = 0;
        return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
            && start[PreambleLength..].SequenceEqual("DICM"u8);
    }

    /// <summary>Reads the elements in the order of the file, up to the pixels; items and ends of sequences are left out.</summary>
    /// <exception cref="TinctorException">The file is truncated or malformed, or compressed as a whole.</exception>
    public IEnumerable<DicomElement> Elements()
    {
        var open = new Stack<Level>();
        (uint root, int item) = (0, -1);
        string syntax = "";
        file.Position = PreambleLength + 4;
        while (file.Position < size)
        {
            while (open.TryPeek(out Level top) && top.End != Undefined && file.Position >= top.End) open.Pop();
            if (open.Count == 0) root = 0;
            long at = file.Position;
            uint tag = ReadTag();
            // The description of the file, group 2, always has explicit value representations.
            bool isImplicit = open.TryPeek(out Level outer) ? outer.IsImplicit : syntax == ImplicitLittleEndian && tag >> 16 != 2;
            if (tag is DicomTag.Item or DicomTag.ItemEnd or DicomTag.SequenceEnd)
            {
                long length = Length(ReadUInt32());
                if (tag == DicomTag.Item)
                {
                    if (open.Count == 1) item++;
                    Push(length, isSequence: false, isImplicit);
                }
                else if (!open.TryPop(out Level ended) || ended.IsSequence != (tag == DicomTag.SequenceEnd)) throw Malformed(at);
                continue;
            }
            // Sequences consist of items.
            if (open.Count > 0 && item < 0) throw Malformed(at);
            string kind = isImplicit ? "" : ReadKind();
            long bytes = isImplicit || IsLong(kind) ? Length(ReadUInt32()) : ReadUInt16();
            if (tag == DicomTag.PixelData && root == 0)
            {
                yield return new(tag, 0, -1, file.Position, bytes);
                yield break;
            }
            if (kind == "SQ" || bytes == Undefined || (isImplicit && Sequences.Contains(tag)))
            {
                if (open.Count == 0) (root, item) = (tag, -1);
                // Sequences of a representation that the writer did not know have no representations inside.
                Push(bytes, isSequence: true, isImplicit || kind == "UN");
                continue;
            }
            long start = file.Position;
            if (bytes > size - start) throw Truncated();
            var element = new DicomElement(tag, root, item, start, bytes);
            if (tag == DicomTag.TransferSyntaxUid)
            {
                syntax = Text(element);
                if (syntax is DeflatedLittleEndian or ExplicitBigEndian)
                    throw new TinctorException(null, $"has the transfer syntax {syntax} (deflated or big-endian), which is not supported",
                        "Export the slide with another transfer syntax.");
            }
            yield return element;
            file.Position = start + bytes;
        }

        void Push(long length, bool isSequence, bool isImplicit)
        {
            if (open.Count >= DeepestSequence) throw Malformed(file.Position);
            long end = length == Undefined ? Undefined : file.Position + length;
            if (end > size) throw Truncated();
            open.Push(new(end, isSequence, isImplicit));
        }

        bool IsLong(string kind)
        {
            if (!LongForms.Contains(kind)) return false;
            file.Position += 2;
            return true;
        }
    }

    /// <summary>Reads a value as bytes.</summary>
    public byte[] Bytes(DicomElement element)
    {
        if (element.Length is < 0 or > LongestValue)
            throw new TinctorException($"has a value of {element.Length} bytes at {element.Start}");
        var bytes = new byte[element.Length];
        file.Position = element.Start;
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Reads a text, without padding and control characters; several values are separated by backslashes.</summary>
    public string Text(DicomElement element) =>
        string.Concat(Encoding.UTF8.GetString(Bytes(element)).Where(character => !char.IsControl(character))).Trim();

    /// <summary>Reads decimal numbers that are written as text; empty if they are malformed.</summary>
    public double[] Decimals(DicomElement element)
    {
        double?[] numbers = [.. Text(element).Split('\\').Select(part =>
            double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : (double?)null)];
        return numbers.Contains(null) ? [] : Array.ConvertAll(numbers, number => number!.Value);
    }

    /// <summary>Reads the first whole number of a value with 2, 4 or 8 bytes a number.</summary>
    public long Whole(DicomElement element) => (Bytes(element), element.Length) switch
    {
        (var bytes, 2) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        (var bytes, 4) => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        _ => throw new TinctorException($"has {element.Length} bytes instead of a number at {element.Start}"),
    };

    private static long Length(uint length) => length == uint.MaxValue ? Undefined : length;

    private static TinctorException Truncated() => new("ends in the middle of its metadata");

    private static TinctorException Malformed(long at) => new($"its metadata is malformed at byte {at}");

    private uint ReadTag() => ((uint)ReadUInt16() << 16) | ReadUInt16();

    private string ReadKind()
    {
        Span<byte> kind = stackalloc byte[2];
        Read(kind);
        return kind[0] is >= (byte)'A' and <= (byte)'Z' && kind[1] is >= (byte)'A' and <= (byte)'Z' ? Encoding.ASCII.GetString(kind)
            : throw Malformed(file.Position - 2);
    }

    private ushort ReadUInt16()
    {
        Span<byte> bytes = stackalloc byte[2];
        Read(bytes);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    private uint ReadUInt32()
    {
        Span<byte> bytes = stackalloc byte[4];
        Read(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private void Read(Span<byte> bytes)
    {
        if (file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) throw Truncated();
    }

    private readonly record struct Level(long End, bool IsSequence, bool IsImplicit);
}
