using Spectre.Console;

namespace Tinctor.Cli;

/// <summary>The share of a work that is done, shown as a bar.</summary>
internal sealed class TaskProgress(ProgressTask task) : IProgress<double>
{
    public void Report(double value) => task.Value = value * task.MaxValue;
}
