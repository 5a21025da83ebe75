using System.Diagnostics;

namespace Tinctor.Cli.Commands.Bench;

/// <summary>A whole command of Tinctor, timed as a process, and that of a peer.</summary>
/// <param name="name">Name on the command line.</param>
/// <param name="arguments">Arguments of Tinctor.</param>
/// <param name="peer">Command of the peer, the program first; empty for none.</param>
/// <param name="prepare">Makes the files that both read.</param>
internal sealed class ProgramRun(string name, string[] arguments, string[] peer, Action prepare) : Workload(name)
{
    /// <inheritdoc/>
    public override void Prepare() => prepare();

    /// <inheritdoc/>
    public override double Run() => Seconds(OwnProgram.Command(arguments));

    /// <inheritdoc/>
    public override double? RunPeer() => peer.Length == 0 ? null : Seconds(peer);

    /// <summary>Runs a command without its output.</summary>
    /// <returns>Elapsed seconds.</returns>
    /// <exception cref="TinctorException">It fails; the message has its last line.</exception>
    public static double Seconds(params string[] command)
    {
        var watch = Stopwatch.StartNew();
        using Process process = Start(command);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        double seconds = watch.Elapsed.TotalSeconds;
        _ = output.Result;
        return process.ExitCode == 0 ? seconds : throw new TinctorException(null,
            $"{string.Join(' ', command)} failed with exit code {process.ExitCode} ({error.Result.Trim().Split('\n')[^1]})");
    }

    private static Process Start(string[] command)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(command[0], command[1..])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new TinctorException(command[0], $"the program does not start ({e.Message})");
        }
    }
}
