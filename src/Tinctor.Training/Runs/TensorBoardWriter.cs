using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;
using static Google.Protobuf.WireFormat;

namespace Tinctor.Training.Runs;

/// <summary>
/// Writes scalars, images and text for TensorBoard: records of the Event protocol buffer (tensorflow/core/util/event.proto) in a
/// TFRecord file events.out.tfevents.*. Each writer creates a new file. Thread-safe.
/// </summary>
/// <remarks>Records that are not flushed are lost if the process is killed; TensorBoard skips truncated records.</remarks>
internal sealed class TensorBoardWriter : IDisposable
{
    private const string FilePrefix = "events.out.tfevents.";

    private static int writers;

    private readonly FileStream file;
    private readonly Lock access = new();

    /// <summary>Creates an event file.</summary>
    /// <param name="folder">Folder of the file, created if needed.</param>
    /// <param name="resumeAt">
    /// First step of a resumed run, from which TensorBoard discards the records of earlier files; null for a new run.
    /// </param>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public TensorBoardWriter(string folder, long? resumeAt = null)
    {
        Directory.CreateDirectory(folder);
        var number = Interlocked.Increment(ref writers) - 1;
        var name = string.Create(
            CultureInfo.InvariantCulture, $"{FilePrefix}{NextTime(folder):d10}.{Environment.MachineName}.{Environment.ProcessId}.{number}");
        Path = System.IO.Path.Combine(folder, name);
        this.file = new FileStream(Path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1 << 16);

        var step = resumeAt ?? 0;
        WriteEvent(step, version => WriteString(version, 3, "brain.Event:2"));
        if (resumeAt is not null)
        {
            const int start = 1;
            WriteEvent(step, log => WriteField(log, 7, session => WriteNumber(session, 1, start)));
        }

        Flush();
    }

    /// <summary>Path of the event file.</summary>
    public string Path { get; }

    /// <summary>Adds a number, shown as a curve over the steps; tags are grouped by the part before a slash.</summary>
    public void AddScalar(string tag, double value, long step) => WriteSummary(tag, step, summary =>
    {
        summary.WriteTag(2, WireType.Fixed32);
        summary.WriteFloat((float)value);
    });

    /// <summary>Adds an image, given as the bytes of a PNG file.</summary>
    /// <exception cref="ArgumentException">The bytes are not a PNG file.</exception>
    public void AddImage(string tag, ReadOnlyMemory<byte> png, long step)
    {
        var (width, height, channels) = ReadPngHeader(png.Span);
        WriteSummary(tag, step, summary => WriteField(summary, 4, image =>
        {
            WriteNumber(image, 1, height);
            WriteNumber(image, 2, width);
            WriteNumber(image, 3, channels);
            image.WriteTag(4, WireType.LengthDelimited);
            image.WriteBytes(UnsafeByteOperations.UnsafeWrap(png));
        }));
    }

    /// <summary>Adds a text, shown as Markdown.</summary>
    public void AddText(string tag, string text, long step) => WriteSummary($"{tag}/text_summary", step, summary =>
    {
        const int typeString = 7;
        WriteField(summary, 8, tensor =>
        {
            WriteNumber(tensor, 1, typeString);
            WriteField(tensor, 2, shape => WriteField(shape, 2, dimension => WriteNumber(dimension, 1, 1)));
            WriteString(tensor, 8, text);
        });
        WriteField(summary, 9, metadata => WriteField(metadata, 1, plugin => WriteString(plugin, 1, "text")));
    });

    /// <summary>Passes all records to the operating system, where TensorBoard reads them. Call it with each checkpoint.</summary>
    public void Flush()
    {
        lock (access)
        {
            this.file.Flush();
        }
    }

    /// <summary>Flushes and closes the file.</summary>
    public void Dispose()
    {
        lock (access)
        {
            this.file.Dispose();
        }
    }

    /// <summary>Gets a time in seconds after that of all event files: TensorBoard reads files sorted by name.</summary>
    private static long NextTime(string folder)
    {
        var earlier = Directory.EnumerateFiles(folder, FilePrefix + "*")
            .Select(file => System.IO.Path.GetFileName(file)[FilePrefix.Length..].Split('.')[0])
            .Select(time => long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : 0);
        return Math.Max(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), earlier.DefaultIfEmpty().Max() + 1);
    }

    private static (int Width, int Height, int Channels) ReadPngHeader(ReadOnlySpan<byte> png)
    {
        if (png.Length < 26 || png[0] != 0x89 || !png[1..].StartsWith("PNG\r\n\u001a\n"u8))
        {
            throw new ArgumentException("the image is not a PNG file", nameof(png));
        }

        const int grey = 0, greyAlpha = 4, rgbAlpha = 6;
        var channels = png[25] switch { grey => 1, greyAlpha => 2, rgbAlpha => 4, _ => 3 };
        return (BinaryPrimitives.ReadInt32BigEndian(png[16..]), BinaryPrimitives.ReadInt32BigEndian(png[20..]), channels);
    }

    private void WriteSummary(string tag, long step, Action<CodedOutputStream> value) =>
        WriteEvent(step, what => WriteField(what, 5, summary => WriteField(summary, 1, entry =>
        {
            WriteString(entry, 1, tag);
            value(entry);
        })));

    private void WriteEvent(long step, Action<CodedOutputStream> what) => WriteRecord(Message(record =>
    {
        record.WriteTag(1, WireType.Fixed64);
        record.WriteDouble(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0);
        WriteNumber(record, 2, step);
        what(record);
    }));

    private static byte[] Message(Action<CodedOutputStream> fields)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes))
        {
            fields(output);
        }

        return bytes.ToArray();
    }

    private static void WriteField(CodedOutputStream output, int field, Action<CodedOutputStream> message)
    {
        output.WriteTag(field, WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(Message(message)));
    }

    private static void WriteString(CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireType.LengthDelimited);
        output.WriteString(value);
    }

    private static void WriteNumber(CodedOutputStream output, int field, long value)
    {
        output.WriteTag(field, WireType.Varint);
        output.WriteInt64(value);
    }

    /// <summary>Writes a TFRecord: length, checksum of the length, data, checksum of the data.</summary>
    private void WriteRecord(byte[] data)
    {
        Span<byte> header = stackalloc byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(header, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], MaskedChecksum(header[..8]));
        Span<byte> footer = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(footer, MaskedChecksum(data));
        lock (access)
        {
            this.file.Write(header);
            this.file.Write(data);
            this.file.Write(footer);
        }
    }

    /// <summary>Computes the masked CRC-32C of TFRecord files.</summary>
    private static uint MaskedChecksum(ReadOnlySpan<byte> data)
    {
        var checksum = uint.MaxValue;
        for (; data.Length >= 8; data = data[8..])
        {
            checksum = BitOperations.Crc32C(checksum, BinaryPrimitives.ReadUInt64LittleEndian(data));
        }

        foreach (var value in data)
        {
            checksum = BitOperations.Crc32C(checksum, value);
        }

        return BitOperations.RotateRight(~checksum, 15) + 0xa282ead8u;
    }
}
