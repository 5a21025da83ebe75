using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Tinctor.Transforms;

/// <summary>
/// Files of displacement fields: safetensors with the float32 tensor "displacement" [2, h, w]
/// (https://github.com/huggingface/safetensors, "Format").
/// </summary>
internal static class DisplacementFile
{
    private const string Name = "displacement";
    private const int LargestHeader = 1 << 20, Alignment = 8, Axes = 2;
    private const long MostNodes = 1 << 26;

    /// <summary>Writes a field.</summary>
    /// <exception cref="TinctorException">The file cannot be written.</exception>
    public static void Write(string path, DisplacementField field)
    {
        float[] values = field.ToArray();
        (int columns, int rows) = field.Grid;
        string bounds = FormattableString.Invariant($"[{Axes},{rows},{columns}],\"data_offsets\":[0,{values.Length * sizeof(float)}]");
        var header = new StringBuilder("{\"" + Name + "\":{\"dtype\":\"F32\",\"shape\":" + bounds + "}}");
        header.Append(' ', (Alignment - (header.Length % Alignment)) % Alignment);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(Encoding.ASCII.GetBytes(header.ToString()));
            stream.Write(MemoryMarshal.AsBytes<float>(values));
        });
    }

    /// <summary>Reads a field over an image of a size.</summary>
    /// <exception cref="TinctorException">The file is missing, damaged, or has no such tensor.</exception>
    public static DisplacementField Read(string path, int width, int height)
    {
        if (!File.Exists(path))
            throw new TinctorException(path, "the displacement of the transform is missing",
                "Keep it beside the transform, or register again");
        try
        {
            using FileStream file = InputFile.Open(path);
            Span<byte> start = stackalloc byte[sizeof(long)];
            file.ReadExactly(start);
            long length = BinaryPrimitives.ReadInt64LittleEndian(start);
            if (length is <= 0 or > LargestHeader || length > file.Length - sizeof(long)) throw new FormatException();
            byte[] header = new byte[length];
            file.ReadExactly(header);
            (int columns, int rows, long begin) = Place(path, header);
            byte[] bytes = new byte[Axes * (long)columns * rows * sizeof(float)];
            file.Position = sizeof(long) + length + begin;
            file.ReadExactly(bytes);
            float[] values = MemoryMarshal.Cast<byte, float>(bytes).ToArray();
            if (!Array.TrueForAll(values, float.IsFinite))
                throw new TinctorException(path, "the displacement has values that are not finite", "Register again");
            return DisplacementField.FromCells(width, height, columns, values[..(columns * rows)], values[(columns * rows)..]);
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or KeyNotFoundException
            or EndOfStreamException)
        {
            throw new TinctorException(path, "not a readable safetensors file", "Copy it again, or register again", error);
        }
    }

    // Size of the tensor, and its first byte after the header.
    private static (int Columns, int Rows, long Begin) Place(string path, byte[] header)
    {
        using JsonDocument json = JsonDocument.Parse(header);
        if (!json.RootElement.TryGetProperty(Name, out JsonElement tensor) || tensor.GetProperty("dtype").GetString() != "F32"
            || tensor.GetProperty("shape").Deserialize<long[]>() is not [Axes, > 1 and var rows, > 1 and var columns])
            throw new TinctorException(path, $"the float32 tensor {Name} [2, height, width] is missing", "Register again");
        long[] offsets = tensor.GetProperty("data_offsets").Deserialize<long[]>()!;
        return rows <= MostNodes && columns <= MostNodes && rows * columns <= MostNodes
            && offsets is [>= 0 and var begin, var end] && end - begin == Axes * rows * columns * sizeof(float)
            ? ((int)columns, (int)rows, begin) : throw new FormatException();
    }
}
