using System.Buffers.Binary;
using Google.Protobuf;

namespace Tinctor.Training.Tests.Loop;

/// <summary>A protocol buffer message without its schema: the values of each field, in their order.</summary>
internal sealed class ProtoMessage
{
    private readonly List<(int Field, object Value)> fields = [];

    public static ProtoMessage Parse(byte[] bytes)
    {
        var message = new ProtoMessage();
        var input = new CodedInputStream(bytes);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            object value = WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => input.ReadInt64(),
                WireFormat.WireType.Fixed64 => input.ReadDouble(),
                WireFormat.WireType.Fixed32 => input.ReadFloat(),
                WireFormat.WireType.LengthDelimited => input.ReadBytes().ToByteArray(),
                var type => throw new TinctorException($"wire type {type}"),
            };
            message.fields.Add((WireFormat.GetTagFieldNumber(tag), value));
        }

        return message;
    }

    public bool Has(int field) => fields.Any(f => f.Field == field);

    public T Get<T>(int field) => (T)fields.Single(f => f.Field == field).Value;

    public string Text(int field) => System.Text.Encoding.UTF8.GetString(Get<byte[]>(field));

    public ProtoMessage Message(int field) => Parse(Get<byte[]>(field));
}

/// <summary>One event, with TensorBoard's meaning of the field numbers.</summary>
internal sealed class BoardEvent(ProtoMessage message)
{
    public double WallTime => message.Get<double>(1);

    public long Step => message.Get<long>(2);

    public string? FileVersion => message.Has(3) ? message.Text(3) : null;

    public bool IsSessionStart => message.Has(7) && message.Message(7).Get<long>(1) == 1;

    public ProtoMessage? Value => message.Has(5) ? message.Message(5).Message(1) : null;

    public string? Tag => Value?.Text(1);
}

/// <summary>Reads event files as TensorBoard does: TFRecords, both checksums verified.</summary>
internal static class EventFile
{
    public static List<BoardEvent> Read(string path)
    {
        var events = new List<BoardEvent>();
        var bytes = File.ReadAllBytes(path).AsSpan();
        while (bytes.Length >= 12)
        {
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
            if (bytes.Length < 16 + length) break; // A kill cut this record off.

            Verify(bytes[..8], bytes[8..12]);
            Verify(bytes.Slice(12, length), bytes.Slice(12 + length, 4));
            events.Add(new BoardEvent(ProtoMessage.Parse(bytes.Slice(12, length).ToArray())));
            bytes = bytes[(16 + length)..];
        }

        return events;
    }

    /// <summary>What TensorBoard shows of a folder: files in the order of their names, a session's start drops what it repeats.</summary>
    public static List<BoardEvent> Show(string folder)
    {
        var shown = new List<BoardEvent>();
        foreach (var item in Directory.GetFiles(folder, "events.out.tfevents.*").Order(StringComparer.Ordinal).SelectMany(Read))
        {
            if (item.IsSessionStart)
            {
                shown.RemoveAll(earlier => earlier.Step >= item.Step);
            }
            else if (item.Value is not null)
            {
                shown.Add(item);
            }
        }

        return shown;
    }

    /// <summary>CRC-32C bit by bit, from its polynomial.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var checksum = uint.MaxValue;
        foreach (var value in data)
        {
            checksum ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                checksum = (checksum >> 1) ^ ((checksum & 1) * 0x82f63b78u);
            }
        }

        return ~checksum;
    }

    private static void Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> stored)
    {
        var checksum = Crc32C(data);
        var masked = ((checksum >> 15) | (checksum << 17)) + 0xa282ead8u;
        Assert.Equal(masked, BinaryPrimitives.ReadUInt32LittleEndian(stored));
    }
}
