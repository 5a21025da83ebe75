namespace Tinctor.Torch.Serialization;

/// <summary>Open checkpoint.</summary>
internal interface IPthFile : IDisposable
{
    /// <summary>Reads all objects; tensors are descriptions, checked against the file, without their data.</summary>
    object? ReadObjects();

    /// <summary>Reads the data of a storage into <paramref name="memory"/>, which has the size of the storage.</summary>
    void ReadStorage(PthStorage storage, Span<byte> memory);
}

/// <summary>Opens checkpoints, and checks common to their formats.</summary>
internal static class PthFile
{
    private const string Advice =
        "convert it in Python with torch.save(torch.load(OLD, map_location='cpu'), NEW, _use_new_zipfile_serialization=True)";

    /// <summary>Opens a checkpoint.</summary>
    /// <exception cref="TinctorException">The file has another format; the message names it.</exception>
    public static IPthFile Open(string path)
    {
        FileStream file = InputFile.Open(path);
        try
        {
            Span<byte> buffer = stackalloc byte[512];
            ReadOnlySpan<byte> start = buffer[..file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
            file.Position = 0;
            if (start.StartsWith("PK"u8)) return new PthArchive(path, file);
            if (start.StartsWith(LegacyPthFile.Magic)) return new LegacyPthFile(path, file);
            throw new TinctorException(path, $"not a readable PyTorch checkpoint: {Describe(start)}");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Runs a step of reading; exceptions of damaged files become errors that name the file.</summary>
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

    /// <summary>Whether an exception results from a damaged file, not from the disk.</summary>
    public static bool IsDamage(Exception error) => error is FormatException or InvalidDataException or TinctorException
        or EndOfStreamException or ArgumentException or NotSupportedException or OverflowException or InvalidOperationException;

    /// <summary>Creates the error of a damaged file.</summary>
    public static TinctorException Damaged(string path, Exception error) =>
        FileProblem.Create(path, $"not a readable PyTorch checkpoint: {error.Message}", "Copy or download the file again");

    /// <summary>Checks that a storage fits a span.</summary>
    public static void CheckSize(string name, PthStorage storage)
    {
        if (storage.ByteCount > int.MaxValue)
            throw new FormatException($"its {name} has {storage.ByteCount} bytes, at most {int.MaxValue} can be read");
    }

    /// <summary>Checks that booleans are 0 or 1, as libtorch expects.</summary>
    public static void CheckBooleans(string path, PthStorage storage, ReadOnlySpan<byte> memory)
    {
        if (storage.Dtype == ScalarType.Bool && memory.ContainsAnyExceptInRange((byte)0, (byte)1))
            throw FileProblem.Create(path, $"its storage {storage.Key} of booleans has values other than 0 and 1");
    }

    private static string Describe(ReadOnlySpan<byte> start) => start switch
    {
        [] => "it is empty",
        _ when start.Length == 512 && start[257..].StartsWith("ustar"u8) => $"it is a tar archive of an early PyTorch; {Advice}",
        [0x80, <= 5, ..] => $"it is a bare Python pickle; {Advice}",
        [_, _, _, _, _, 0, 0, 0, (byte)'{', ..] => "it is a safetensors file",
        _ => "it is not a zip archive",
    };
}
