using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Tinctor.Torch.Serialization;

/// <summary>Type, shape and position of a tensor in a safetensors file.</summary>
/// <param name="dtype">Element type.</param>
/// <param name="shape">Sizes; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">The byte after the last one.</param>
internal sealed record SafeTensorsEntry(ScalarType dtype, long[] shape, long Begin, long End);

/// <summary>The header of a safetensors file: 8 bytes of length (little endian), JSON, then the data
/// (https://github.com/huggingface/safetensors, "Format").</summary>
internal sealed class SafeTensorsHeader
{
    /// <summary>The longest header that is read or written, in bytes: the limit of the format's reference reader.</summary>
    public const int LongestHeader = 100_000_000;

    private const string MetadataName = "__metadata__";
    private const int LengthBytes = 8;
    private const int MostDimensions = 64;

    private static readonly Dictionary<string, ScalarType> types = new()
    {
        ["F64"] = ScalarType.Float64,
        ["F32"] = ScalarType.Float32,
        ["F16"] = ScalarType.Float16,
        ["BF16"] = ScalarType.BFloat16,
        ["I64"] = ScalarType.Int64,
        ["I32"] = ScalarType.Int32,
        ["I16"] = ScalarType.Int16,
        ["I8"] = ScalarType.Int8,
        ["U8"] = ScalarType.Byte,
        ["BOOL"] = ScalarType.Bool,
    };

    private SafeTensorsHeader(
        OrderedDictionary<string, SafeTensorsEntry> tensors, OrderedDictionary<string, string> metadata, long dataStart)
    {
        Tensors = tensors;
        Metadata = metadata;
        DataStart = dataStart;
    }

    /// <summary>The tensors by name, in the order of the header.</summary>
    public OrderedDictionary<string, SafeTensorsEntry> Tensors { get; }

    /// <summary>Free text by name; empty where the file has none.</summary>
    public OrderedDictionary<string, string> Metadata { get; }

    /// <summary>Position of the data in the file, in bytes.</summary>
    public long DataStart { get; }

    /// <summary>Lays tensors out: the names keep their order, the data is ordered by element size and so all aligned.</summary>
    internal static SafeTensorsHeader Plan(
        IEnumerable<(string Name, ScalarType Dtype, long[] Shape)> tensors, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var list = tensors.ToList();
        var entries = new SafeTensorsEntry[list.Count];
        long end = 0;
        foreach (var (tensor, index) in list.Select((t, i) => (t, i)).OrderByDescending(t => t.t.Dtype.Size()))
        {
            var begin = end;
            end = checked(begin + TensorSize.ByteCount(tensor.Shape, tensor.Dtype));
            entries[index] = new SafeTensorsEntry(tensor.Dtype, tensor.Shape, begin, end);
        }

        var byName = new OrderedDictionary<string, SafeTensorsEntry>(list.Count);
        for (var i = 0; i < entries.Length; i++)
        {
            if (list[i].Name == MetadataName || !byName.TryAdd(list[i].Name, entries[i]))
            {
                throw new ArgumentException($"'{list[i].Name}' cannot name a tensor: it is reserved or taken", nameof(tensors));
            }
        }

        return new SafeTensorsHeader(byName, new OrderedDictionary<string, string>(metadata), dataStart: 0);
    }

    /// <summary>The length and the JSON, padded with spaces to a multiple of 8 bytes.</summary>
    internal byte[] ToBytes()
    {
        using var json = new MemoryStream();
        json.Write(stackalloc byte[LengthBytes]);
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            WriteJson(writer);
        }

        while (json.Length % 8 != 0)
        {
            json.WriteByte((byte)' ');
        }

        var bytes = json.ToArray();
        if (bytes.Length - LengthBytes > LongestHeader)
        {
            throw new ArgumentException($"the names and the metadata take {bytes.Length} bytes, at most {LongestHeader} can be read back");
        }

        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - LengthBytes);
        return bytes;
    }

    private void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (Metadata.Count > 0)
        {
            writer.WriteStartObject(MetadataName);
            foreach (var (name, value) in Metadata)
            {
                writer.WriteString(name, value);
            }

            writer.WriteEndObject();
        }

        foreach (var (name, entry) in Tensors)
        {
            writer.WriteStartObject(name);
            writer.WriteString("dtype", NameOf(entry.dtype));
            WriteNumbers(writer, "shape", entry.shape);
            WriteNumbers(writer, "data_offsets", [entry.Begin, entry.End]);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, long[] numbers)
    {
        writer.WriteStartArray(name);
        foreach (var number in numbers)
        {
            writer.WriteNumberValue(number);
        }

        writer.WriteEndArray();
    }

    private static string NameOf(ScalarType dtype) =>
        types.FirstOrDefault(pair => pair.Value == dtype).Key
        ?? throw new ArgumentException($"safetensors has no element type for {dtype}");

    /// <summary>Reads and checks the header at the start of the stream; <paramref name="path"/> is for messages.</summary>
    internal static SafeTensorsHeader Read(Stream stream, string path)
    {
        try
        {
            return Parse(ReadJson(stream), stream.Length);
        }
        // System.Text.Json throws InvalidOperationException for a string with half of a surrogate pair, and for values of another kind.
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw FileProblem.Create(path, $"not a readable safetensors file: {error.Message}", "Copy or create the file again");
        }
    }

    private static byte[] ReadJson(Stream stream)
    {
        Span<byte> lengthBytes = stackalloc byte[LengthBytes];
        if (stream.ReadAtLeast(lengthBytes, LengthBytes, throwOnEndOfStream: false) < LengthBytes)
        {
            throw new FormatException($"it has only {stream.Length} bytes");
        }

        if (lengthBytes.StartsWith("PK\u0003\u0004"u8))
        {
            throw new FormatException("it is a zip archive, perhaps a PyTorch checkpoint (.pth), which is to be imported first");
        }

        var length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        if (length > LongestHeader)
        {
            throw new FormatException($"its header claims {length} bytes, at most {LongestHeader} are allowed");
        }

        if ((long)length > stream.Length - LengthBytes)
        {
            throw new FormatException($"its header claims {length} bytes, only {stream.Length - LengthBytes} follow: the file is cut off");
        }

        var json = new byte[length];
        stream.ReadExactly(json);
        if (!json.AsSpan().StartsWith("{"u8) || !Utf8.IsValid(json))
        {
            throw new FormatException("its header is not a JSON object in UTF-8");
        }

        return json;
    }

    private static SafeTensorsHeader Parse(byte[] json, long fileLength)
    {
        var tensors = new OrderedDictionary<string, SafeTensorsEntry>();
        OrderedDictionary<string, string>? metadata = null;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        reader.Read();
        while (NextName(ref reader) is { } name)
        {
            if (name != MetadataName)
            {
                if (!tensors.TryAdd(name, ReadEntry(ref reader, name)))
                {
                    throw new FormatException($"two tensors are named '{name}'");
                }
            }
            else if (metadata is null)
            {
                metadata = ReadMetadata(ref reader);
            }
            else
            {
                throw new FormatException($"it has {MetadataName} twice");
            }
        }

        // Whatever follows the object but white space is an error of the JSON reader.
        reader.Read();
        CheckLayout(tensors, fileLength - LengthBytes - json.Length);
        return new SafeTensorsHeader(tensors, metadata ?? [], LengthBytes + json.Length);
    }

    /// <summary>The next property's name, or null at the end of the object.</summary>
    private static string? NextName(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.EndObject ? null : reader.GetString();
    }

    private static OrderedDictionary<string, string> ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, MetadataName);
        var metadata = new OrderedDictionary<string, string>();
        while (NextName(ref reader) is { } name)
        {
            Expect(ref reader, JsonTokenType.String, MetadataName);
            if (!metadata.TryAdd(name, reader.GetString()!))
            {
                throw new FormatException($"{MetadataName} has '{name}' twice");
            }
        }

        return metadata;
    }

    private static SafeTensorsEntry ReadEntry(ref Utf8JsonReader reader, string tensor)
    {
        Expect(ref reader, JsonTokenType.StartObject, tensor);
        string? dtype = null;
        long[]? shape = null, offsets = null;
        while (NextName(ref reader) is { } field)
        {
            switch (field)
            {
                case "dtype" when dtype is null:
                    Expect(ref reader, JsonTokenType.String, tensor);
                    dtype = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, tensor);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, tensor);
                    break;
                default:
                    throw new FormatException($"tensor '{tensor}' has an unknown or repeated field '{field}'");
            }
        }

        if (dtype is null || shape is null || offsets is not [var begin, var end])
        {
            throw new FormatException($"tensor '{tensor}' lacks its dtype, shape or two data_offsets");
        }

        if (!types.TryGetValue(dtype, out var type))
        {
            throw new FormatException($"tensor '{tensor}' has the unsupported dtype {dtype}");
        }

        var bytes = TensorSize.ByteCount(shape, type);
        if (bytes < 0 || begin > end || bytes != end - begin)
        {
            throw new FormatException(
                $"tensor '{tensor}' of {dtype} [{string.Join(", ", shape)}] does not fit its data_offsets [{begin}, {end}]");
        }

        return new SafeTensorsEntry(type, shape, begin, end);
    }

    private static long[] ReadNumbers(ref Utf8JsonReader reader, string tensor)
    {
        Expect(ref reader, JsonTokenType.StartArray, tensor);
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
            {
                throw new FormatException($"tensor '{tensor}' has a size or offset that is not a whole number from 0 to 2^63-1");
            }

            numbers.Add(number);
            if (numbers.Count > MostDimensions)
            {
                throw new FormatException($"tensor '{tensor}' has more than {MostDimensions} dimensions");
            }
        }

        return [.. numbers];
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token, string what)
    {
        reader.Read();
        if (reader.TokenType != token)
        {
            throw new FormatException($"'{what}' has a {reader.TokenType} where a {token} is wanted");
        }
    }

    /// <summary>The tensors must cover the data exactly: no overlap, no hole, nothing missing, nothing left over.</summary>
    private static void CheckLayout(OrderedDictionary<string, SafeTensorsEntry> tensors, long dataLength)
    {
        long expected = 0;
        foreach (var (name, entry) in tensors.OrderBy(t => t.Value.Begin).ThenBy(t => t.Value.End))
        {
            if (entry.Begin != expected)
            {
                var fault = entry.Begin < expected ? "overlaps the one before" : "leaves a hole before it";
                throw new FormatException($"tensor '{name}' {fault}: it starts at {entry.Begin} instead of {expected}");
            }

            expected = entry.End;
        }

        if (expected != dataLength)
        {
            var fault = expected > dataLength ? "the file is cut off" : "the rest is unaccounted for";
            throw new FormatException($"its tensors take {expected} bytes, {dataLength} follow the header: {fault}");
        }
    }
}
