using System.CommandLine;
using Tinctor.Torch;
using Tinctor.Torch.Ranks;

namespace Tinctor.Cli.Ranks;

/// <summary>
/// Distributed training: options of the training commands, and the start of a command as one of several ranks, which a launcher (torchrun,
/// srun, mpirun) or --processes has started.
/// </summary>
internal sealed class TrainingRanks
{
    private const int DefaultTimeout = 1800;

    private readonly Option<int> processes = new("--processes")
    {
        Description = "Number of processes that share each step on this computer; see docs/distributed.md for several [default: 1]",
        HelpName = "N",
    };

    private static int ended;

    private readonly Option<int> timeout = new("--timeout")
    {
        Description = $"Maximum time that processes wait for each other, in seconds [default: {DefaultTimeout}]",
        HelpName = "S",
    };

    /// <summary>Creates the options.</summary>
    public TrainingRanks()
    {
        foreach (Option<int> option in new[] { processes, timeout })
        {
            option.Validators.Add(result =>
            {
                if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int value) && value < 1)
                    result.AddError($"{option.Name} is {value}, expected a number from 1 on");
            });
        }
    }

    /// <summary>The options, for the help.</summary>
    public IReadOnlyList<Option> Options => [processes, timeout];

    /// <summary>Runs a training command, alone, as one of several ranks, or as several ranks in processes of their own.</summary>
    /// <param name="parse">Parsed command.</param>
    /// <param name="threads">Number of threads; 0 for the default.</param>
    /// <param name="train">Trains; returns the exit code.</param>
    /// <param name="cancel">Cancels the wait for the other ranks.</param>
    /// <returns>Exit code.</returns>
    public int Run(ParseResult parse, int threads, Func<int> train, CancellationToken cancel)
    {
        LaunchedRank? launched = LaunchedRank.Detect();
        int count = parse.GetValue(processes);
        if (count > 0 && launched is not null)
        {
            throw new TinctorException(null, $"--processes starts ranks of its own, but {launched.Launcher} has started this process "
                + $"as rank {launched.Rank} of {launched.WorldSize}", "Leave --processes out");
        }
        if (count > 1) return LocalRanks.Run(Arguments(parse), count);
        Threads.Use(threads > 0 ? threads : DefaultThreads(launched));
        if (launched is null) return train();
        int limit = parse.GetValue(timeout);
        // Native code waits for the other ranks, which a cancellation must not wait for.
        using ProcessGroup ranks = Task.Run(() =>
            ProcessGroup.Join(launched, TimeSpan.FromSeconds(limit > 0 ? limit : DefaultTimeout), End), CancellationToken.None)
            .WaitAsync(cancel).GetAwaiter().GetResult();
        try
        {
            return train();
        }
        catch (RankFailure)
        {
            // The watch of the ranks, which has found it, ends the process.
            Thread.Sleep(Timeout.Infinite);
            throw;
        }
        catch (Exception e) when (!Errors.IsCancellation(e))
        {
            if (Interlocked.Exchange(ref ended, 1) == 1) Thread.Sleep(Timeout.Infinite);
            ranks.Fail(Errors.Text(e));
            throw;
        }
    }

    // The main thread may wait in native code for a rank that has ended. One line is printed, the first.
    private static void End(RankFailure failure)
    {
        if (Interlocked.Exchange(ref ended, 1) == 1) return;
        Terminal.Error.WriteLine(Errors.Describe(failure));
        Terminal.Error.Flush();
        ProcessSignal.ExitNow(1);
    }

    private static int DefaultThreads(LaunchedRank? launched) =>
        launched?.LocalWorldSize is int local && Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is null
            ? Math.Max(1, Environment.ProcessorCount / local) : 0;

    // Arguments of the command without --processes.
    private IEnumerable<string> Arguments(ParseResult parse)
    {
        bool skip = false;
        foreach (string token in parse.Tokens.Select(token => token.Value))
        {
            if (!skip && token != processes.Name) yield return token;
            skip = !skip && token == processes.Name;
        }
    }
}
