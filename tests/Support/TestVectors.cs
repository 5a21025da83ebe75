using System.Collections.Concurrent;
using System.IO.Compression;

namespace Tinctor.Tests;

/// <summary>
/// Reference numbers in tests/vectors. Files with the suffix .gz are packed as tests/vectors/packed.py does it: bytes i, i+4, i+8 and so on
/// form plane i of four planes, and gzip compresses them one after the other.
/// </summary>
internal static class TestVectors
{
    private const string Packed = ".gz";

    private static readonly ConcurrentDictionary<string, Lazy<string>> Unpacked = new();

    private static string Root => RepositoryFiles.Path("tests/vectors");

    /// <summary>Returns the full path of a file of tests/vectors; a packed file is unpacked beside the tests.</summary>
    /// <param name="relative">Path without the suffix of packed files.</param>
    /// <exception cref="FileNotFoundException">tests/vectors holds neither the file nor its packed form.</exception>
    public static string Path(string relative)
    {
        string path = System.IO.Path.Combine(Root, relative);
        if (File.Exists(path)) return path;
        if (!File.Exists(path + Packed)) throw new FileNotFoundException($"tests/vectors/{relative}");
        return Unpacked.GetOrAdd(relative, _ => new Lazy<string>(() => Unpack(relative))).Value;
    }

    /// <summary>Returns the relative paths of all files of a name or pattern, packed or not, without the suffix of packed files.</summary>
    public static IReadOnlyList<string> Find(string pattern) => [.. new[] { "", Packed }
        .SelectMany(suffix => Directory.GetFiles(Root, pattern + suffix, SearchOption.AllDirectories)
            .Select(path => System.IO.Path.GetRelativePath(Root, path[..^suffix.Length])))
        .Order(StringComparer.Ordinal)];

    private static string Unpack(string relative)
    {
        string source = System.IO.Path.Combine(Root, relative) + Packed;
        string target = System.IO.Path.Combine(AppContext.BaseDirectory, "vectors", relative);
        DateTime time = File.GetLastWriteTimeUtc(source);
        if (File.Exists(target) && File.GetLastWriteTimeUtc(target) == time) return target;
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
        // Another process of the same tests may unpack at the same time.
        string temporary = $"{target}.{Environment.ProcessId}";
        File.WriteAllBytes(temporary, Join(Decompress(source)));
        File.SetLastWriteTimeUtc(temporary, time);
        File.Move(temporary, target, overwrite: true);
        return target;
    }

    private static byte[] Decompress(string path)
    {
        using var planes = new MemoryStream();
        using (var stream = new GZipStream(File.OpenRead(path), CompressionMode.Decompress)) stream.CopyTo(planes);
        return planes.ToArray();
    }

    private static byte[] Join(byte[] planes)
    {
        var content = new byte[planes.Length];
        int at = 0;
        for (int plane = 0; plane < 4; plane++)
            for (int i = plane; i < content.Length; i += 4) content[i] = planes[at++];
        return content;
    }
}
