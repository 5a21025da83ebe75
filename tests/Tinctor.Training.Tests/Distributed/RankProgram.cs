using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Tinctor.Torch;

namespace Tinctor.Training.Tests.Distributed;

/// <summary>
/// This program as the ranks of a distributed training: a test starts one process for each rank, which compares with a training by one
/// process and writes a line for each comparison. bench/distributed starts it too.
/// </summary>
internal static class RankProgram
{
    private const string Marker = "--rank", Stuck = "stuck";

    public static int Main(string[] args) => args is [Marker, var comparison, var steps]
        ? Run(comparison, int.Parse(steps, CultureInfo.InvariantCulture))
        : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).GetAwaiter().GetResult();

    /// <summary>Runs two ranks of which rank 1 does not take part.</summary>
    /// <returns>Exit codes and error output of both.</returns>
    public static (int Code, string Error)[] StartStuck()
    {
        int port = FreePort();
        Process[] processes = [.. Enumerable.Range(0, 2).Select(rank => Start(Stuck, rank, 2, 0, port))];
        return Array.ConvertAll(processes, process =>
        {
            using (process)
            {
                string error = process.StandardError.ReadToEnd();
                process.WaitForExit();
                return (process.ExitCode, error);
            }
        });
    }

    /// <summary>Runs a comparison on several ranks.</summary>
    /// <param name="comparison">"engine", "methods" or names of methods, separated by commas.</param>
    /// <param name="ranks">Number of ranks.</param>
    /// <param name="steps">Number of training steps of each method.</param>
    /// <returns>Lines of rank 0.</returns>
    public static string[] Start(string comparison, int ranks, int steps)
    {
        int port = FreePort();
        Process[] processes = [.. Enumerable.Range(0, ranks).Select(rank => Start(comparison, rank, ranks, steps, port))];
        Task<string>[] outputs = [.. processes.Select(process => process.StandardOutput.ReadToEndAsync())];
        Task<string>[] errors = [.. processes.Select(process => process.StandardError.ReadToEndAsync())];
        foreach ((int rank, Process process) in processes.Index())
        {
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"rank {rank}: {errors[rank].Result}");
            process.Dispose();
        }
        return outputs[0].Result.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static int Run(string comparison, int steps)
    {
        torch.set_num_threads(1);
        TimeSpan limit = TimeSpan.FromSeconds(comparison == Stuck ? 8 : 120);
        using ProcessGroup ranks = ProcessGroup.Join(LaunchedRank.Detect()!, limit, failure =>
        {
            Console.Error.WriteLine(failure.Message);
            ProcessSignal.ExitNow(1);
        });
        ranks.UseDevice(Device.CPU);
        if (comparison == Stuck) WaitForRank1(ranks);
        IEnumerable<(string Name, double Difference)> found =
            comparison == "engine" ? EngineComparison.Run(ranks) : MethodComparison.Run(ranks, comparison, steps);
        foreach ((string name, double difference) in found)
            if (ranks.Rank == 0) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {difference:G3}"));
        ranks.Barrier();
        return 0;
    }

    // The watch ends both processes.
    private static void WaitForRank1(ProcessGroup ranks)
    {
        if (ranks.Rank == 0) Assert.Throws<Torch.Ranks.RankFailure>(ranks.Barrier);
        Thread.Sleep(TimeSpan.FromMinutes(2));
    }

    private static Process Start(string comparison, int rank, int ranks, int steps, int port)
    {
        string number = rank.ToString(CultureInfo.InvariantCulture), size = ranks.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(Environment.ProcessPath!,
            [typeof(RankProgram).Assembly.Location, Marker, comparison, steps.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["RANK"] = number, ["WORLD_SIZE"] = size, ["LOCAL_RANK"] = number, ["MASTER_ADDR"] = "127.0.0.1",
                ["MASTER_PORT"] = port.ToString(CultureInfo.InvariantCulture), ["OMP_NUM_THREADS"] = "1",
            },
        };
        return Process.Start(start)!;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
