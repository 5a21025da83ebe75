using System.IO.Compression;

namespace Tinctor.Torch.Serialization;

/// <summary>The zip archive that torch.save writes: ROOT/data.pkl and ROOT/data/KEY with the memory of each storage.</summary>
internal sealed class PthArchive : IDisposable
{
    private const int LongestPickle = 64 << 20;
    private const string Advice =
        "convert it in Python with torch.save(torch.load(OLD, map_location='cpu'), NEW, _use_new_zipfile_serialization=True)";

    private readonly string _path;
    private readonly FileStream _file;
    private readonly ZipArchive _zip;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = [];
    private readonly Dictionary<string, PthStorage> _storages = [];
    private readonly string _root;

    public PthArchive(string path)
    {
        _path = path;
        _file = Refusal.OpenFile(path);
        try
        {
            CheckKind();
            _zip = Guarded(() => new ZipArchive(_file, ZipArchiveMode.Read));
            Guarded(IndexEntries);
            _root = FindRoot();
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
        _zip?.Dispose();
        _file.Dispose();
    }

    /// <summary>Everything in the checkpoint; tensors as descriptions that have been checked against the records of the archive.</summary>
    public object? ReadObjects() =>
        Guarded(() => PickleGlobals.Unpickle(ReadEntry(_entries[$"{_root}/data.pkl"], LongestPickle), CheckStorage));

    /// <summary>Reads the memory of a storage into <paramref name="memory"/>, which has as many bytes as the storage.</summary>
    public void ReadStorage(PthStorage storage, Span<byte> memory)
    {
        try
        {
            using var stream = _entries[RecordName(storage)].Open();
            stream.ReadExactly(memory);
        }
        catch (Exception error) when (IsDamage(error))
        {
            throw Damaged(error);
        }

        if (storage.Dtype == ScalarType.Bool && memory.ContainsAnyExceptInRange((byte)0, (byte)1))
        {
            throw Refusal.Of(_path, $"its record {RecordName(storage)} of booleans has values other than 0 and 1");
        }
    }

    /// <summary>Runs a step of reading and turns whatever a damaged file makes of it into one line that names the file.</summary>
    private T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (IsDamage(error))
        {
            throw Damaged(error);
        }
    }

    /// <summary>What the zip reader and the unpickler throw at a damaged file; errors of the disk itself are not among them.</summary>
    private static bool IsDamage(Exception error) => error is FormatException or InvalidDataException or TinctorException or EndOfStreamException
        or ArgumentException or NotSupportedException or OverflowException or InvalidOperationException;

    private TinctorException Damaged(Exception error) => Refusal.Of(_path, $"not a readable PyTorch checkpoint: {error.Message}");

    private string RecordName(PthStorage storage) => $"{_root}/data/{storage.Key}";

    private void CheckStorage(PthStorage storage)
    {
        var name = RecordName(storage);
        if (!_entries.TryGetValue(name, out var entry))
        {
            throw new FormatException($"its pickle refers to the record {name}, which is not there");
        }

        var bytes = storage.Count * storage.Dtype.Size();
        if (entry.Length != bytes)
        {
            throw new FormatException($"its record {name} has {entry.Length} bytes, the pickle says {bytes}");
        }

        if (bytes > int.MaxValue)
        {
            throw new FormatException($"its record {name} has {bytes} bytes, at most {int.MaxValue} can be read");
        }

        if (!_storages.TryAdd(storage.Key, storage) && _storages[storage.Key] != storage)
        {
            throw new FormatException($"its pickle gives the record {name} two different types");
        }
    }

    /// <summary>Tells the other kinds of files that go by .pth and .pt apart, each with what to do about it.</summary>
    private void CheckKind()
    {
        Span<byte> buffer = stackalloc byte[512];
        ReadOnlySpan<byte> start = buffer[.._file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
        _file.Position = 0;
        if (start.StartsWith("PK"u8))
        {
            return;
        }

        ReadOnlySpan<byte> legacyMagic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
        var what = start switch
        {
            [] => "it is empty",
            _ when start.StartsWith(legacyMagic) => $"it has the legacy format from before PyTorch 1.6; {Advice}",
            _ when start.Length == 512 && start[257..].StartsWith("ustar"u8) =>
                $"it is a tar archive, as the first PyTorch wrote; {Advice}",
            [0x80, <= 5, ..] => $"it is a bare Python pickle, not written by today's torch.save; {Advice}",
            [_, _, _, _, _, 0, 0, 0, (byte)'{', ..] => "it is a safetensors file",
            _ => "it is no zip archive",
        };
        throw Refusal.Of(_path, $"not a readable PyTorch checkpoint: {what}");
    }

    private bool IndexEntries() => _zip.Entries.All(entry => _entries.TryAdd(entry.FullName, entry)
        ? true
        : throw new FormatException($"its zip archive has two records named {entry.FullName}"));

    /// <summary>torch.save stores its records as they are; insisting on it, nothing can unfold to more than the file holds.</summary>
    private bool CheckSizes()
    {
        long total = 0;
        foreach (var entry in _zip.Entries)
        {
            if (entry.CompressedLength != entry.Length || entry.IsEncrypted)
            {
                throw new FormatException($"its record {entry.FullName} is compressed or encrypted, torch.save does neither");
            }

            total += entry.Length;
            if (entry.Length < 0 || total > _file.Length)
            {
                throw new FormatException("its records take more bytes than the file has");
            }
        }

        return true;
    }

    private string FindRoot()
    {
        var roots = _entries.Keys.Select(name => name.Split('/'))
            .Where(parts => parts is [_, "data.pkl"])
            .Select(parts => parts[0])
            .ToList();
        if (roots is not [var root])
        {
            throw Refusal.Of(_path, "not a PyTorch checkpoint: a zip archive without exactly one FOLDER/data.pkl in it");
        }

        if (_entries.Keys.Any(name => name == $"{root}/constants.pkl" || name.StartsWith($"{root}/code/", StringComparison.Ordinal)))
        {
            throw Refusal.Of(
                _path,
                "a TorchScript program, not a checkpoint of weights; to get its weights, run "
                + "torch.save(torch.jit.load(OLD, map_location='cpu').state_dict(), NEW) in Python");
        }

        return root;
    }

    private void CheckByteOrder()
    {
        // Written since PyTorch 2.1; before that, nothing but little-endian machines were in use.
        if (_entries.TryGetValue($"{_root}/byteorder", out var entry)
            && !Guarded(() => ReadEntry(entry, maximum: 16)).AsSpan().SequenceEqual("little"u8))
        {
            throw Refusal.Of(_path,
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
