using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Tinctor.Cli.Ranks;

/// <summary>Runs a training command as several ranks on this computer, each a process of its own, in the manner of torchrun.</summary>
internal static class LocalRanks
{
    // Ranks end by themselves when another one has ended; this is for those that cannot.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);

    /// <summary>
    /// Runs the ranks until all have ended. Rank 0 uses the terminal; an error of the others is printed if it printed none.
    /// </summary>
    /// <param name="arguments">Arguments of the command.</param>
    /// <param name="count">Number of ranks.</param>
    /// <returns>Exit code of rank 0, or of the first rank that failed.</returns>
    public static int Run(IEnumerable<string> arguments, int count)
    {
        string[] given = [.. arguments];
        string port = FreePort().ToString(CultureInfo.InvariantCulture);
        var errors = new string?[count];
        Process[] ranks = [.. Enumerable.Range(0, count).Select(rank => Start(given, rank, count, port, errors))];
        using IDisposable signals = Forward(ranks[0]);
        try
        {
            return Wait(ranks, errors);
        }
        finally
        {
            foreach (Process rank in ranks)
            {
                if (!rank.HasExited) rank.Kill();
                rank.Dispose();
            }
        }
    }

    private static int Wait(Process[] ranks, string?[] errors)
    {
        Task[] ends = [.. ranks.Select(rank => rank.WaitForExitAsync())];
        while (ends.Any(end => !end.IsCompleted))
        {
            Task.WaitAny([.. ends.Where(end => !end.IsCompleted)]);
            // Ranks that were asked to stop may still save.
            if (!ranks.Any(rank => rank.HasExited && rank.ExitCode is not (0 or Errors.Cancelled or Errors.Terminated))) continue;
            Task.WaitAll(ends, Patience);
            break;
        }
        int failed = Array.FindIndex(ranks, rank => rank.HasExited && rank.ExitCode != 0);
        if (failed < 0) return 0;
        // A rank that ended by a signal could not print an error.
        bool isSilent = ranks[0].HasExited && ranks[0].ExitCode is 0 or > Errors.Cancelled and not Errors.Terminated;
        if (!isSilent && ranks[0].HasExited) return ranks[0].ExitCode;
        if (errors.FirstOrDefault(error => error is not null) is { } line) Terminal.Error.WriteLine(line);
        else if (ranks[failed].ExitCode is not (Errors.Cancelled or Errors.Terminated))
            throw new TinctorException(null, $"rank {failed} of {ranks.Length} ended with exit code {ranks[failed].ExitCode}",
                "The run can be resumed from its last checkpoint");
        return ranks[failed].ExitCode;
    }

    private static Process Start(string[] arguments, int rank, int count, string port, string?[] errors)
    {
        string[] command = OwnProgram.Command(arguments);
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = rank > 0,
            RedirectStandardError = rank > 0,
        };
        string number = rank.ToString(CultureInfo.InvariantCulture), size = count.ToString(CultureInfo.InvariantCulture);
        foreach ((string name, string value) in new[]
        {
            ("RANK", number), ("LOCAL_RANK", number), ("WORLD_SIZE", size), ("LOCAL_WORLD_SIZE", size), ("MASTER_ADDR", "127.0.0.1"),
            ("MASTER_PORT", port),
        })
            start.Environment[name] = value;
        Process process = Process.Start(start)!;
        if (rank == 0) return process;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data?.StartsWith("error: ", StringComparison.Ordinal) == true) errors[rank] = line.Data;
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    // One rank suffices: all stop at the same step. Ctrl-C at a terminal reaches all of them anyway.
    private static CompositeSignals Forward(Process first)
    {
        var forwarded = new List<PosixSignal> { PosixSignal.SIGTERM };
        if (Console.IsInputRedirected) forwarded.Add(PosixSignal.SIGINT);
        return new([.. forwarded.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            if (!first.HasExited) ProcessSignal.Send(first, signal);
        }))]);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class CompositeSignals(IDisposable[] registrations) : IDisposable
    {
        public void Dispose() => Array.ForEach(registrations, registration => registration.Dispose());
    }
}
