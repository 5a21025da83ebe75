using Tinctor.Registration.Pairs;

namespace Tinctor.Cli;

/// <summary>Forwards the progress of a preparation on the reporting thread.</summary>
internal sealed class StepProgress(Action<PreparationProgress> report) : IProgress<PreparationProgress>
{
    public void Report(PreparationProgress value) => report(value);
}
