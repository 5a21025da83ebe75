using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Tinctor.Cli.Commands.Bench;

/// <summary><c>tinctor bench</c>: times workloads in Tinctor and in plain Python, alternately in one run.</summary>
internal static class BenchCommand
{
    private const string Description = """
        Compare the speed with plain Python scripts (PyTorch, scikit-image, OpenSlide), alternately in one run. The table has medians, their
        ratio with its range over the rounds, and the share of the peak rate that this machine reaches in the same run. The passes of both
        sides are checked to give the same images. convert is compared with vips, and a tile of the viewer with one pass of its network.

        Workloads are named as in --list; * stands for any text. Without names, the passes at 512 pixels and the training steps run.
        Models, slides and images are made once, in the folder of --work.

        Examples:
          tinctor bench
          tinctor bench "pass:resnet9-*:512" --rounds 5
          tinctor bench "slide:batch:2560:*" evaluate:200 --threads 2 -o speed.json
          tinctor bench --list
        """;

    private static readonly string[] Default = ["help", "pass:*:512", "step:*"];

    private static readonly Argument<string[]> Names = new("workload")
    {
        Description = "Workloads; * stands for any text",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<int> Rounds = new("--rounds")
    {
        Description = "Number of times that each side runs, after one warm-up",
        HelpName = "N",
        DefaultValueFactory = _ => 3,
    };

    private static readonly Option<int> ThreadCount = Threads.Option();
    private static readonly Option<string> Python = new("--python")
    {
        Description = "Python interpreter with PyTorch",
        HelpName = "FILE",
        DefaultValueFactory = _ => OperatingSystem.IsWindows() ? "python" : "/usr/bin/python3",
    };

    private static readonly Option<string> Work = new("--work")
    {
        Description = "Folder for models, slides and images",
        HelpName = "DIR",
        DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "tinctor-bench"),
    };

    private static readonly Option<string?> Output = new("--output", "-o")
    {
        Description = "File for all times, in JSON",
        HelpName = "FILE",
    };

    private static readonly Option<bool> List = new("--list") { Description = "List the workloads" };

    public static Command Create()
    {
        var command = new Command("bench", Description) { Names, Rounds, ThreadCount, Python, Work, Output, List };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel), cancel));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        int threads = Threads.Count(parse.GetValue(ThreadCount));
        if (parse.GetValue(List))
        {
            foreach (Workload workload in new Suite(threads, "", null, "").All()) Terminal.Result(workload.Name);
            return 0;
        }
        int rounds = parse.GetValue(Rounds);
        if (rounds < 1) throw new OptionException("Rounds", $"the number of rounds is {rounds}", "Use 1 or more");
        Threads.Use(threads);
        string python = parse.GetRequiredValue(Python), folder = Path.GetFullPath(parse.GetRequiredValue(Work));
        string[] patterns = parse.GetValue(Names) is { Length: > 0 } names ? names : Default;
        RequireNames(patterns);
        using PythonPeer? peer = PythonPeer.TryStart(python, threads, out string? problem);
        if (peer is null) Terminal.Warning($"{python}: PyTorch does not start ({problem}). Only Tinctor is timed.");
        Directory.CreateDirectory(folder);
        Workload[] workloads = [.. new Suite(threads, python, peer, folder).All().Where(workload => patterns.Any(workload.IsCalled))];
        Peaks peaks = Peaks.Measure(threads);
        Terminal.Result(FormattableString.Invariant($"{SystemInfo.ProcessorName}, {threads} threads; measured peaks: ")
            + FormattableString.Invariant($"float32 {peaks.Float32 / 1e9:F0} GFLOP/s, bfloat16 {peaks.Bfloat16 / 1e9:F0}, ")
            + FormattableString.Invariant($"int8 {peaks.Int8 / 1e9:F0} GOP/s, memory {peaks.Memory / 1e9:F0} GB/s"));
        var timings = new List<Timing>();
        try
        {
            ProgressDisplay.Show("bench", progress => timings.AddRange(Time(workloads, rounds, progress, cancel)));
        }
        finally
        {
            // Times measured before a failure, or before the user ends the run, are not lost.
            if (timings.Count > 0)
            {
                Print(timings, peaks);
                if (parse.GetValue(Output) is { } file) Write(file, threads, peer?.Version, peaks, timings);
            }
        }
        return 0;
    }

    private static void RequireNames(string[] patterns)
    {
        Workload[] all = [.. new Suite(1, "", null, "").All()];
        foreach (string pattern in patterns)
        {
            if (!all.Any(workload => workload.IsCalled(pattern)))
                throw new TinctorException($"no workload is called {pattern}. See tinctor bench --list");
        }
    }

    private static IEnumerable<Timing> Time(Workload[] workloads, int rounds, ProgressDisplay progress, CancellationToken cancel)
    {
        foreach ((int i, Workload workload) in workloads.Index())
        {
            using (workload)
            {
                progress.Report((double)i / workloads.Length, workload.Name);
                workload.Prepare();
                var timing = new Timing(workload);
                for (int round = -1; round < rounds; round++)
                {
                    cancel.ThrowIfCancellationRequested();
                    (double own, double? other) = (workload.Run(), workload.RunPeer());
                    if (round >= 0) timing.Add(own, other);
                    progress.Report((i + ((round + 2.0) / (rounds + 1))) / workloads.Length, workload.Name);
                }
                yield return timing;
            }
        }
    }

    private static void Print(List<Timing> timings, Peaks peaks)
    {
        Table table = new Table().Border(TableBorder.Markdown).AddColumns("workload", "Tinctor (s)", "plain (s)", "ratio", "range", "goal",
            "floor (s)", "share of peak");
        foreach (Timing timing in timings)
        {
            double? floor = timing.Workload.Operations / peaks.Float32;
            table.AddRow([timing.Workload.Name, Text(timing.Own), Text(timing.Other), Text(timing.Ratio, "F2"),
                timing.Range is { } range ? FormattableString.Invariant($"{range.Low:F2} to {range.High:F2}") : "",
                Goals(timing.Workload),
                Text(floor), floor is null ? "" : FormattableString.Invariant($"{floor / timing.Own:P0}")]);
        }
        Terminal.Results.Write(table);
    }

    private static string Goals(Workload workload) => string.Join(", ", new[]
    {
        Text(workload.Goal, "F2"),
        workload.LargestSeconds is { } limit ? FormattableString.Invariant($"{limit:G2} s") : "",
    }.Where(goal => goal.Length > 0));

    private static string Text(double? value, string format = "G3") => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";

    private static void Write(string file, int threads, string? pytorch, Peaks peaks, List<Timing> timings)
    {
        var result = new
        {
            processor = SystemInfo.ProcessorName,
            threads,
            pytorch,
            peaks,
            workloads = timings.Select(timing => new
            {
                name = timing.Workload.Name,
                goal = timing.Workload.Goal,
                operations = timing.Workload.Operations,
                tinctor = timing.OwnTimes,
                plain = timing.OtherTimes,
                ratio = timing.Ratio,
            }),
        };
        AtomicFile.WriteText(file, JsonSerializer.Serialize(result, JsonFormat.Readable) + "\n");
        Terminal.Result($"times: {file}");
    }

    /// <summary>Times of a workload.</summary>
    private sealed class Timing(Workload workload)
    {
        public Workload Workload => workload;

        public List<double> OwnTimes { get; } = [];

        public List<double> OtherTimes { get; } = [];

        public double Own => SampleStatistics.Median(OwnTimes);

        public double? Other => OtherTimes.Count > 0 ? SampleStatistics.Median(OtherTimes) : null;

        public double? Ratio => OtherTimes.Count > 0 ? SampleStatistics.Median(Ratios) : null;

        public (double Low, double High)? Range => OtherTimes.Count > 0 ? (Ratios.Min(), Ratios.Max()) : null;

        // Neighbours in time, which other programs slow down alike.
        private IEnumerable<double> Ratios => OwnTimes.Zip(OtherTimes, (own, other) => own / other);

        public void Add(double own, double? other)
        {
            OwnTimes.Add(own);
            if (other is { } time) OtherTimes.Add(time);
        }
    }
}
