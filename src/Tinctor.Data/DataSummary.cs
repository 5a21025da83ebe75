using System.Security.Cryptography;
using System.Text;

namespace Tinctor.Data;

/// <summary>Summary of a run's data for environment.json: counts, and a hash of every file.</summary>
/// <param name="Root">Folder or manifest.</param>
/// <param name="Layout">Recognised layout.</param>
/// <param name="Splits">Number of pairs in each split.</param>
/// <param name="Labels">Number of pairs with each label; empty without labels.</param>
/// <param name="Slides">Slides of each split; empty if they are unknown.</param>
/// <param name="Sha256">
/// SHA-256 of the lines "hash  path" of all files, including the manifest, sorted by path, as printed by sha256sum.
/// </param>
/// <param name="Files">SHA-256 in hexadecimal by path relative to the root's folder, with forward slashes.</param>
internal sealed record DataSummary(string Root, string Layout,
    IReadOnlyDictionary<string, int> Splits, IReadOnlyDictionary<string, int> Labels, IReadOnlyDictionary<string, string[]> Slides,
    string Sha256, IReadOnlyDictionary<string, string> Files)
{
    /// <summary>Counts the pairs of a manifest and hashes their files in parallel.</summary>
    /// <exception cref="TinctorException">A file cannot be read.</exception>
    public static DataSummary Create(PairManifest manifest, CancellationToken cancel = default)
    {
        string folder = Directory.Exists(manifest.Root) ? manifest.Root : Path.GetDirectoryName(manifest.Root)!;
        string[] files = [.. manifest.Pairs.SelectMany(pair => pair.Files).Concat(manifest.Roots.Where(File.Exists)).Distinct()];
        var hashes = new string[files.Length];
        Parallel.For(0, files.Length, new ParallelOptions { CancellationToken = cancel }, i => hashes[i] = Fingerprint.OfFile(files[i]));
        var byPath = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < files.Length; i++) byPath[Path.GetRelativePath(folder, files[i]).Replace('\\', '/')] = hashes[i];
        string lines = string.Concat(byPath.Select(file => $"{file.Value}  {file.Key}\n"));
        return new(manifest.Root, manifest.Layout,
            Count(manifest.Pairs.Select(pair => pair.Split)),
            Count(manifest.Pairs.Select(pair => pair.Label).OfType<string>()),
            SlidesOf(manifest),
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines))), byPath);
    }

    private static SortedDictionary<string, int> Count(IEnumerable<string> names) =>
        new(names.CountBy(name => name).ToDictionary(), StringComparer.Ordinal);

    private static SortedDictionary<string, string[]> SlidesOf(PairManifest manifest) => new(
        manifest.Pairs.Where(pair => pair.SlideId.Length > 0).GroupBy(pair => pair.Split)
            .ToDictionary(
                split => split.Key,
                split => split.Select(pair => pair.SlideId).Distinct().Order(StringComparer.Ordinal).ToArray()),
        StringComparer.Ordinal);
}
