using System.IO.Enumeration;
using System.Security.Cryptography;
using System.Text;

namespace Tinctor.Viewer.Folders;

/// <summary>
/// Folders that the server may read. Links that lead out of them are refused, when folders are listed and again when a file is opened.
/// </summary>
/// <param name="paths">Folders, or single files.</param>
internal sealed class SafeFolders(IReadOnlyList<string> paths)
{
    private const int MostLinks = 40, DeepestFolder = 32, MostFiles = 500_000, IdBytes = 12;

    private readonly string[] roots = [.. paths.Select(path => RealPath(path) ?? Path.GetFullPath(path)).Distinct(StringComparer.Ordinal)];

    /// <summary>Real paths of the folders and files.</summary>
    public IReadOnlyList<string> Roots => roots;

    /// <summary>Lists the files in a folder and its subfolders, without hidden, empty and special ones.</summary>
    /// <param name="root">One of <see cref="Roots"/>, or a folder in it.</param>
    public IEnumerable<string> Files(string root) => Enumerate(root, (ref FileSystemEntry entry) => !entry.IsDirectory)
        .Where(path => (new FileInfo(path).LinkTarget is null || Contains(path)) && IsFile(path)).Take(MostFiles);

    /// <summary>Lists a folder and its subfolders, without hidden ones and links.</summary>
    /// <param name="root">One of <see cref="Roots"/>.</param>
    public IEnumerable<string> Subfolders(string root) =>
        Enumerate(root, (ref FileSystemEntry entry) => entry.IsDirectory && !IsLink(ref entry)).Take(MostFiles).Prepend(root);

    /// <summary>Whether the real path of a file or folder is within the folders.</summary>
    public bool Contains(string path) => RealPath(path) is string real && Path.Exists(real) && roots.Any(root => IsWithin(real, root));

    /// <summary>Creates an identifier of a path that tells nothing about it: URL-safe, the same after a restart.</summary>
    public static string IdOf(string path) =>
        Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(path)).AsSpan(0, IdBytes)).Replace('+', '-').Replace('/', '_');

    /// <summary>Returns the path of a folder relative to the folder that holds the root, such as slides/2024.</summary>
    public string DisplayFolder(string path)
    {
        string root = roots.Where(root => IsWithin(path, root)).MaxBy(root => root.Length) ?? path;
        string folder = Path.GetDirectoryName(path) ?? path;
        if (path == root) return Path.GetFileName(folder);
        string inside = Path.GetRelativePath(root, folder);
        return (inside == "." ? Path.GetFileName(root) : $"{Path.GetFileName(root)}/{inside}").Replace('\\', '/');
    }

    /// <summary>Resolves all links of a path; null if there are too many.</summary>
    internal static string? RealPath(string path)
    {
        string full = Path.GetFullPath(path), at = Path.GetPathRoot(full)!;
        var rest = new Stack<string>(Parts(full));
        for (int links = 0; rest.TryPop(out string? name);)
        {
            if (name is "." or "") continue;
            if (name == "..")
            {
                at = Path.GetDirectoryName(at) ?? at;
                continue;
            }
            string next = Path.Combine(at, name);
            if (LinkOf(next) is not string target)
            {
                at = next;
                continue;
            }
            if (++links > MostLinks) return null;
            if (Path.IsPathRooted(target)) at = Path.GetPathRoot(target)!;
            foreach (string part in Parts(target)) rest.Push(part);
        }
        return at;
    }

    // Last part first, without the root.
    private static IEnumerable<string> Parts(string path) => path[(Path.GetPathRoot(path)?.Length ?? 0)..]
        .Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar).Reverse();

    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            return null;
        }
    }

    private static bool IsWithin(string path, string root) =>
        path == root || path.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    // Pipes and devices have no length: opening one would wait for its writer.
    private static bool IsFile(string path) => new FileInfo(RealPath(path) ?? path) is { Exists: true, Length: > 0 };

    private static bool IsLink(ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) != 0;

    private static FileSystemEnumerable<string> Enumerate(string root, FileSystemEnumerable<string>.FindPredicate include) =>
        new(root, (ref FileSystemEntry entry) => entry.ToFullPath(), new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.None,
            MaxRecursionDepth = DeepestFolder,
        })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => entry.FileName[0] != '.' && include(ref entry),
            ShouldRecursePredicate = (ref FileSystemEntry entry) => entry.FileName[0] != '.' && !IsLink(ref entry),
        };
}
