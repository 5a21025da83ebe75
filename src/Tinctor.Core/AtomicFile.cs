using System.Runtime.InteropServices;
using System.Text;

namespace Tinctor.Core;

/// <summary>
/// Writes files that are either there whole or not there at all: written beside, flushed to disk, renamed over.
/// A crash, a full disk or a second writer at the same moment leaves the old content or a new one, never a mixture.
/// </summary>
public static partial class AtomicFile
{
    private const string TemporaryPrefix = ".tinctor-";

    /// <summary>Replaces the file by what <paramref name="write"/> puts into the stream (seekable). Missing folders are made.</summary>
    /// <exception cref="IOException">The file cannot be written; an earlier version of it is untouched.</exception>
    public static void Write(string path, Action<Stream> write) => Replace(path, temporary =>
    {
        using var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16);
        write(stream);
    });

    /// <summary>Replaces the file by the text as UTF-8 without a byte order mark.</summary>
    /// <exception cref="IOException">The file cannot be written; an earlier version of it is untouched.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>
    /// Replaces the file by what <paramref name="writeTo"/> writes under the temporary path it is given, for writers that want a path.
    /// The temporary path lies in the same folder and has the same extension.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written; an earlier version of it is untouched.</exception>
    public static void Replace(string path, Action<string> writeTo)
    {
        var target = Path.GetFullPath(path);
        // A link stays a link: what it points to is replaced.
        if (new FileInfo(target).LinkTarget is not null)
        {
            target = File.ResolveLinkTarget(target, returnFinalTarget: true)!.FullName;
        }

        if (Directory.Exists(target) || Path.GetFileName(target).Length == 0)
        {
            throw new IOException($"{path}: is a folder, not a file that can be written");
        }

        var folder = Path.GetDirectoryName(target)!;
        Directory.CreateDirectory(folder);
        var temporary = Path.Combine(folder, $"{TemporaryPrefix}{Guid.NewGuid():N}{Path.GetExtension(target)}");
        try
        {
            writeTo(temporary);
            using (var written = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            {
                RandomAccess.FlushToDisk(written);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        FlushFolder(folder);
    }

    /// <summary>Removes temporary files that a killed writer left in the folder. Call it only where nobody else is writing.</summary>
    public static void DeleteLeftovers(string folder)
    {
        foreach (var temporary in Directory.EnumerateFiles(folder, TemporaryPrefix + "*"))
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Whether the path is one of the temporary files that a killed writer leaves.</summary>
    public static bool IsLeftover(string path) => Path.GetFileName(path).StartsWith(TemporaryPrefix, StringComparison.Ordinal);

    /// <summary>Makes the rename itself durable. File systems that cannot flush a folder are left to their own promises.</summary>
    private static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return;
        }

        const int readOnly = 0;
        var descriptor = Open(folder, readOnly);
        if (descriptor >= 0)
        {
            _ = Synchronise(descriptor);
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronise(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
