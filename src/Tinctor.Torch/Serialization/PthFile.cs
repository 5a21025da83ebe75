namespace Tinctor.Torch.Serialization;

/// <summary>Open checkpoint.</summary>
internal interface IPthFile : IDisposable
{
    /// <summary>Reads everything but the memory of tensors, which are descriptions checked against the file.</summary>
    object? ReadObjects();

    /// <summary>Reads the memory of a storage into <paramref name="memory"/>, which has as many bytes as the storage.</summary>
    void ReadStorage(PthStorage storage, Span<byte> memory);
}

/// <summary>Formats of checkpoints, and the checks that they share.</summary>
internal static class PthFile
{
    private const string Advice =
        "convert it in Python with torch.save(torch.load(OLD, map_location='cpu'), NEW, _use_new_zipfile_serialization=True)";

    /// <summary>Opens a checkpoint; other kinds of files named .pth and .pt are refused by name.</summary>
    public static IPthFile Open(string path)
    {
        FileStream file = Refusal.OpenFile(path);
        try
        {
            Span<byte> buffer = stackalloc byte[512];
            ReadOnlySpan<byte> start = buffer[..file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
            file.Position = 0;
            if (start.StartsWith("PK"u8)) return new PthArchive(path, file);
            if (start.StartsWith(LegacyPthFile.Magic)) return new LegacyPthFile(path, file);
            throw Refusal.Create(path, $"not a readable PyTorch checkpoint: {Describe(start)}");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Runs a step of reading; whatever a damaged file makes of it becomes one line that names the file.</summary>
    public static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (IsDamage(error))
        {
            throw Damaged(path, error);
        }
    }

    /// <summary>Whether the readers throw an exception at damaged files; errors of the disk itself are not among them.</summary>
    public static bool IsDamage(Exception error) => error is FormatException or InvalidDataException or TinctorException
        or EndOfStreamException or ArgumentException or NotSupportedException or OverflowException or InvalidOperationException;

    /// <summary>Describes a damaged file.</summary>
    public static TinctorException Damaged(string path, Exception error) =>
        Refusal.Create(path, $"not a readable PyTorch checkpoint: {error.Message}");

    /// <summary>Refuses storages that do not fit a span.</summary>
    public static void CheckSize(string name, PthStorage storage)
    {
        if (storage.ByteCount > int.MaxValue)
            throw new FormatException($"its {name} has {storage.ByteCount} bytes, at most {int.MaxValue} can be read");
    }

    /// <summary>Refuses booleans other than 0 and 1, which libtorch does not expect.</summary>
    public static void CheckBooleans(string path, PthStorage storage, ReadOnlySpan<byte> memory)
    {
        if (storage.Dtype == ScalarType.Bool && memory.ContainsAnyExceptInRange((byte)0, (byte)1))
            throw Refusal.Create(path, $"its storage {storage.Key} of booleans has values other than 0 and 1");
    }

    private static string Describe(ReadOnlySpan<byte> start) => start switch
    {
        [] => "it is empty",
        _ when start.Length == 512 && start[257..].StartsWith("ustar"u8) => $"it is a tar archive, as the first PyTorch wrote; {Advice}",
        [0x80, <= 5, ..] => $"it is a bare Python pickle, not written by today's torch.save; {Advice}",
        [_, _, _, _, _, 0, 0, 0, (byte)'{', ..] => "it is a safetensors file",
        _ => "it is no zip archive",
    };
}
