using System.Collections.Concurrent;
using System.Diagnostics;

namespace Tinctor.Cli.Studies;

/// <summary>Runs jobs at the same time, each command as a process of its own; the output of a job goes to a log file.</summary>
internal static class ParallelJobs
{
    /// <summary>Runs all jobs. After a failure the other jobs continue; the failed ones are reported as they fail.</summary>
    /// <param name="jobs">The jobs; names are unique.</param>
    /// <param name="most">Maximum number of jobs at the same time.</param>
    /// <param name="logs">Folder of the log files.</param>
    /// <param name="report">Receives the problem of each failed job.</param>
    /// <param name="cancel">Stops the running commands, which save their work.</param>
    /// <returns>Names of the jobs that failed.</returns>
    public static async Task<IReadOnlyCollection<string>> Run(IReadOnlyList<StudyJob> jobs, int most, string logs, Action<string> report,
        CancellationToken cancel)
    {
        Directory.CreateDirectory(logs);
        StudyJob[] waiting = [.. jobs.Where(job => job.Steps.Any(step => step.Arguments is not null))];
        int ended = 0;
        var failed = new ConcurrentBag<string>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = most, CancellationToken = cancel };
        await Parallel.ForEachAsync(waiting, parallel, async (job, stop) =>
        {
            string log = Path.Combine(logs, job.Name + ".log");
            var watch = Stopwatch.StartNew();
            Terminal.Note($"{job.Name} starts (log: {log})");
            int code = await RunJob(job, log, stop);
            string count = $"{Interlocked.Increment(ref ended)}/{waiting.Length}";
            if (code == 0)
            {
                Terminal.Note($"{count} {job.Name} is done after {ProgressDisplay.Format(watch.Elapsed)}");
                return;
            }
            failed.Add(job.Name);
            const string Error = "error: ";
            string problem = File.ReadLines(log).LastOrDefault(line => line.StartsWith(Error, StringComparison.Ordinal))?[Error.Length..]
                ?? $"exit code {code}";
            report($"{problem} ({count} {job.Name}; log: {log})");
        });
        return failed;
    }

    private static async Task<int> RunJob(StudyJob job, string log, CancellationToken stop)
    {
        await using var output = TextWriter.Synchronized(new StreamWriter(log) { AutoFlush = true });
        foreach ((string title, string[]? arguments) in job.Steps)
        {
            if (arguments is null) continue;
            output.WriteLine($"{title}\n$ tinctor {CommandSteps.CommandLine(arguments)}");
            int code = await RunProcess(arguments, output, stop);
            if (code != 0) return code;
        }
        return 0;
    }

    private static async Task<int> RunProcess(string[] arguments, TextWriter output, CancellationToken stop)
    {
        using Process process = Process.Start(Program(arguments))!;
        process.OutputDataReceived += (_, line) => Write(line.Data);
        process.ErrorDataReceived += (_, line) => Write(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            await ProcessSignal.StopAsync(process);
            throw;
        }
        return process.ExitCode;

        void Write(string? line)
        {
            if (line is not null) output.WriteLine(line);
        }
    }

    private static ProcessStartInfo Program(string[] arguments)
    {
        string[] command = OwnProgram.Command(arguments);
        return new(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
    }
}
