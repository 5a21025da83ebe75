using System.Diagnostics;

namespace Tinctor.Tests;

/// <summary>A disk of some kilobytes (tmpfs); only root may mount one.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string path = Directory.CreateTempSubdirectory("tinctor-disk-").FullName;
    private readonly bool isMounted;

    /// <summary>Mounts the disk; skips the test where that is not allowed.</summary>
    public SmallDisk(int kilobytes)
    {
        isMounted = IsAllowed && Run("mount", "-t", "tmpfs", "-o", Size(kilobytes), "none", path);
        if (isMounted) return;
        Directory.Delete(path);
        Assert.Skip("needs root, to mount a small disk");
    }

    /// <summary>Whether this user may mount disks.</summary>
    public static bool IsAllowed => OperatingSystem.IsLinux() && Environment.UserName == "root";

    public string At(string name) => Path.Combine(path, name);

    /// <summary>Gets the files on the disk, also those with temporary names.</summary>
    public string[] Files => Directory.GetFiles(path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 });

    public void Resize(int kilobytes) => Assert.True(Run("mount", "-o", $"remount,{Size(kilobytes)}", path));

    public void Dispose()
    {
        if (!isMounted) return;
        Run("umount", "-l", path);
        Directory.Delete(path);
    }

    private static string Size(int kilobytes) => $"size={kilobytes}k";

    private static bool Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
