using System.Runtime.InteropServices;

namespace Tinctor.Core;

/// <summary>Wording of the operating system's errors about files.</summary>
internal static class FileErrors
{
    private const int ReadOnlyFileSystem = 30;
    private const string Unchanged = "an earlier version of the file is unchanged";

    /// <summary>Whether an exception comes from the file system.</summary>
    public static bool IsFileError(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>Whether a disk or a quota is full.</summary>
    public static bool IsNoSpace(Exception e) => e is IOException && Code(e) switch
    {
        28 => !OperatingSystem.IsWindows(), // ENOSPC
        122 => OperatingSystem.IsLinux(), // EDQUOT
        69 => OperatingSystem.IsMacOS(), // EDQUOT
        39 or 112 or 1295 => OperatingSystem.IsWindows(), // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED
        _ => false,
    };

    /// <summary>Whether another process has the file open and shares it with no one.</summary>
    public static bool IsInUse(Exception e) => e is IOException && Code(e) switch
    {
        11 => OperatingSystem.IsLinux(), // EWOULDBLOCK
        35 => OperatingSystem.IsMacOS(), // EWOULDBLOCK
        32 or 33 => OperatingSystem.IsWindows(), // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
        _ => false,
    };

    /// <summary>Describes why a file cannot be read.</summary>
    public static TinctorException Reading(string path, Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => new(path, "no such file", "Check the path.", e),
        UnauthorizedAccessException => new(path, "cannot be read: permission denied", "Check the permissions of the file.", e),
        PathTooLongException => new(path, "cannot be read: the path is too long", "Check the path.", e),
        _ when IsInUse(e) => new(path, "cannot be read: another program is writing it", "Wait until the program has finished.", e),
        _ => new(path, $"cannot be read: {SystemError(e)}", "Check the disk and the network.", e),
    };

    /// <summary>Describes why a file cannot be written.</summary>
    public static TinctorException Writing(string path, Exception e)
    {
        if (IsNoSpace(e)) return NoSpace(path, e);
        if (FileAmongFolders(path) is { } file) return new(path, $"cannot be written: {file} is a file, not a folder",
            "Choose another output.", e);
        return e switch
        {
            UnauthorizedAccessException =>
                new(path, "cannot be written: permission denied", $"Choose another output, or check the permissions of {Folder(path)}.", e),
            DirectoryNotFoundException => new(path, $"cannot be written: the folder {Folder(path)} does not exist", "Check the path.", e),
            PathTooLongException => new(path, "cannot be written: the name is too long for this file system", "Choose a shorter name.", e),
            _ when !OperatingSystem.IsWindows() && Code(e) == ReadOnlyFileSystem =>
                new(path, "cannot be written: the file system is read-only", "Choose another output.", e),
            _ when IsInUse(e) => new(path, "cannot be written: another program has it open", "Close the file in the program.", e),
            _ => new(path, $"cannot be written: {SystemError(e)}", $"Check the disk and the network; {Unchanged}.", e),
        };
    }

    /// <summary>Describes why a native library cannot write a file, whose errors are text.</summary>
    /// <param name="path">The file.</param>
    /// <param name="reason">Words of the library.</param>
    /// <param name="e">Its exception.</param>
    public static TinctorException WritingByLibrary(string path, string reason, Exception e) =>
        reason.Contains("no space left", StringComparison.OrdinalIgnoreCase) ? NoSpace(path, e)
            : new(path, $"cannot be written ({reason})", "Check permissions and free space.", e);

    private static TinctorException NoSpace(string path, Exception e) => new(path, "cannot be written: no space left on the disk",
        $"Free some space, or choose another disk; {Unchanged}.", e);

    // .NET puts errno (Unix) or an HRESULT made of the error code (Windows) here.
    private static int Code(Exception e) => e.HResult & 0xFFFF;

    // The words of the operating system, such as "Input/output error", without those of .NET.
    private static string SystemError(Exception e) => e is IOException && Code(e) != 0
        ? Marshal.GetPInvokeErrorMessage(Code(e)).TrimEnd('.') : "unknown error of the file system";

    private static string Folder(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? path;

    private static string? FileAmongFolders(string path)
    {
        for (string? folder = Path.GetDirectoryName(Path.GetFullPath(path)); folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(folder)) return folder;
        return null;
    }
}
