using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Tinctor.Cli;

/// <summary>
/// Progress with the remaining time, on stderr: a bar on a terminal, otherwise a line every ten seconds. Reports may come from several
/// threads.
/// </summary>
internal abstract class ProgressDisplay : IProgress<double>
{
    /// <summary>Runs work that reports its progress.</summary>
    /// <param name="title">Title of the work, such as "staining".</param>
    /// <param name="work">The work.</param>
    public static T Show<T>(string title, Func<ProgressDisplay, T> work)
    {
        IAnsiConsole console = Terminal.Messages;
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi) return work(new Lines(title));
        return console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => work(new Bar(context, title)));
    }

    /// <summary>Runs work that reports its progress.</summary>
    /// <param name="title">Title of the work, such as "staining".</param>
    /// <param name="work">The work.</param>
    public static void Show(string title, Action<ProgressDisplay> work) => Show(title, progress =>
    {
        work(progress);
        return true;
    });

    /// <summary>Reports the completed share of the work, 0 to 1.</summary>
    public void Report(double value) => Report(value, null);

    /// <summary>Reports the completed share of the work and its current step.</summary>
    /// <param name="share">Completed share, 0 to 1.</param>
    /// <param name="description">Current step; null if unchanged.</param>
    public abstract void Report(double share, string? description);

    /// <summary>Starts another stage of the work, whose share begins at 0.</summary>
    public abstract void BeginStage(string title);

    /// <summary>Formats a time span, as in 3:05 or 1:03:05.</summary>
    public static string Format(TimeSpan time) =>
        time.ToString(time.TotalHours >= 1 ? @"h\:mm\:ss" : @"m\:ss", CultureInfo.InvariantCulture);

    private sealed class Bar(ProgressContext context, string title) : ProgressDisplay
    {
        private readonly Lock mutex = new();
        private ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: 1);

        public override void Report(double share, string? description)
        {
            lock (mutex)
            {
                if (description is not null) task.Description = Markup.Escape(description);
                task.Value = Math.Max(task.Value, share);
            }
        }

        public override void BeginStage(string title)
        {
            lock (mutex)
            {
                task.Value = 1;
                task = context.AddTask(Markup.Escape(title), maxValue: 1);
            }
        }
    }

    private sealed class Lines(string title) : ProgressDisplay
    {
        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);
        private readonly Lock mutex = new();
        private readonly TextWriter writer = Terminal.Error;
        private Stopwatch sinceStart = Stopwatch.StartNew(), sinceLine = Stopwatch.StartNew();
        private string doing = title;

        public override void Report(double share, string? description)
        {
            lock (mutex)
            {
                doing = description ?? doing;
                if (sinceLine.Elapsed < Pause || share <= 0) return;
                TimeSpan remaining = sinceStart.Elapsed * Math.Max(0, (1 - share) / share);
                writer.WriteLine(FormattableString.Invariant($"{doing}: {share:P0}, {Format(remaining)} left"));
                sinceLine = Stopwatch.StartNew();
            }
        }

        public override void BeginStage(string title)
        {
            lock (mutex) (doing, sinceStart) = (title, Stopwatch.StartNew());
        }
    }
}
