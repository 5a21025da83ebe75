using System.CommandLine;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tinctor.Cli.Startup;

namespace Tinctor.Cli.Tests;

/// <summary>Output and exit code of a command.</summary>
/// <param name="Code">Exit code.</param>
/// <param name="Out">Standard output: results.</param>
/// <param name="Messages">Standard error: notes, progress, warnings and errors.</param>
internal sealed record Outcome(int Code, string Out, string Messages)
{
    public string All => Out + Messages;

    /// <summary>Warnings and errors, without notes.</summary>
    public string Error => string.Concat(Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(line => line.StartsWith("error:") || line.StartsWith("warning:")).Select(line => line + "\n"));

    /// <summary>Errors, without warnings.</summary>
    public string Failures => string.Concat(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(line => line.StartsWith("error:")).Select(line => line + "\n"));

    /// <summary>The only error, which is the last line: no trace, no second line.</summary>
    public string OneError()
    {
        Assert.Equal(1, Code);
        string line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: ", line);
        Assert.EndsWith(line + "\n", Messages);
        Assert.DoesNotContain("internal error", line);
        Assert.True(line[^1] is '.' or '?', $"no full stop: {line}");
        return line;
    }
}

/// <summary>
/// Runs commands within the test process. Trainings run in a process of their own, because they seed libtorch's one default generator;
/// so do tests of signals and exit codes.
/// </summary>
internal static partial class CommandLine
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "tinctor.dll");
    private static readonly string[] Trainings = ["train", "demo", "ablate", "compare"];

    public static Process Start(params string[] arguments) => StartWith([], arguments);

    /// <summary>Starts a command with other values of environment variables.</summary>
    public static Process StartWith((string Name, string Value)[] variables, params string[] arguments)
    {
        ProcessStartInfo start = CreateStart(arguments);
        foreach ((string name, string value) in variables) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Runs a command in a process of its own with another value of an environment variable.</summary>
    public static Outcome RunWith(string variable, string value, params string[] arguments) => RunWith([(variable, value)], arguments);

    /// <summary>Runs a command in a process of its own with other values of environment variables.</summary>
    public static Outcome RunWith((string Name, string Value)[] variables, params string[] arguments) =>
        Finish(StartWith(variables, arguments));

    /// <summary>Runs a command in a process that finds no libtorch.</summary>
    public static Outcome RunWithoutLibtorch(params string[] arguments) =>
        RunWith("TINCTOR_NATIVE", "/nowhere/libtinctor_torch.so", arguments);

    private static ProcessStartInfo CreateStart(string[] arguments)
    {
        // A shell starts background jobs with Ctrl-C ignored, and children inherit that.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", Program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["DOTNET_TieredPGO"] = "0";
        return start;
    }

    /// <summary>Runs a command with captured output.</summary>
    public static Outcome Run(params string[] arguments) =>
        arguments.Length > 0 && Trainings.Contains(arguments[0]) && !IsInvalid(arguments) ? Finish(Start(arguments))
            : RunInProcess(arguments);

    public static Outcome RunInProcess(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int code = Task.Run(() => CommandLineApp.RunAsync(arguments, Terminal.ForText(output, error))).GetAwaiter().GetResult();
        return new(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs a command; its exceptions come through.</summary>
    public static async Task<int> Invoke(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        using IDisposable use = Terminal.ForText(output, error).Use();
        ParseResult parse = CommandLineApp.Root.Parse(arguments);
        Terminal.Command = parse.CommandResult.Command;
        return await parse.InvokeAsync(new()
        {
            EnableDefaultExceptionHandler = false,
            Output = output,
            Error = error,
            ProcessTerminationTimeout = null
        },
            TestContext.Current.CancellationToken);
    }

    public static Outcome Finish(Process process)
    {
        using (process)
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            Assert.True(process.WaitForExit(TimeSpan.FromMinutes(5)), "the command line hangs");
            return new(process.ExitCode, output.Result, error.Result);
        }
    }

    /// <summary>Waits until a condition holds, as long as the process runs.</summary>
    public static bool Await(Process process, Func<bool> condition)
    {
        while (!process.HasExited)
        {
            if (condition()) return true;
            Thread.Sleep(1);
        }
        return false;
    }

    /// <summary>Sends a signal, as kill does.</summary>
    public static void Signal(Process process, int signal) => Assert.Equal(0, Kill(process.Id, signal));

    [ModuleInitializer]
    internal static void UseOneThread() => Environment.SetEnvironmentVariable("OMP_NUM_THREADS", "1");

    // What is refused or only prints does not train.
    private static bool IsInvalid(string[] arguments) => arguments.Contains("--help") || arguments.Contains("--print-config")
        || CommandLineApp.Root.Parse(arguments).Errors.Count > 0;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
