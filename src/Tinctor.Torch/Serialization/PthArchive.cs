using System.IO.Compression;

namespace Tinctor.Torch.Serialization;

/// <summary>Zip archive of torch.save: ROOT/data.pkl, and ROOT/data/KEY with the data of each storage.</summary>
internal sealed class PthArchive : IPthFile
{
    private const int LongestPickle = 64 << 20;

    private readonly string path;
    private readonly FileStream file;
    private readonly ZipArchive zip;
    private readonly Dictionary<string, ZipArchiveEntry> entries = [];
    private readonly Dictionary<string, PthStorage> storages = [];
    private readonly string root;

    public PthArchive(string path, FileStream file)
    {
        (this.path, this.file) = (path, file);
        try
        {
            zip = Guarded(() => new ZipArchive(file, ZipArchiveMode.Read));
            Guarded(IndexEntries);
            root = FindRoot();
            Guarded(CheckSizes);
            CheckByteOrder();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        zip?.Dispose();
        file.Dispose();
    }

    /// <inheritdoc/>
    public object? ReadObjects() =>
        Guarded(() => PickleGlobals.Unpickle(ReadEntry(entries[$"{root}/data.pkl"], LongestPickle), CheckStorage));

    public void ReadStorage(PthStorage storage, Span<byte> memory)
    {
        try
        {
            using Stream stream = entries[RecordName(storage)].Open();
            stream.ReadExactly(memory);
        }
        catch (Exception error) when (PthFile.IsDamage(error))
        {
            throw PthFile.Damaged(path, error);
        }
        PthFile.CheckBooleans(path, storage, memory);
    }

    private T Guarded<T>(Func<T> read) => PthFile.Guarded(path, read);

    private string RecordName(PthStorage storage) => $"{root}/data/{storage.Key}";

    private void CheckStorage(PthStorage storage)
    {
        var name = RecordName(storage);
        if (!entries.TryGetValue(name, out var entry))
        {
            throw new FormatException($"its pickle refers to the record {name}, which is not there");
        }

        if (entry.Length != storage.ByteCount)
        {
            throw new FormatException($"its record {name} has {entry.Length} bytes, the pickle says {storage.ByteCount}");
        }

        PthFile.CheckSize($"record {name}", storage);

        if (!storages.TryAdd(storage.Key, storage) && storages[storage.Key] != storage)
        {
            throw new FormatException($"its pickle gives the record {name} two different types");
        }
    }

    private bool IndexEntries() => zip.Entries.All(entry => entries.TryAdd(entry.FullName, entry)
        ? true
        : throw new FormatException($"its zip archive has two records named {entry.FullName}"));

    /// <summary>Checks that records are not compressed, as in torch.save; this limits memory to the size of the file.</summary>
    private bool CheckSizes()
    {
        long total = 0;
        foreach (var entry in zip.Entries)
        {
            if (entry.CompressedLength != entry.Length || entry.IsEncrypted)
            {
                throw new FormatException($"its record {entry.FullName} is compressed or encrypted, torch.save does neither");
            }

            total += entry.Length;
            if (entry.Length < 0 || total > file.Length)
            {
                throw new FormatException("its records take more bytes than the file has");
            }
        }

        return true;
    }

    private string FindRoot()
    {
        var roots = entries.Keys.Select(name => name.Split('/'))
            .Where(parts => parts is [_, "data.pkl"])
            .Select(parts => parts[0])
            .ToList();
        if (roots is not [var root])
        {
            throw new TinctorException(path, "not a PyTorch checkpoint: a zip archive without exactly one FOLDER/data.pkl in it",
                "Name a file of torch.save");
        }

        if (entries.Keys.Any(name => name == $"{root}/constants.pkl" || name.StartsWith($"{root}/code/", StringComparison.Ordinal)))
        {
            throw new TinctorException(
                path,
                "a TorchScript program, not a checkpoint of weights; to get its weights, run "
                + "torch.save(torch.jit.load(OLD, map_location='cpu').state_dict(), NEW) in Python");
        }

        return root;
    }

    private void CheckByteOrder()
    {
        // PyTorch writes the byte order since 2.1; earlier files are little-endian.
        if (entries.TryGetValue($"{root}/byteorder", out var entry)
            && !Guarded(() => ReadEntry(entry, maximum: 16)).AsSpan().SequenceEqual("little"u8))
        {
            throw new TinctorException(path,
                "not a readable PyTorch checkpoint: it comes from a big-endian machine; save it on a little-endian one");
        }
    }

    private static byte[] ReadEntry(ZipArchiveEntry entry, int maximum)
    {
        if (entry.Length > maximum)
        {
            throw new FormatException($"its record {entry.FullName} has {entry.Length} bytes, at most {maximum} are allowed");
        }

        var bytes = new byte[entry.Length];
        using var stream = entry.Open();
        stream.ReadExactly(bytes);
        return bytes;
    }
}
