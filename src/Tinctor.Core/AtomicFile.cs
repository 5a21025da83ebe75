using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Tinctor.Core;

/// <summary>
/// Writes files completely or not at all: under a temporary name in the same folder, flushed to disk, then renamed. After a crash, a full
/// disk or two writers at once, the file has its old content or a new one, never a mixture.
/// </summary>
/// <remarks>
/// The temporary name holds the computer and the process id of the writer. The first write of a process into a folder removes the temporary
/// files of dead processes of the same computer; those of running processes and of other computers stay.
/// </remarks>
internal static partial class AtomicFile
{
    private const string TemporaryPrefix = ".tinctor-";
    private const int LongestNameInTemporary = 120;
    private static readonly ConcurrentDictionary<string, bool> CleanFolders = new();

    // A hash, as host names may have characters that file names must not have.
    private static readonly string Computer =
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{LocalProcess.Host}\n{LocalProcess.Namespace}")).AsSpan(0, 4));

    /// <summary>
    /// Replaces a file by the bytes that <paramref name="write"/> puts into a seekable stream. Missing folders are created.
    /// </summary>
    /// <exception cref="TinctorException">The file cannot be written at this place; an earlier version of it is unchanged.</exception>
    public static void Write(string path, Action<Stream> write) => Replace(path, temporary =>
    {
        using FileStream stream = Guard(path, () =>
            new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16));
        write(stream);
    });

    /// <summary>Replaces a file by text in UTF-8 without a byte order mark. Missing folders are created.</summary>
    /// <exception cref="TinctorException">The file cannot be written at this place; an earlier version of it is unchanged.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>
    /// Replaces a file by one that <paramref name="writeTo"/> writes, for writers that need a path. Missing folders are created.
    /// </summary>
    /// <param name="path">The file. If it is a link, the file that it points to is replaced.</param>
    /// <param name="writeTo">Receives the temporary path: in the same folder, with the same extension.</param>
    /// <exception cref="TinctorException">The file cannot be written at this place; an earlier version of it is unchanged.</exception>
    /// <exception cref="FileNotFoundException"><paramref name="writeTo"/> wrote no file.</exception>
    public static void Replace(string path, Action<string> writeTo)
    {
        string target = Guard(path, () => Resolve(path));
        string folder = Path.GetDirectoryName(target)!;
        Guard(path, () => Directory.CreateDirectory(folder));
        if (CleanFolders.TryAdd(folder, true)) DeleteDeadWriters(folder);
        string temporary = TemporaryPath(target);
        try
        {
            writeTo(temporary);
            Commit(path, temporary, target);
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            if (FileErrors.IsNoSpace(e)) throw FileErrors.Writing(path, e);
            throw;
        }
        FlushFolder(folder);
    }

    /// <summary>
    /// Deletes all temporary files in a folder, also those of other computers. Call it only while no process writes there.
    /// </summary>
    public static void DeleteLeftovers(string folder)
    {
        foreach (string temporary in Directory.EnumerateFiles(folder, TemporaryPrefix + "*")) File.Delete(temporary);
    }

    /// <summary>Whether a path names a temporary file, of a running or a dead process.</summary>
    public static bool IsLeftover(string path) => Path.GetFileName(path).StartsWith(TemporaryPrefix, StringComparison.Ordinal);

    /// <summary>
    /// Path of a temporary file of this process for a target: .tinctor-COMPUTER-PROCESS-RANDOM-NAME. Long names lose their start, to stay
    /// below the 255 bytes of most file systems.
    /// </summary>
    internal static string TemporaryPath(string target)
    {
        string name = Path.GetFileName(target);
        while (Encoding.UTF8.GetByteCount(name) > LongestNameInTemporary || char.IsLowSurrogate(name[0])) name = name[1..];
        string random = Guid.NewGuid().ToString("N")[..8];
        string file = string.Create(CultureInfo.InvariantCulture, $"{TemporaryPrefix}{Computer}-{Environment.ProcessId}-{random}-{name}");
        return Path.Combine(Path.GetDirectoryName(target)!, file);
    }

    private static string Resolve(string path)
    {
        string target = Path.GetFullPath(path);
        if (new FileInfo(target).LinkTarget is not null) target = File.ResolveLinkTarget(target, returnFinalTarget: true)!.FullName;
        return Directory.Exists(target) || Path.GetFileName(target).Length == 0
            ? throw new TinctorException(path, "is a folder, but a file is expected", "Add a file name.") : target;
    }

    private static void Commit(string path, string temporary, string target)
    {
        if (!File.Exists(temporary)) throw new FileNotFoundException($"{path}: its writer wrote no file", temporary);
        Guard(path, () =>
        {
            using (var written = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
                RandomAccess.FlushToDisk(written);
            File.Move(temporary, target, overwrite: true);
            return target;
        });
    }

    private static T Guard<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Writing(path, e);
        }
        catch (ArgumentException e)
        {
            throw new TinctorException(path, "is not a valid file name", "Choose another output.", e);
        }
    }

    private static void DeleteDeadWriters(string folder)
    {
        try
        {
            var running = new Dictionary<int, bool> { [Environment.ProcessId] = true };
            foreach (string file in Directory.EnumerateFiles(folder, $"{TemporaryPrefix}{Computer}-*"))
            {
                string writer = Path.GetFileName(file).Split('-')[2];
                if (!int.TryParse(writer, NumberStyles.None, CultureInfo.InvariantCulture, out int id)) continue;
                if (!running.TryGetValue(id, out bool runs)) running[id] = runs = LocalProcess.IsRunning(id);
                if (!runs) File.Delete(file);
            }
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            // Leftovers take space only; the write itself reports what the user must know.
        }
    }

    // Makes the rename itself durable. Some file systems cannot flush a folder; the rename is then as durable as they make it.
    private static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return;
        const int readOnly = 0;
        int descriptor = Open(folder, readOnly);
        if (descriptor < 0) return;
        _ = Synchronise(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronise(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
