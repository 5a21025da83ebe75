using System.Buffers.Binary;

namespace Tinctor.Torch.Serialization;

/// <summary>
/// Checkpoint of PyTorch before 1.6, or of <c>_use_new_zipfile_serialization=False</c>: five pickles (magic number, version, machine,
/// objects, keys of the storages), then for each key the number of elements and their bytes, little-endian.
/// </summary>
internal sealed class LegacyPthFile : IPthFile
{
    private const int LongestPickles = 64 << 20;
    private const long Version = 1001;

    private readonly string path;
    private readonly FileStream file;
    private readonly Dictionary<string, PthStorage> storages = [];
    private readonly Dictionary<string, long> positions = [];

    public LegacyPthFile(string path, FileStream file) => (this.path, this.file) = (path, file);

    /// <summary>First bytes of such a file: protocol 2, and the magic number 0x1950a86a20f9469cfc6c.</summary>
    public static ReadOnlySpan<byte> Magic => [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];

    public void Dispose() => file.Dispose();

    public object? ReadObjects() => PthFile.Guarded(path, () =>
    {
        byte[] head = new byte[Math.Min(file.Length, LongestPickles)];
        file.Position = 0;
        file.ReadExactly(head);
        int position = Magic.Length;
        if (PickleGlobals.Unpickle(head, ref position, NoStorage) is not Version)
            throw new FormatException($"its legacy format has another version than {Version}");
        PickleGlobals.Unpickle(head, ref position, NoStorage);
        object? objects = PickleGlobals.Unpickle(head, ref position, AddStorage);
        LocateStorages(PickleGlobals.Unpickle(head, ref position, NoStorage), position);
        return objects;
    });

    public void ReadStorage(PthStorage storage, Span<byte> memory)
    {
        file.Position = positions[storage.Key];
        file.ReadExactly(memory);
        PthFile.CheckBooleans(path, storage, memory);
    }

    private static void NoStorage(PthStorage storage) => throw new FormatException("its pickle refers to a storage outside its objects");

    private void AddStorage(PthStorage storage)
    {
        PthFile.CheckSize($"storage {storage.Key}", storage);
        // An allocation never exceeds what the file has.
        if (storage.ByteCount > file.Length)
            throw new FormatException($"its storage {storage.Key} of {storage.ByteCount} bytes is larger than the file");
        if (!storages.TryAdd(storage.Key, storage) && storages[storage.Key] != storage)
            throw new FormatException($"its pickle gives the storage {storage.Key} two different types or sizes");
    }

    private void LocateStorages(object? keys, long position)
    {
        if (keys is not List<object?> list) throw new FormatException("it has no list of storages");
        byte[] count = new byte[sizeof(long)];
        foreach (object? item in list)
        {
            if (item is not string key || !storages.TryGetValue(key, out PthStorage? storage) || positions.ContainsKey(key))
                throw new FormatException($"its list of storages names {item ?? "nothing"}, which its objects do not use, or twice");
            file.Position = position;
            if (file.ReadAtLeast(count, count.Length, throwOnEndOfStream: false) < count.Length)
                throw new FormatException($"it is cut off before its storage {key}");
            if (BinaryPrimitives.ReadInt64LittleEndian(count) is var found && found != storage.Count)
                throw new FormatException($"its storage {key} has {found} elements, but the pickle says {storage.Count}");
            position += count.Length;
            if (storage.ByteCount > file.Length - position) throw new FormatException($"it is cut off in its storage {key}");
            positions.Add(key, position);
            position += storage.ByteCount;
        }
        if (storages.Keys.FirstOrDefault(key => !positions.ContainsKey(key)) is { } missing)
            throw new FormatException($"its pickle refers to the storage {missing}, which is not there");
    }
}
