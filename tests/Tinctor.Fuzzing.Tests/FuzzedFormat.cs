using System.Diagnostics;
using Tinctor.Tests;

namespace Tinctor.Fuzzing.Tests;

/// <summary>Format whose reader is given mutated files.</summary>
/// <param name="Name">Name of the format.</param>
/// <param name="Extension">Extension of the mutated file.</param>
/// <param name="Read">Reads a file as the program does.</param>
/// <param name="Seeds">Valid files.</param>
/// <param name="Words">Words of the format.</param>
internal sealed record FuzzedFormat(string Name, string Extension, Action<string> Read, IReadOnlyList<byte[]> Seeds, params string[] Words)
{
    // A reader that takes longer hangs; the machine may be busy with other tests.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Largest growth of the memory of the process, for any number of files.
    private const long MostMemory = 1L << 30;
    private const int MostProblems = 5;

    /// <summary>Number of mutated files of each format in a run of the tests.</summary>
    public static int Cases { get; } = int.TryParse(Environment.GetEnvironmentVariable("TINCTOR_FUZZ_CASES"), out int cases) ? cases : 1000;

    /// <summary>Number of the first case; others are below it.</summary>
    public static int First { get; } = int.TryParse(Environment.GetEnvironmentVariable("TINCTOR_FUZZ_FIRST"), out int first) ? first : 0;

    /// <summary>Numbers of cases that found a fault once; they are always run.</summary>
    public IReadOnlyList<int> Faults { get; init; } = [];

    /// <summary>Makes a mutated file; the same number gives the same bytes.</summary>
    public byte[] Make(int number)
    {
        var random = new Random(unchecked((number * 397) ^ Name.Aggregate(17, (hash, letter) => (hash * 31) + letter)));
        return new Mutator(random, Words).Mutate(Seeds[random.Next(Seeds.Count)], Seeds[random.Next(Seeds.Count)]);
    }

    /// <summary>Reads mutated files. Each must be read, or refused in one line that names it, in bounded time and memory.</summary>
    /// <param name="cases">Number of files; null for <see cref="Cases"/>.</param>
    public void Run(int? cases = null)
    {
        int count = cases ?? Cases;
        using var folder = new TemporaryFolder();
        string path = folder.File("case" + Extension);
        var problems = new Dictionary<string, string>();
        var slowest = TimeSpan.Zero;
        int valid = 0;
        foreach (byte[] seed in Seeds) Read(folder.File("seed" + Extension, seed));
        long before = Process.GetCurrentProcess().PeakWorkingSet64;
        using var watchdog = new Watchdog(Name, Patience);
        foreach (int i in Faults.Concat(Enumerable.Range(First, count)).TakeWhile(_ => problems.Count < MostProblems))
        {
            File.WriteAllBytes(path, Make(i));
            watchdog.Start(i);
            var clock = Stopwatch.StartNew();
            (string? problem, bool isValid) = Try(path);
            if (problem is not null) problems.TryAdd(problem, $"case {i}: {problem}");
            if (isValid) valid++;
            if (clock.Elapsed > slowest) slowest = clock.Elapsed;
        }
        long memory = Process.GetCurrentProcess().PeakWorkingSet64 - before;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Name}: {count} files, {valid} of them valid, slowest {slowest.TotalSeconds:0.00} s, memory {memory >> 20:+0;-0} MB");
        Assert.True(problems.Count == 0, $"{Name}:\n{string.Join('\n', problems.Values)}");
        Assert.True(memory < MostMemory, $"{Name}: memory grew by {memory >> 20} MB");
    }

    // An error names the file or one that it refers to, if it is about a file.
    private (string? Problem, bool IsValid) Try(string path)
    {
        try
        {
            Read(path);
            return (null, true);
        }
        catch (TinctorException e)
        {
            bool isNamed = e.File is null || e.File.StartsWith(Path.GetTempPath(), StringComparison.Ordinal) || Path.IsPathRooted(e.File);
            return (e.Problem.Length > 0 && isNamed ? null : $"the file is not named: {e.Message}", false);
        }
        catch (Exception e)
        {
            string place = e.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("Tinctor"))?.Trim() ?? "";
            return ($"{e.GetType().Name}: {e.Message.Split('\n')[0]} {place}", false);
        }
    }

    /// <summary>Ends the process if one case takes too long.</summary>
    private sealed class Watchdog : IDisposable
    {
        private readonly Timer timer;
        private readonly TimeSpan patience;
        private volatile int current;

        public Watchdog(string name, TimeSpan patience)
        {
            this.patience = patience;
            timer = new(_ => Environment.FailFast($"{name}: case {current} hangs"));
        }

        public void Start(int number)
        {
            current = number;
            timer.Change(patience, Timeout.InfiniteTimeSpan);
        }

        public void Dispose() => timer.Dispose();
    }
}
