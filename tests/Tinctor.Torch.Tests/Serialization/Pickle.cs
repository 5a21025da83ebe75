using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Tinctor.Torch.Tests.Serialization;

/// <summary>Assembles hostile pickles and the archives around them.</summary>
internal sealed class Pickle
{
    private readonly MemoryStream bytes;

    private Pickle(MemoryStream bytes) => this.bytes = bytes;

    public static Pickle Start() => new Pickle(new MemoryStream()).Add(0x80, 2);

    public byte[] Stop() => Add((byte)'.').bytes.ToArray();

    public Pickle Add(params ReadOnlySpan<byte> bytes)
    {
        this.bytes.Write(bytes);
        return this;
    }

    public Pickle Op(string operations) => Add(Encoding.ASCII.GetBytes(operations));

    public Pickle Repeat(int count, Action<Pickle> part)
    {
        for (var i = 0; i < count; i++)
        {
            part(this);
        }

        return this;
    }

    public Pickle Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
        return Op("X").Add(length).Add(utf8);
    }

    public Pickle Int(long value) => Add(0x8a, 8).Add(BitConverter.GetBytes(value));

    public Pickle Global(string module, string name) => Op($"c{module}\n{name}\n");

    public Pickle Storage(string type, string key, long count) =>
        Op("(").Text("storage").Global("torch", type).Text(key).Text("cpu").Int(count).Op("tQ");

    /// <summary>A tensor; the storage "0" has as many elements as said.</summary>
    public Pickle Tensor(long count, long offset, long[] shape, long[] stride, string type = "FloatStorage", string key = "0")
    {
        Global("torch._utils", "_rebuild_tensor_v2").Op("(").Storage(type, key, count).Int(offset).Op("(");
        foreach (var size in shape)
        {
            Int(size);
        }

        Op("t(");
        foreach (var step in stride)
        {
            Int(step);
        }

        return Op("t").Add(0x89).Op(")").Op("tR");
    }

    /// <summary>An archive as torch.save would write it, with a storage "0" of so many bytes.</summary>
    public static void WriteArchive(string path, byte[] pickle, int storageBytes = 16, params (string Name, byte[] Content)[] more)
    {
        using var stream = File.Create(path);
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create);
        foreach (var (name, content) in more.Prepend(("archive/data/0", new byte[storageBytes])).Prepend(("archive/data.pkl", pickle)))
        {
            using var entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
            entry.Write(content);
        }
    }
}
