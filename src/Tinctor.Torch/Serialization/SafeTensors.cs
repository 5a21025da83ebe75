using System.IO.MemoryMappedFiles;

namespace Tinctor.Torch.Serialization;

/// <summary>
/// Reads and writes safetensors files. Files are read through a memory map; the header is checked before memory is allocated.
/// </summary>
public static class SafeTensors
{
    /// <summary>Receives the contiguous little-endian bytes of a tensor, which are valid during the call only.</summary>
    internal delegate void Visitor(string name, ScalarType dtype, long[] shape, ReadOnlySpan<byte> bytes);

    /// <summary>Reads names, types and shapes of tensors, and the metadata.</summary>
    /// <exception cref="TinctorException">The file cannot be read or is not a valid safetensors file.</exception>
    internal static SafeTensorsHeader ReadHeader(string path)
    {
        using var file = InputFile.Open(path);
        return SafeTensorsHeader.Read(file, path);
    }

    /// <summary>Reads all tensors, on the CPU, in the order of the header.</summary>
    /// <exception cref="TinctorException">The file cannot be read or is not a valid safetensors file.</exception>
    public static OrderedDictionary<string, Tensor> Load(string path) => Load(path, out _);

    /// <summary>Reads all tensors, on the CPU, in the order of the header, and the metadata.</summary>
    /// <exception cref="TinctorException">The file cannot be read or is not a valid safetensors file.</exception>
    public static OrderedDictionary<string, Tensor> Load(string path, out OrderedDictionary<string, string> metadata)
    {
        var tensors = new OrderedDictionary<string, Tensor>();
        try
        {
            metadata = Visit(path, (name, dtype, shape, bytes) =>
            {
                var tensor = torch.empty(shape, dtype);
                tensors.Add(name, tensor);
                bytes.CopyTo(tensor.bytes());
            }).Metadata;
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }

            throw;
        }
    }

    /// <summary>Writes the tensors atomically; views and tensors on other devices are written as contiguous values.</summary>
    /// <exception cref="ArgumentException">Two tensors have the same name, or the format does not support an element type.</exception>
    /// <exception cref="TinctorException">The file cannot be written; an earlier version of it is unchanged.</exception>
    public static void Save(
        string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        var all = tensors.ToList();
        var header = SafeTensorsHeader.Plan(all.Select(t => (t.Key, t.Value.dtype, t.Value.shape)), metadata ?? []);
        var byName = all.ToDictionary();
        Write(path, header, (name, stream) =>
        {
            using var scope = torch.NewDisposeScope();
            var dense = byName[name].detach().cpu().contiguous();
            stream.Write(dense.bytes());
            GC.KeepAlive(dense);
        });
    }

    internal static unsafe SafeTensorsHeader Visit(string path, Visitor visit)
    {
        using var file = InputFile.Open(path);
        var header = SafeTensorsHeader.Read(file, path);
        using var map = MemoryMappedFile.CreateFromFile(
            file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        using var view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            foreach (var (name, entry) in header.Tensors)
            {
                if (entry.End - entry.Begin > int.MaxValue)
                {
                    throw FileProblem.Create(path,
                        $"tensor '{name}' takes {entry.End - entry.Begin} bytes, at most {int.MaxValue} can be read");
                }

                var bytes = new ReadOnlySpan<byte>(start + header.DataStart + entry.Begin, (int)(entry.End - entry.Begin));
                if (entry.dtype == ScalarType.Bool && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
                {
                    throw FileProblem.Create(path, $"tensor '{name}' of BOOL has values other than 0 and 1");
                }

                visit(name, entry.dtype, entry.shape, bytes);
            }
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        return header;
    }

    internal static void Write(string path, SafeTensorsHeader header, Action<string, Stream> writeTensor) =>
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header.ToBytes());
            foreach (var (name, _) in header.Tensors.OrderBy(t => t.Value.Begin).ThenBy(t => t.Value.End))
            {
                writeTensor(name, stream);
            }
        });
}
