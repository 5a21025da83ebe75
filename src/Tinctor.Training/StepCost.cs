using System.Diagnostics;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Execution;

namespace Tinctor.Training;

/// <summary>Measures the cost of a training step, so that trainings of different methods can have the same length in time.</summary>
internal static class StepCost
{
    // The first steps allocate memory and choose algorithms.
    private const int WarmUpSteps = 3, MostSteps = 40;

    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Measures the seconds of one step by a short training: processor time of all threads, or elapsed time if a GPU computes. Reads of
    /// images are included; validation, checkpoints and the export of the model are not.
    /// </summary>
    /// <param name="config">Configuration of the run.</param>
    /// <param name="scratch">Folder of the short training, new or left by an interrupted measurement; deleted afterwards.</param>
    /// <param name="cancel">Cancels the measurement.</param>
    /// <exception cref="TinctorException">As for <see cref="Trainer.Start"/>.</exception>
    public static double Measure(RunConfig config, string scratch, CancellationToken cancel)
    {
        if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        bool gpu = DeviceChoice.Resolve(config.Training.Device).device.type == DeviceType.CUDA;
        var steps = new TimedSteps(gpu, cancel);
        try
        {
            TrainingConfig length = config.Training with { Steps = MostSteps, CheckpointEvery = MostSteps + 1 };
            Trainer.Start(config with { Training = length }, scratch, steps, CancellationToken.None);
        }
        catch (OperationCanceledException) when (steps.Measured)
        {
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }
        return steps.SecondsPerStep;
    }

    // Ends the training by an exception before its last step, which would validate and export.
    private sealed class TimedSteps(bool gpu, CancellationToken cancel) : ITrainingObserver
    {
        private TimeSpan start;

        public double SecondsPerStep { get; private set; }

        public bool Measured => SecondsPerStep > 0;

        public void Note(string text)
        {
        }

        public void Step(TrainingProgress progress)
        {
            cancel.ThrowIfCancellationRequested();
            TimeSpan now = gpu ? Stopwatch.GetElapsedTime(0) : Process.GetCurrentProcess().TotalProcessorTime;
            if (progress.Step == WarmUpSteps) start = now;
            if (progress.Step <= WarmUpSteps || (now - start < Enough && progress.Step < MostSteps - 1)) return;
            SecondsPerStep = Math.Max((now - start) / TimeSpan.FromSeconds(progress.Step - WarmUpSteps), 1e-6);
            throw new OperationCanceledException();
        }
    }
}
