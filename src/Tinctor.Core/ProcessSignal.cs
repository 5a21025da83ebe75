using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tinctor.Core;

/// <summary>Asks a process to end, so that it can save its work.</summary>
internal static partial class ProcessSignal
{
    private const int Interrupt = 2, Terminate = 15;

    // On Windows a process without a window cannot be asked.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Sends SIGTERM and waits until the process has ended; on Windows, ends it after 10 seconds.</summary>
    public static async Task StopAsync(Process process)
    {
        if (!OperatingSystem.IsWindows()) Kill(process.Id, Terminate);
        else if (!await EndsWithin(process, Patience)) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Sends SIGINT or SIGTERM to a process; does nothing on Windows.</summary>
    public static void Send(Process process, PosixSignal signal)
    {
        if (!OperatingSystem.IsWindows()) Kill(process.Id, signal == PosixSignal.SIGINT ? Interrupt : Terminate);
    }

    /// <summary>Ends this process at once, without waiting for other threads or native code.</summary>
    public static void ExitNow(int code)
    {
        if (!OperatingSystem.IsWindows()) Exit(code);
        Environment.Exit(code);
    }

    private static async Task<bool> EndsWithin(Process process, TimeSpan time)
    {
        try
        {
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);
}
