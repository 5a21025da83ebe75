using System.ComponentModel;
using System.Diagnostics;
using Tinctor.Tests;

namespace Tinctor.Cli.Tests;

/// <summary>
/// Faults of the system that are injected into commands, by a library that is loaded before the others (tests/faults/faults.c).
/// </summary>
internal static class InjectedFaults
{
    private static readonly Lazy<string?> Library = new(Compile);

    /// <summary>Runs a command with a fault; skips the test where it cannot be injected.</summary>
    /// <param name="fault">Variable that chooses the fault, as FAULT_READ.</param>
    /// <param name="value">Its value.</param>
    /// <param name="arguments">Arguments of the command.</param>
    public static Outcome Run(string fault, string value, params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Library.Value is not null, "needs Linux and a C compiler (cc)");
        return CommandLine.RunWith([("LD_PRELOAD", Library.Value!), (fault, value)], arguments);
    }

    private static string? Compile()
    {
        string library = Path.Combine(AppContext.BaseDirectory, "libfaults.so");
        try
        {
            using Process compiler = Process.Start("cc",
                ["-shared", "-fPIC", "-O1", "-o", library, RepositoryFiles.Path("tests/faults/faults.c"), "-ldl"]);
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? library : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
