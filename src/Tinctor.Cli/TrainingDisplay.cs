using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using Tinctor.Torch;
using Tinctor.Training;

namespace Tinctor.Cli;

/// <summary>
/// Progress of a training: a bar with losses, images per second, remaining time and memory; on other outputs than terminals a plain line
/// from time to time.
/// </summary>
internal static class TrainingDisplay
{
    /// <summary>Whether this process leaves notes and results to rank 0 of a distributed training.</summary>
    public static bool IsSilent => !ProcessGroup.IsFirst;

    /// <summary>Runs a training and displays its progress.</summary>
    public static TrainingResult Show(Func<ITrainingObserver, TrainingResult> train)
    {
        if (IsSilent) return train(new Silent());
        IAnsiConsole console = Terminal.Messages;
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi) return train(new Lines());
        var status = new StatusColumn();
        return console.Progress().Columns(new ProgressBarColumn { Width = 16 }, new PercentageColumn(), status).AutoClear(false)
            .Start(context => train(new Bar(context, status)));
    }

    private static string Pace(TrainingProgress progress)
    {
        return string.Create(CultureInfo.InvariantCulture,
            $"step {progress.Step}/{progress.Steps} epoch {progress.Epoch} | {ProgressDisplay.Format(progress.Remaining)} left | "
            + $"{progress.ImagesPerSecond:F1} images/s | {progress.MemoryBytes / 1e9:F1} GB");
    }

    private static string Losses(TrainingProgress progress) =>
        string.Join(" ", progress.Losses.Select(loss => string.Create(CultureInfo.InvariantCulture, $"{loss.Key} {loss.Value:G3}")));

    private sealed class Bar(ProgressContext context, StatusColumn status) : ITrainingObserver
    {
        private readonly ProgressTask task = context.AddTask("training");

        public void Note(string text) => Terminal.Note(text);

        public void Step(TrainingProgress progress)
        {
            task.MaxValue = progress.Steps;
            task.Value = progress.Step;
            // Two lines, so that a narrow terminal shows both.
            status.Text = $"{Pace(progress)}\n{Losses(progress)}";
        }
    }

    private sealed class Silent : ITrainingObserver
    {
        public void Note(string text) { }

        public void Step(TrainingProgress progress) { }
    }

    private sealed class StatusColumn : ProgressColumn
    {
        public string Text { get; set; } = "starting";

        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(Text);
    }

    private sealed class Lines : ITrainingObserver
    {
        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);
        private Stopwatch? sinceLast;

        public void Note(string text) => Terminal.Note(text);

        public void Step(TrainingProgress progress)
        {
            if (sinceLast is not null && sinceLast.Elapsed < Pause && progress.Step < progress.Steps) return;
            Terminal.Error.WriteLine($"{Pace(progress)} | {Losses(progress)}");
            sinceLast = Stopwatch.StartNew();
        }
    }
}

/// <summary>Prints the notes of a command that trains no step.</summary>
internal sealed class NotesOnly : ITrainingObserver
{
    /// <inheritdoc/>
    public void Note(string text) => Terminal.Note(text);

    /// <inheritdoc/>
    public void Step(TrainingProgress progress) { }
}
