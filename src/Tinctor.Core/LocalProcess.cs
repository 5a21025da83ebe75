using System.Diagnostics;

namespace Tinctor.Core;

/// <summary>Processes of this computer. Process ids have a meaning only within <see cref="Host"/> and <see cref="Namespace"/>.</summary>
internal static class LocalProcess
{
    /// <summary>Name of this computer.</summary>
    public static string Host { get; } = Environment.MachineName;

    /// <summary>Linux namespace of process ids, which differs between containers of one host; empty elsewhere.</summary>
    public static string Namespace { get; } = OperatingSystem.IsLinux() ? new FileInfo("/proc/self/ns/pid").LinkTarget ?? "" : "";

    /// <summary>Whether a process of this computer is running; a dead one that its parent has not collected yet is not.</summary>
    public static bool IsRunning(int id)
    {
        try
        {
            using Process found = Process.GetProcessById(id);
            return !found.HasExited && !IsZombie(id);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return false;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // Processes of other users may not be inspected, but they run.
            return true;
        }
    }

    private static bool IsZombie(int id)
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            // The state follows the command in parentheses, which may itself have some.
            string status = File.ReadAllText($"/proc/{id}/stat");
            return status.LastIndexOf(')') is >= 0 and int end && status.AsSpan(end + 1).TrimStart() is ['Z' or 'X', ..];
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            return false;
        }
    }
}
