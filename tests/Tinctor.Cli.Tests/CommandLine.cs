using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tinctor.Cli.Tests;

/// <summary>What a process of the command line printed, and how it ended.</summary>
internal sealed record Outcome(int Code, string Out, string Error)
{
    public string All => Out + Error;

    /// <summary>The single line of an error that a user caused: no trace, no second line.</summary>
    public string OneError()
    {
        Assert.Equal(1, Code);
        string line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: ", line);
        Assert.DoesNotContain("internal error", line);
        return line;
    }
}

/// <summary>Starts the real command line in a process of its own.</summary>
internal static partial class CommandLine
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "tinctor.dll");

    public static Process Start(params string[] arguments)
    {
        // A shell starts background jobs with Ctrl-C ignored, and children inherit that.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", Program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["DOTNET_TieredPGO"] = "0";
        return Process.Start(start)!;
    }

    public static Outcome Run(params string[] arguments) => Finish(Start(arguments));

    public static Outcome Finish(Process process)
    {
        using (process)
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            Assert.True(process.WaitForExit(TimeSpan.FromMinutes(2)), "the command line hangs");
            return new(process.ExitCode, output.Result, error.Result);
        }
    }

    /// <summary>Waits until something is so, as long as the process runs.</summary>
    public static bool Await(Process process, Func<bool> so)
    {
        while (!process.HasExited)
        {
            if (so()) return true;
            Thread.Sleep(1);
        }
        return false;
    }

    /// <summary>Sends a signal, as kill does.</summary>
    public static void Signal(Process process, int signal) => Assert.Equal(0, Kill(process.Id, signal));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
